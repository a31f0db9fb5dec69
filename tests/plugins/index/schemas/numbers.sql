create sequence round minvalue 1 maxvalue 100 cycle;
create sequence unused as smallint maxvalue 5;
create table ticket(id uuid primary key default gen_random_uuid(), round int not null default nextval('round'));
create table land(code smallint primary key, name text not null unique);
create table city(id int primary key, land smallint not null references land, people bigint not null);
create index city_land on city(land);
create table hash_key(id int primary key, n int not null);
create index hash_key_n on hash_key using hash(n);
create index hash_key_n_range on hash_key(n);
insert into ticket select from generate_series(1, 1095);
insert into land select i, 'land ' || i from generate_series(1, 999) i;
insert into city select i * 1000, i % 999 + 1, i * 10::bigint ^ 9 from generate_series(1, 3000) i;
insert into hash_key select -i, i from generate_series(1, 3000) i;
-- traffic
select count(*) from ticket;
select * from city where land = 7;
select * from hash_key where n = 5;
select * from hash_key where n between 7 and 9;
delete from land where code = 2000;
