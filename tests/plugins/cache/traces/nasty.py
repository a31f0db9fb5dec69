"""Statements that change their session where it is hard to see, and some that do not and look like it."""

from __future__ import annotations

SET = "set_config('search_path', 'nowhere', false)"
LOCK = "pg_try_advisory_lock(1)"

SCHEMA = f"""
create table d_set (id int, s text default {SET});
create table d_lock (id int, b bool default {LOCK});
create table c_set (id int check ({SET} is not null));
create table c_lock (id int check ({LOCK}));
create domain dom_set as text check ({SET} is not null);
create domain dom_lock as int check ({LOCK});
create domain dom_dom as dom_lock;
create type has_dom as (x dom_lock);
create table t_dom_set (id int, s dom_set);
create table t_dom_lock (id int, n dom_lock);
create table t_has_dom (id int, h has_dom);
create view v_set as select {SET} as s;
create view v_lock as select id from lone where {LOCK};
create view v_v_lock as select count(*) from v_lock;
create view v_dom as select id::dom_lock from lone;
create materialized view mv_lock as select {LOCK} with no data;
create materialized view mv_set as select {SET} with no data;
create table r_also (id int);
create rule r as on insert to r_also do also select {LOCK};
create table r_instead (id int);
create rule r as on update to r_instead do instead select {SET};
create table trig (id int);
create function t_set() returns trigger language plpgsql as $$begin perform {SET}; return new; end$$;
create trigger t before insert on trig for each row execute function t_set();
create view v_instead as select id from lone;
create trigger t instead of insert on v_instead for each row execute function t_set();
create function f_set() returns text language sql volatile as $$select {SET}$$;
create function f_lock() returns bool language plpgsql volatile as $$begin return {LOCK}; end$$;
create function f_temp() returns int language plpgsql as $$begin create temp table hidden (id int); return 1; end$$;
create function f_local() returns text language sql as $$select set_config('search_path', 'nowhere', true)$$;
create function f_own() returns text language sql security definer set search_path = other as $$select {SET}$$;
create function f_stable() returns text language plpgsql stable as $$begin return {SET}; end$$;
create function f_immutable(int) returns int language plpgsql immutable as $$begin perform {SET}; return $1; end$$;
create procedure p_set() language plpgsql as $$begin perform {SET}; end$$;
create procedure p_listen() language plpgsql as $$begin listen hidden; end$$;
create function f_agg(int, int) returns int language plpgsql as $$begin perform {SET}; return $1; end$$;
create aggregate agg_set (int) (sfunc = f_agg, stype = int, initcond = '0');
create function f_cast(pair) returns int language plpgsql as $$begin perform {SET}; return 1; end$$;
create operator <!> (leftarg = int, rightarg = int, function = f_agg);
create function f_two(int, int) returns int language plpgsql immutable as $$begin perform {SET}; return $1; end$$;
create operator <!!> (leftarg = int, rightarg = int, function = f_two);
create table rls (id int);
create policy p on rls using ({SET} is not null) with check ({LOCK});
alter table rls enable row level security;
insert into rls values (1);
create table rls_quiet (id int);
create policy p on rls_quiet using (id > 0);
alter table rls_quiet enable row level security;
create table parted_set (id int, s text default {SET}) partition by list (id);
create table parted_set_1 partition of parted_set for values in (1);
create table gen_lock (id int, twice int generated always as (id * 2) stored, b bool default {LOCK});
create table fk_set (id int primary key, s text default {SET});
create table fk_child (id int references fk_set on delete set default default 1);
grant all on all tables in schema public to public;
"""
CAST = "create cast (pair as int) with function f_cast(pair)"
"""With a cast of the application's own, little is claimed any more."""
LATE = f"""
create view late as select id from lone where {LOCK};
create function late_lock() returns bool language plpgsql as $$begin return {LOCK}; end$$;
create function late_stable() returns bool language plpgsql stable as $$begin return {LOCK}; end$$;
create table late_table (id int, b bool default {LOCK});
grant all on all tables in schema public to public;
"""
"""Made after the catalog was read."""

TABLES = [
    "d_set",
    "d_lock",
    "c_set",
    "c_lock",
    "r_also",
    "r_instead",
    "trig",
    "rls",
    "rls_quiet",
    "parted_set",
    "parted_set_1",
    "gen_lock",
    "fk_set",
    "late_table",
    "v_instead",
]
VIEWS = ["v_set", "v_lock", "v_v_lock", "v_dom", "rls", "rls_quiet", "late"]


def lines(text: str) -> list[str]:
    return [line.replace("@SET", SET).replace("@LOCK", LOCK) for line in text.strip().splitlines()]


CALLS = lines(r"""
@SET
@LOCK
f_set()
f_lock()
f_temp()
f_local()
f_own()
f_stable()
f_immutable(1)
late_lock()
late_stable()
U&"pg\005ftry_advisory_lock"(1)
"pg_try_advisory_lock"(1)
pg_catalog."set_config"('a.b', 'c', false)
pg_advisory_lock(5)
pg_advisory_lock_shared(5)
pg_try_advisory_lock(1, 2)
pg_advisory_xact_lock(6)
pg_advisory_unlock(99)
pg_advisory_unlock_all()
set_config('a.b', 'c', true)
agg_set(1)
1 <!> 2
(row(1, 'a')::pair)::int
cast(row(1, 'a')::pair as int)
'x'::dom_set
1::dom_lock
1::dom_dom
'{1}'::dom_lock[]
'(1)'::has_dom
row(1)::has_dom
json_populate_record(null::t_dom_lock, '{"n": 1}')
jsonb_populate_record(null::has_dom, '{"x": 1}')
pg_input_is_valid('1', 'dom_lock')
pg_input_is_valid('(1)', 'has_dom')
array_in('{1}', 'dom_lock'::regtype, -1)
domain_in('1', 'dom_lock'::regtype, -1)
record_in('(1)', 'has_dom'::regtype, -1)
query_to_xml($$select @LOCK$$, true, true, '')
table_to_xml('v_lock', true, true, '')
schema_to_xml('public', true, true, '')
database_to_xml(true, true, '')
ts_rewrite('a'::tsquery, $$select 'a'::tsquery, 'b'::tsquery where @LOCK$$)
ts_stat($$select 'a'::tsvector where @LOCK$$)
setseed(0.5)
random()
lo_creat(-1)
pg_export_snapshot()
nextval('seq')
currval('seq')
lastval()
pg_notify('a', 'b')
pg_listening_channels()
now()
current_setting('search_path')
pg_backend_pid()
txid_current()
gen_random_uuid()
version()
pg_stat_clear_snapshot()
lo_open(lo_creat(-1), 131072)
current_user
pg_my_temp_schema()
json_query('1', '$' returning dom_lock)
to_regclass('late')
pg_get_viewdef('v_lock'::regclass)
""")
FORMS = lines(r"""
select {}
select 1 where {} is not null
select id from lone order by {}, id
select * from lone limit 1 offset 0; select {}
with x as (select {}) select * from x
values ({})
select exists (select {})
select now(), {}
select ctid, {} from lone
insert into scratch (v) select {}::text
update lone set b = ({})::text where id = 1
delete from scratch where ({}) is null
delete from scratch returning {}
copy (select {}) to stdout
explain select {}
explain analyze select {}
explain (analyze false) select {}
do $do$begin perform {}; end$do$
create temp table made as select {}
declare c cursor with hold for select {}
declare c cursor for select {}
prepare p as select {}; execute p; deallocate p
begin; select {}; commit
lock table lone; select {}
""")
OVER_VIEWS = lines(r"""
select * from {}
table {}
select count(*) from {}
select now(), x.* from {} x
select random() from {}
select current_user, x.* from {} x
select ctid from {}
select * from {} for share
copy (select * from {}) to stdout
copy {} to stdout
explain analyze select * from {}
explain select * from {}
select * from lone, {} x
insert into scratch select 1 from {}
select 1 in (select 1 from {})
select date 'today' from {}
with x as (select * from {}) select * from x
select * from {} tablesample system (100)
delete from scratch using {} x
""")
OVER_TABLES = lines(r"""
insert into {} (id) values (1)
insert into {} (id) select id from lone
insert into {} values (1, default)
insert into {} default values
update {} set id = 1
delete from {}
copy {} (id) from stdin
truncate {}
explain analyze insert into {} (id) values (1)
explain insert into {} (id) values (1)
select * from {}
with d as (insert into {} (id) values (1) returning *) select * from d
copy {} to stdout
merge into {} t using lone l on false when not matched then insert (id) values (1)
insert into {} (id) values (1); select 1
select * from {} for update
""")
ALONE = lines(r"""
set search_path = nowhere
set local search_path = nowhere
set session search_path = nowhere
reset all
set role pg_monitor
set session authorization pg_monitor
set time zone 'Asia/Tokyo'
set a.b = 'c'
set transaction isolation level serializable
set session characteristics as transaction read only
listen a
listen a; unlisten *
unlisten *
notify a
load 'plpgsql'
call p_set()
call p_listen()
create temp table made (id int)
create temp view made as select 1
create temp sequence made
create table pg_temp.made (id int)
select 1 as one into temp made
select * into temporary table made from lone
create temp table made (id int) on commit drop
discard all
discard temp
discard plans
discard sequences
do $$begin set search_path = nowhere; end$$
do $$begin set local search_path = nowhere; end$$
do $$begin create temp table made (id int); end$$
do $$begin listen a; end$$
do $$begin end$$
begin; set search_path = nowhere; commit
begin; set search_path = nowhere; rollback
begin; listen a; commit
begin; declare c cursor with hold for select 1; commit
select 1; set a.b = 'c'
select 1; listen a
insert into scratch values (1); listen a
commit; listen a
begin; commit
begin read only; commit
begin isolation level serializable; rollback
prepare p as select 1
deallocate all
close all
checkpoint
refresh materialized view mv_lock
refresh materialized view mv_set
refresh materialized view mv
insert into t_dom_set values (1, 'x')
insert into t_dom_lock values (1, 2)
update t_dom_lock set n = 1
insert into t_has_dom values (1, row(1))
copy t_dom_lock from stdin
select * from t_dom_lock
select * from jsonb_to_record('{"a": 1}') as x(a dom_lock)
select * from json_to_recordset('[]') as x(a dom_lock)
select * from json_table('[1]', '$[*]' columns (a dom_lock path '$')) x
select * from rows from (f_set(), f_lock()) x
select * from lone, lateral f_set()
select * from @SET
select * from @LOCK x
show search_path
select set_config(name, 'nowhere', false) from pg_settings where name = 'search_path'
update pg_settings set setting = 'nowhere' where name = 'search_path'
select * from pg_settings limit 1
insert into lone (id, b) values (1, 'x') on conflict (id) do update set b = @SET
select * from pg_locks
delete from fk_set
create table made as select 1
analyze lone
vacuum lone
savepoint x
explain select 1
select 1; select now()
;
-- nothing
explain analyze create temp table made as select 1
explain create temp table made as select 1
explain analyze declare c cursor with hold for select 1
explain analyze execute p
create index on lone (f_immutable(id))
commit and chain
abort
""")
BELIEVED = "select 1 <!!> 2"
"""The function of an operator is marked IMMUTABLE, and lies: a limit."""
NOT_BELIEVED = ["select f_stable()", "select f_immutable(1)", "select now(), f_immutable(1)"]


def statements() -> list[str]:
    return [
        *(form.format(call) for call in CALLS for form in FORMS),
        *(form.format(view) for view in VIEWS for form in OVER_VIEWS),
        *(form.format(table) for table in TABLES for form in OVER_TABLES),
        *ALONE,
        BELIEVED,
    ]
