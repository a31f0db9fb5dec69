create table arrived(id bigint generated always as identity primary key, at timestamptz not null default now(), note text);
create index arrived_at on arrived(at);
create table counted(id int primary key, n int not null);
insert into counted select i, 0 from generate_series(1, 3000) i;
analyze counted;
select pg_stat_reset();
insert into arrived(note) select md5(i::text) from generate_series(1, 20000) i;
-- traffic
select count(*) from arrived where at > now() - interval '1 h';
select * from counted where id = 7;
update counted set n = n + 1 where id < 30;
