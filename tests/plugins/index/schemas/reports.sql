create table sale(id int primary key, region text not null, day date not null, amount int not null);
create index sale_day on sale(day);
insert into sale select i, 'r' || i % 12, date '2026-01-01' + i % 100, i % 500 from generate_series(1, 6000) i;
create materialized view by_region as select region, day, sum(amount) as amount, count(*) as n from sale group by 1, 2;
create unique index by_region_key on by_region(region, day);
create index by_region_amount on by_region(amount desc);
create view today as select * from sale where day = current_date;
create recursive view numbers(n) as values (1) union all select n + 1 from numbers where n < 10;
create materialized view later as select * from sale with no data;
create unlogged table staging(line text);
insert into staging select md5(i::text) from generate_series(1, 2000) i;
-- traffic
select sum(amount) from sale where day between '2026-02-01' and '2026-02-03';
refresh materialized view concurrently by_region;
select * from by_region where region = 'r1' and day = '2026-02-01';
select * from by_region order by amount desc limit 3;
truncate staging;
