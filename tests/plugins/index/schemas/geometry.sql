create table place(id int primary key, at point not null, area box not null, address inet not null,
  net cidr not null);
create index place_at on place using gist(at);
create index place_net on place using spgist(net);
create index place_area on place using gist(area);
create index place_address on place using gist(address inet_ops);
insert into place select i, point(i % 60, i / 60), box(point(i % 60, i / 60), point(i % 60 + 2, i / 60 + 2)),
  ('10.0.' || i % 200 || '.' || i % 250)::inet, ('10.' || i % 200 || '.0.0/16')::cidr from generate_series(1, 3000) i;
-- traffic
select id from place order by at <-> point(3, 4) limit 5;
select id from place where at <@ box '((0,0),(3,3))';
select id from place where area && box '((10,10),(11,11))';
select id from place where address << '10.0.7.0/24';
select id from place where net = '10.7.0.0/16';
