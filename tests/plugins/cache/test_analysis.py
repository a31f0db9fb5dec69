"""Every verdict of the analysis, against the catalog of a real server."""

import pytest

from galvo_cache import allowed
from galvo_cache.analysis import Everything, Read, Refused, Write, analyse
from galvo_cache.catalog import Catalog
from tests.plugins.cache.catalogs import catalog_of, oids

LONG = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
catalog = catalog_of("oracle_schema.sql")

READS = {
    "select 1": "",
    "values (1), (2)": "",
    "table lone": "lone",
    "select * from lone where id = $1": "lone",
    "select id from public.lone": "lone",
    "select lone from lone": "lone",
    "select l.* from lone l order by a desc nulls last limit 5 offset $1": "lone",
    "select count(*), sum(a), avg(a), max(b), string_agg(b, ',' order by b) from lone": "lone",
    "select a, count(*) filter (where b like 'x%') from lone group by grouping sets ((a), ()) having a > 1": "lone",
    "select row_number() over (partition by a order by b), lag(a) over w from lone window w as (order by a)": "lone",
    "select c.name, o.total from customer c join orders o on o.customer_id = c.id": "customer orders",
    "select * from customer left join orders using (id) natural join line": "customer orders line",
    "select * from customer where exists (select from orders where customer_id = customer.id)": "customer orders",
    "select id from customer where id in (select customer_id from orders) and id <> all ($1::int[])": "customer orders",
    "with x as (select * from lone) select * from x union all select * from lone": "lone",
    "with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select * from r": "",
    "with lone as (select 1) select * from lone": "lone",
    "select * from customer c, lateral (select * from orders where customer_id = c.id limit 1) x": "customer orders",
    "select case when a = 1 then 'x' else coalesce(b, 'y') end, nullif(a, 2), greatest(a, 1) from lone": "lone",
    "select array[1, a], row(a, b), (array[1, 2])[1], a between 1 and 2, b ilike 'x', b ~ 'y' from lone": "lone",
    "select lower(b), substring(b from 1 for 2), trim(b), length(b), b || 'x', abs(a) from lone": "lone",
    "select to_char(at, 'YYYY'), date_trunc('day', at), extract(year from at), at + interval '1 day' from lone": "lone",
    "select at::date, lone.at::timestamp from lone where at > '2024-01-01' and at < $1": "lone",
    "select date '2024-01-01', $1::timestamptz, '1'::int, a::text, a::numeric(10, 2) from lone": "lone",
    "select at at time zone 'UTC' from lone": "lone",
    "select age(at, at) from lone": "lone",
    "select json_build_object('a', a), to_jsonb(lone), jsonb_agg(a) from lone group by lone.id": "lone",
    "select '{\"a\": 1}'::jsonb -> 'a' ->> 'b', jsonb_path_query('{}'::jsonb, '$.a')": "",
    "select * from generate_series(1, 10) with ordinality, unnest(array[1, 2]) u": "",
    "select format('%s', b), concat(a, b), concat_ws(',', a, b), array_to_string(array[b], ',') from lone": "lone",
    "select updated_at from (select a as updated_at from lone) x": "lone",
    "select * from lone where b = 'unknown snow, nowhere'": "lone",
    "select * from scratch": "scratch",
    "select * from audited, defaulted, checked": "audited defaulted checked",
    "select m, 'ok'::mood, (p).x from feeling where m = 'sad' and m = any ($1::mood[])": "feeling",
    "select * from with_short": "with_short",
    "select 1 <-+> 2": "",
    "select * from other.customer": "other.customer",
    'select * from "Lone"': "Lone",
    'select * from "select"': "select",
    'select "имя" from "таблица"': "таблица",
    'select "имя" from таблица': "таблица",
    'select * from "a""b.c"': 'a"b.c',
    f"select * from {LONG}lmnop": LONG,
    "SELECT * FROM LONE /* now() */ -- delete from lone": "lone",
    'select "odd Name", today from (select "odd Name", a as today from lone) x': "lone",
    "(select a from lone) except (select id from customer) order by 1": "lone customer",
    "select twice from gen": "gen",
    "select * from v_customer": "customer",
    "select * from mv": "mv",
    "select * from parted": "parted parted_1 parted_2",
    "select * from parted_1": "parted_1",
    "select * from base": "base derived derived_more",
    "select * from only base": "base",
    "select * from only base, base b": "base derived derived_more",
    "select * from derived": "derived derived_more",
    "select * from ruled": "ruled",
    'select distinct on (a) a, b collate "C" from lone order by a, b': "lone",
    "select percentile_cont(0.5) within group (order by a), mode() within group (order by b) from lone": "lone",
}


@pytest.mark.parametrize("sql", READS)
def test_must_be_cached(catalog: Catalog, sql: str) -> None:
    effect = analyse(sql, catalog)
    assert isinstance(effect, Read), effect
    assert effect.tables == oids(catalog, READS[sql])


REFUSED = {
    "select now()": "stable_function",
    "select pg_catalog.now()": "stable_function",
    "select clock_timestamp(), random()": "volatile_function",
    "select current_timestamp": "sql_value_function",
    "select current_user": "sql_value_function",
    "select 'now'::timestamptz": "clock_literal",
    "select * from lone where at > 'ToDay'": "clock_literal",
    "select date 'yesterday', time 'allballs'": "clock_literal",
    "select * from lone where at > E'\\x6eow'": "clock_literal",
    "select tstzrange('[now,)')": "clock_literal",
    "select txt::timestamptz from clocks": "cast",
    "select (txt || '')::date from clocks": "cast",
    "select date(txt) from clocks": "cast",
    "select daterange(txt) from clocks": "cast",
    "select at::date from (select txt as at from clocks) x": "cast",
    "with x as (select b as at from lone) select at::date from x": "cast",
    "select array[txt]::timestamptz[] from clocks": "cast",
    "select b::regclass from lone": "cast",
    "select 'lone'::regclass": "cast",
    "select '12:00'::timetz": "cast",
    "select t::timetz from clocks": "cast",
    "select t at time zone 'Europe/Berlin' from clocks": "stable_function",
    "select make_time(1, 2, 3) at time zone 'Europe/Berlin'": "stable_function",
    "select age(at) from lone": "stable_function",
    "select row(1, 'a')::pair": "cast",
    "select 'x'::short": "cast",
    "select nextval('seq')": "volatile_function",
    "select lastval(), pg_advisory_xact_lock(1)": "volatile_function",
    "select pg_notify('a', 'b')": "volatile_function",
    "select lo_creat(1)": "volatile_function",
    "select current_setting('x.y')": "stable_function",
    "select pg_backend_pid()": "stable_function",
    "select lone.pg_typeof from lone": "stable_function",
    "select to_tsvector(b) from lone": "stable_function",
    "select * from jsonb_to_record('{}') as x(a timestamptz)": "unsupported_node",
    "select xmlparse(content 'x')": "unsupported_node",
    "select json_value('{}', '$')": "unsupported_node",
    "select * from lone for update": "locking",
    "select * from (select * from lone for share) x": "locking",
    "select * from lone tablesample system (10)": "tablesample",
    "select * from customer join (select * from lone tablesample bernoulli (1)) x on true": "tablesample",
    "select ctid from lone": "system_column",
    "select l.xmin, tableoid from lone l": "system_column",
    "select a operator(public.<-+>) 1 from lone": "qualified_operator",
    "select last_value from seq": "sequence",
    "select * from secured": "row_security",
    "select * from zoned": "column_type",
    "select * from shifty": "column_type",
    "select * from shifty2": "column_type",
    "select * from pg_class": "system_catalog",
    "select * from pg_catalog.pg_stat_activity": "system_catalog",
    "select * from information_schema.tables": "system_catalog",
    "select * from pg_temp.x": "temporary_table",
    "select * from missing": "unknown_relation",
    "select 1; select 2": "multiple_statements",
    "": "empty",
    " ; -- nothing": "empty",
    "explain select * from lone": "explain",
    "explain delete from lone": "explain",
    "explain analyze select * from lone": "explain",
    "copy lone to stdout": "copy",
    "copy (select * from lone) to stdout": "copy",
    "declare c cursor for select * from lone": "cursor",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_must_be_refused(catalog: Catalog, sql: str) -> None:
    effect = analyse(sql, catalog)
    assert isinstance(effect, Refused), effect
    assert effect.reason == REFUSED[sql]


CUSTOMER = "customer orders line note favour"
WRITES = {
    "insert into lone values (1)": "lone",
    "insert into lone (id, at) values (1, now()) returning *": "lone",
    "insert into lone select * from lone, clocks where b = current_user": "lone",
    "insert into customer values (1)": "customer",
    "insert into customer values (1) on conflict (id) do nothing": "customer",
    "insert into customer values (1) on conflict (id) do update set name = excluded.name": CUSTOMER,
    "insert into line values (1, nextval('seq'))": "line",
    "update lone set a = default, (b, a) = (select 'x', 1)": "lone",
    "update lone set a = o.id from orders o where o.id = lone.id": "lone",
    "delete from customer": CUSTOMER,
    "update customer set name = 'x'": "customer",
    "update customer set id = 7": "customer orders",
    "update customer set (name, id) = (select 'x', 7)": "customer orders",
    "update orders set id = 7": "orders",
    "delete from orders using customer c where c.id = customer_id": "orders line",
    "delete from line": "line",
    "delete from other.customer": "other.customer",
    "merge into lone l using customer c on l.id = c.id when matched then delete "
    "when not matched then insert (id) values (c.id)": "lone",
    "with d as (delete from line returning *) select * from d": "line",
    "with d as (delete from line returning *), e as (insert into lone select id from d) table customer": "line lone",
    "with customer as (select 1) delete from customer": CUSTOMER,
    "with d as (update lone set a = 1 returning *) insert into scratch select id, b from d": "lone scratch",
    "truncate lone, scratch": "lone scratch",
    "truncate line restart identity": "line",
    "truncate orders cascade": "orders line",
    "truncate customer cascade": f"{CUSTOMER} plainref",
    "explain analyze delete from line": "line",
    "explain (analyze, buffers) insert into lone values (1)": "lone",
    "copy lone from stdin": "lone",
    "copy (delete from line returning id) to stdout": "line",
    "insert into lone values (1); delete from line": "lone line",
    "insert into lone values (1); select 1": "lone",
    "insert into gen default values": "gen",
    "insert into with_short values (1, 'x')": "with_short",
    "insert into feeling values (1, 'ok', row(1, 'a'), array['ok'::mood])": "feeling",
    "delete from secured": "secured",
    "insert into v_customer values (1)": "customer",
    "update v_customer set name = 'x'": "customer orders",
    "delete from v_customer": CUSTOMER,
    "insert into parted values (1, 1)": "parted parted_1 parted_2",
    "update parted set k = 2": "parted parted_1 parted_2",
    "delete from parted_1": "parted_1",
    "truncate parted": "parted parted_1 parted_2",
    "copy parted from stdin": "parted parted_1 parted_2",
    "insert into base values (1)": "base",
    "delete from base": "base derived derived_more",
    "delete from only base": "base derived derived_more",
    "delete from derived": "derived derived_more",
    "refresh materialized view mv": "mv",
    "refresh materialized view concurrently mv": "mv",
}


@pytest.mark.parametrize("sql", WRITES)
def test_writes_exactly(catalog: Catalog, sql: str) -> None:
    effect = analyse(sql, catalog)
    assert isinstance(effect, Write), effect
    assert effect.tables == oids(catalog, WRITES[sql])


EVERYTHING = {
    "insert into lone values " + "(1)," * 200_000 + "(1)": "too_long",
    "-- a\n delete from lone where " + "not " * 5000 + "true;": "too_long",
    "insert into audited values (1)": "triggers",
    "insert into deferred values (1)": "triggers",
    "delete from parent_of_audited": "cascade",
    "truncate parent_of_audited cascade": "cascade",
    "insert into ruled values (1)": "rules",
    "insert into defaulted values (1)": "user_code",
    "insert into with_guarded values (1, 1)": "user_code",
    "insert into checked values (1)": "user_code",
    "delete from missing": "unknown_relation",
    "insert into pg_temp.x values (1)": "unknown_relation",
    "insert into lone select id from missing": "unknown_relation",
    "insert into lone select writer(1)": "user_function",
    "insert into lone select set_config('a.b', 'c', false)": "session_function",
    "insert into lone select 1 <+> 2": "user_operator",
    "with d as (delete from audited returning *) select 1": "triggers",
    "select writer(1)": "user_function",
    "select sly(1)": "user_function",
    "select public.writer(1)": "user_function",
    "select other.nothing(1)": "user_function",
    "select stable_count()": "user_function",
    "select * from writer(1)": "user_function",
    "select lone.of_row from lone": "user_function",
    "select (lone).of_row from lone": "user_function",
    "select id from lone order by writer(id)": "user_function",
    "select 1 <+> 2": "user_operator",
    "select 1 operator(public.<+>) 2": "user_operator",
    "select array(select 1) is null, 1 <+> any (array[1])": "user_operator",
    "select 1::guarded": "user_type",
    "select guarded(1)": "user_type",
    "select '{1}'::guarded[]": "user_type",
    "select * from jsonb_to_record('{}') as x(a guarded)": "user_type",
    "select null::with_guarded": "user_type",
    "select * from with_guarded": "user_code",
    "select * from v_writer": "user_code",
    "select * from v_v_writer": "user_code",
    "select not_a_function(1)": "unknown_function",
    "select 1::not_a_type": "unknown_type",
    "select query_to_xml('delete from lone', true, true, '')": "side_effects",
    "select table_to_xml('lone', true, true, '')": "side_effects",
    "select ts_stat('select 1')": "side_effects",
    "select pg_reload_conf()": "side_effects",
    "do $$begin end$$": "do",
    "call p()": "call",
    "execute x": "execute",
    "fetch all from c": "fetch",
    "declare c cursor with hold for select writer(1)": "user_function",
    "explain analyze select writer(1)": "user_function",
    "refresh materialized view mv_writer": "refresh",
    "refresh materialized view missing": "refresh",
    "insert into v_writer values (1)": "user_code",
    "delete from v_of_audited": "cascade",
    "set constraints all immediate": "set_constraints",
    "prepare transaction 'x'": "two_phase",
    "commit prepared 'x'": "two_phase",
    "rollback prepared 'x'": "two_phase",
    "copy lone from program 'x'": "copy_program",
    "copy audited from stdin": "triggers",
    "begin; delete from lone; commit": "mixed_control",
    "commit; select 1": "mixed_control",
    "set search_path = other; delete from lone": "mixed_control",
}
DDL = {
    "select * into x from lone": "ddl",
    "select * into temp x from lone": "temporary_ddl",
    "create table x as select 1": "ddl",
    "create temp table lone (id int)": "temporary_ddl",
    "create table pg_temp.lone (id int)": "temporary_ddl",
    "create temp view v as select 1": "temporary_ddl",
    "create index on lone (a)": "ddl",
    "create function f() returns int language sql as 'select 1'": "ddl",
    "alter table lone rename to x": "ddl",
    "alter role postgres set timezone = 'UTC'": "ddl",
    "alter system set work_mem = '1MB'": "ddl",
    "drop table lone": "ddl",
    "create or replace view v_customer as select id from customer": "ddl",
    "create materialized view x as select 1": "ddl",
    "alter materialized view mv rename to x": "ddl",
    "alter type mood rename value 'ok' to 'fine'": "ddl",
    "create operator === (leftarg = int, rightarg = int, function = int4eq)": "ddl",
    "create cast (pair as int) with function f(pair)": "ddl",
    "alter policy p on secured using (true)": "ddl",
    "alter table lone enable row level security": "ddl",
    "alter table secured disable trigger all": "ddl",
    "alter database postgres set datestyle = 'ISO'": "ddl",
    "create temp view lone as select 1": "temporary_ddl",
    "drop owned by x": "ddl",
    "grant select on lone to public": "ddl",
    "revoke all on lone from public": "ddl",
    "vacuum full lone": "ddl",
    "analyze": "ddl",
    "cluster": "ddl",
    "reindex table lone": "ddl",
    "comment on table lone is 'x'": "ddl",
    "import foreign schema x from server y into z": "ddl",
    "load 'x'": "ddl",
    "select 1; drop table lone": "ddl",
    "begin; drop table lone": "ddl",
    "update pg_settings set setting = 'x'": "system_catalog",
    "delete from pg_enum where " + "not " * 5000 + "true": "too_long",
    "insert into lone select " + "not " * 5000 + "true; drop table lone": "too_long",
    "inserted " * 5000: "too_long",
    "insert into lone values (1)" + " " * (1 << 22): "too_long",
    "delete from pg_catalog.pg_proc": "system_catalog",
    "selekt": "unparsable",
    "select 1\0; delete from lone": "unparsable",
    "select '\ud800'": "internal",
    "select " + "(" * 1000 + "1": "unparsable",
    "select " + "1+" * 60_000 + "1": "too_long",
    "select $$" + "x" * 200_000 + "$$": "too_long",
    "select " + "é," * 6000 + "1": "too_long",
}


@pytest.mark.parametrize("sql", [*EVERYTHING, *DDL])
def test_invalidates_everything(catalog: Catalog, sql: str) -> None:
    effect = analyse(sql, catalog)
    assert isinstance(effect, Everything), effect
    assert (effect.reason, effect.ddl) == ((EVERYTHING | DDL)[sql], sql in DDL)


def test_deep_but_valid_text_does_not_raise(catalog: Catalog) -> None:
    assert analyse("select " + "1+" * 2000 + "1", catalog) == Read(frozenset(), columns=frozenset())


def test_no_builtin_is_both_harmless_and_unknown_to_the_server(catalog: Catalog) -> None:
    """Names of the stable allow-list must still be non-immutable built-ins, or the list has rotted."""
    known = catalog.stable | catalog.volatile | catalog.immutable
    newer_than_13 = {
        "date_add", "date_subtract", "json_agg_strict", "jsonb_agg_strict", "json_object_agg_strict",
        "json_object_agg_unique", "json_object_agg_unique_strict", "jsonb_object_agg_strict",
        "jsonb_object_agg_unique", "jsonb_object_agg_unique_strict",
    }  # fmt: skip
    assert known >= allowed.STABLE_CALLS - newer_than_13
    assert not allowed.STABLE_CALLS & allowed.HARMLESS_CALLS
    assert not allowed.READ_NODES & allowed.HARMLESS_NODES
