create table vehicle(id int primary key, plate text not null, built date not null);
create unique index vehicle_plate on vehicle(plate);
create table car(doors smallint not null, primary key (id)) inherits (vehicle);
create unique index car_plate on car(plate);
create table truck(payload int not null, primary key (id), check (payload > 0)) inherits (vehicle);
create unique index truck_plate on truck(plate);
create index truck_payload on truck(payload);
insert into vehicle select i, 'v' || i, date '2020-01-01' + i from generate_series(1, 500) i;
insert into car select 10000 + i, 'c' || i, date '2020-01-01' + i % 900, 4 from generate_series(1, 2000) i;
insert into truck select 20000 + i, 't' || i, date '2020-01-01' + i % 900, i from generate_series(1, 2000) i;
-- traffic
select * from vehicle where plate = 'c77';
select * from vehicle where id = 20040;
select count(*) from truck where payload between 100 and 150;
update only vehicle set built = built + 1 where id < 20;
delete from car where id = 10001;
