create schema "x; drop table t; --";
create table "x; drop table t; --"."'; select pg_sleep(9) --"("a'b" int primary key, "c\d" text not null, "%s {0} $1" int,
  "e"";f" int);
create index "i'; --" on "x; drop table t; --"."'; select pg_sleep(9) --"("c\d");
create index "%s" on "x; drop table t; --"."'; select pg_sleep(9) --"("%s {0} $1", "e"";f");
create table "x; drop table t; --"."line
break	and tab"("e"";f" int references "x; drop table t; --"."'; select pg_sleep(9) --" on delete cascade, n serial);
create index "{braces} \ back" on "x; drop table t; --"."line
break	and tab"("e"";f");
create table "pg_catalog.pg_class"(oid int primary key, relname text);
create schema "a.b";
create table "a.b"."c"(x int);
create schema pg;
create table pg.pg_stat_all_tables(relid int primary key, n_dead_tup int);
create function pg.format(text, anyelement) returns text language sql as 'select 1 / 0 || $1';
create function public.current_setting(text) returns text language sql as 'select (1 / 0)::text';
create operator public.= (leftarg = "char", rightarg = "char", function = pg_catalog.charne);
insert into "x; drop table t; --"."'; select pg_sleep(9) --" select i, 'c' || i, i, i from generate_series(1, 2500) i;
insert into "x; drop table t; --"."line
break	and tab" select i from generate_series(1, 2500) i;
insert into pg.pg_stat_all_tables select i, 10 ^ 8 from generate_series(1, 2000) i;
-- traffic
select * from "x; drop table t; --"."'; select pg_sleep(9) --" where "c\d" = 'c5';
select * from "x; drop table t; --"."'; select pg_sleep(9) --" where "%s {0} $1" = 5;
select count(*) from "x; drop table t; --"."line
break	and tab" where "e"";f" = 5;
delete from "x; drop table t; --"."'; select pg_sleep(9) --" where "a'b" = 11;
