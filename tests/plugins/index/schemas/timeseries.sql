create table sensor(id int primary key, name text not null);
create table reading(sensor_id int not null references sensor, at timestamptz not null, value double precision,
  received timestamptz not null, primary key (sensor_id, at)) partition by range (at);
create table reading_2026_01 partition of reading for values from ('2026-01-01') to ('2026-02-01');
create table reading_2026_02 partition of reading for values from ('2026-02-01') to ('2026-03-01');
create table reading_2026_03 partition of reading for values from ('2026-03-01') to ('2026-04-01');
create table reading_rest partition of reading default;
create index reading_received on reading using brin(received);
create index reading_high on reading(at) where value > 95;
insert into sensor select i, 'sensor ' || i from generate_series(1, 20) i;
insert into reading select s, timestamptz '2026-01-01' + i * interval '20 min', (i * s) % 100, timestamptz '2026-01-01' + i * interval '20 min' + interval '3 s'
  from generate_series(1, 20) s, generate_series(1, 500) i;
insert into reading select s, timestamptz '2026-02-01' + i * interval '20 min', (i * s) % 100, timestamptz '2026-02-01' + i * interval '20 min' + interval '3 s'
  from generate_series(1, 20) s, generate_series(1, 400) i;
analyze reading;
-- traffic
select avg(value) from reading where sensor_id = 3 and at between '2026-01-02' and '2026-01-05';
select count(*) from reading where received between '2026-01-03' and '2026-01-03 06:00';
select at from reading where value > 95 and at between '2026-02-02' and '2026-02-03' order by at limit 5;
delete from reading where at < '2026-01-01 02:00';
