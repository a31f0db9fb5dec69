-- One problem for each rule about objects. Sizes are small: the tests lower the limits.
create table goods(id int primary key, name text not null, price int not null, code text not null, kind int not null);
create index goods_unused on goods(code);
insert into goods select i, 'thing ' || i, i % 977, md5(i::text), i % 7 from generate_series(1, 50000) i;
create index goods_price on goods(price);
create index goods_price_again on goods(price);
create unique index goods_id_unique on goods(id);
create index goods_kind on goods(kind);
create index goods_kind_name on goods(kind, price);
create index goods_lower_1 on goods(lower(name)) where kind = 1;
create index goods_lower_2 on goods ( lower ( name ) )  where  kind=1;

-- A parent that is deleted from, and children without a usable index, each in its own way.
create table maker(id int primary key, land int not null default 1, unique (id, land));
create table item_bare(id int primary key, maker int references maker on delete cascade);
create table item_partial(id int primary key, maker int references maker on delete cascade, gone bool default false);
create index on item_partial(maker) where maker > 50;
create table item_expression(id int primary key, maker int references maker on delete cascade);
create index on item_expression((maker + 0));
create table item_second(id int primary key, maker int references maker on delete cascade, at int);
create index on item_second(at, maker);
create table item_half(id int primary key, maker int, land int, at int,
  foreign key (maker, land) references maker(id, land) on delete cascade);
create index on item_half(maker, at, land);
create table item_parts(id int, maker int references maker on delete cascade) partition by range (id);
create table item_parts_1 partition of item_parts for values from (0) to (100000);
create table item_parts_2 partition of item_parts for values from (100000) to (1000000);
create index on item_parts_1(maker);
insert into maker select i from generate_series(1, 200) i;
insert into item_bare select i, i % 100 + 1 from generate_series(1, 4000) i;
insert into item_partial select i, i % 100 + 1 from generate_series(1, 4000) i;
insert into item_expression select i, i % 100 + 1 from generate_series(1, 4000) i;
insert into item_second select i, i % 100 + 1, i from generate_series(1, 4000) i;
insert into item_half select i, i % 100 + 1, 1, i from generate_series(1, 4000) i;
insert into item_parts select i, i % 100 + 1 from generate_series(98000, 102000) i;
delete from maker where id > 190;

create table loose(id int primary key, maker int, price int);
alter table loose add constraint loose_price check (price > 0) not valid;
create table unchecked(id int primary key, loose int references loose);
create index on unchecked(loose);
alter table unchecked disable trigger all;
create table twice(id int primary key, maker int references maker,
  constraint twice_again foreign key (maker) references maker);
create index on twice(maker);

create sequence short as smallint;
select setval('short', 31000);
create table numbered(id serial primary key);
alter sequence numbered_id_seq as bigint;
select setval('numbered_id_seq', 2040000000);
create table identified(id smallint generated always as identity primary key);
select setval('identified_id_seq', 32700);
create table countdown(id int primary key);
create sequence down increment -1 minvalue -1000 maxvalue -1;
select setval('down', -900);
create table outside(id int primary key);
insert into outside select 2147483647 - i from generate_series(1, 300) i;
analyze outside;

create table published(id int, name text not null unique);
create table published_bare(id int);
create publication news for table published, published_bare;

create table disabled(id int primary key, n int) with (autovacuum_enabled = false);
insert into disabled select i, 0 from generate_series(1, 3000) i;
update disabled set n = 1;
create table measurement(at int, n int) partition by range (at);
create table measurement_1 partition of measurement for values from (0) to (100000);
insert into measurement select i, i from generate_series(1, 5000) i;
analyze measurement_1;

create table fuller(id int primary key, n int);
create index on fuller(n);
insert into fuller select i, i from generate_series(1, 20000) i;
create table lost(id int primary key);
insert into lost select i from generate_series(1, 6000) i;

create collation old (provider = builtin, locale = 'C.UTF-8', version = '0');
create table sorted(name text collate old primary key);
insert into sorted values ('a');
update pg_database set datcollversion = '0' where datname = current_database();

vacuum analyze goods, maker, item_bare, item_partial, item_expression, item_second, item_half, item_parts, fuller;

-- An index that is younger than what was counted.
create table old_table(id int primary key, n int);
insert into old_table select i, i from generate_series(1, 3000) i;
do $$ begin for i in 1..3000 loop begin insert into old_table values (-i, 0); exception when division_by_zero then end; end loop; end $$;
create index old_table_young on old_table(n);
