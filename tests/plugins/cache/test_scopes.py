"""What reading a view, a partitioned table, an heir or a secured table depends on, on a real server."""

import asyncio
from pathlib import Path

import asyncpg

from galvo_cache.analysis import Effect, Everything, Read, Refused, Write, analyse
from galvo_cache.catalog import CATALOG_SQL, Catalog, Declared

SCHEMA = Path(__file__).with_name("oracle_schema.sql").read_text()

VIEWS = {
    "select id, name from customer": "customer",
    "select * from v_customer": "customer",
    "select v.id, o.total from v_customer v join orders o on o.customer_id = v.id": "customer orders",
    "select 1 as one": "",
    "values (1, 'a')": "",
    "select * from parted": "parted parted_1 parted_2",
    "select * from only base": "base derived derived_more",
    "select * from mv": "mv",
    "select * from mv_writer": "mv_writer",
    "select * from lone where exists (select from customer where id = lone.id)": "lone customer",
    "with recursive r(n) as (select min(id) from line union all select n + 1 from r where n < 5) table r": "line",
    "select a, count(distinct b), sum(id) filter (where a > 1) from lone group by rollup (a) order by a": "lone",
    "select lag(a) over w, rank() over w from lone window w as (partition by b order by a desc)": "lone",
    "select case when a = 1 then b else coalesce(b, 'y') end c, greatest(a, 1) g, nullif(a, 2) n, a in (1, 2) i, "
    'array[a, 1] r, (array[1, 2])[1] x, b collate "C" k, a::text t, array[a]::text[] tt, b::varchar(3) v '
    "from lone": "lone",
    "select to_char(at, 'YYYY'), date_trunc('day', at), at::date d, at + interval '1 day' p, "
    "at > '2024-01-01' c, at at time zone 'UTC' z, concat(a, b), b || a j, lower(b) from lone": "lone",
    "select * from lone union (select * from lone except select * from lone where a = 1)": "lone",
    "select m, (p).x, 'ok'::mood k, m::text t from feeling where m = 'sad'": "feeling",
    "select g, u from generate_series(1, 3) g, unnest(array[1, 2]) u": "",
    "select date 'today' as frozen_when_created": "",
    "select 1 <-+> 2 as operator_of_the_user": "user_code",
    "select * from ruled": "ruled",
    "select current_user": "view: sql_value_function",
    "select * from lone where at < current_date": "view: sql_value_function",
    "select now()": "view: stable_function",
    "select a, clock_timestamp() from lone": "view: volatile_function",
    "select 'now'::text::timestamptz": "view: cast",
    "select txt::timestamptz from clocks": "view: cast",
    "select txt::date from clocks": "view: cast",
    "select array[txt]::timestamptz[] from clocks": "view: cast",
    "select b::regclass::text from lone": "view: stable_function",
    "select id::regclass::text from lone": "view: column_type",
    "select row(a, b)::pair p from lone": "lone",
    "select to_tsvector(b) from lone": "view: stable_function",
    "select current_setting('a.b', true)": "view: stable_function",
    "select ctid from lone": "view: system_column",
    "select tableoid::int from base": "view: system_column",
    "select * from lone tablesample system (10)": "view: tablesample",
    "select * from lone for update": "view: locking",
    "select relname from pg_class": "view: system_catalog",
    "select table_name::text from information_schema.tables": "view: system_catalog",
    "select last_value from seq": "view: sequence",
    "select * from secured": "view: row_security",
    "select t at time zone 'Europe/Berlin' > '12:00' from clocks": "view: column_type",
    "select extract(hour from t at time zone 'Europe/Berlin') from clocks": "view: stable_function",
    "select to_regclass(b) is null from lone": "view: stable_function",
    "select json_object('a': a) from lone": "view: unsupported_node",
}


async def _connect(dsn: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(dsn)
    await connection.execute(SCHEMA)
    return connection


async def _load(connection: asyncpg.Connection, declared: Declared | None = None) -> Catalog:
    return Catalog.load(await connection.fetchval(CATALOG_SQL), declared)


def _oids(catalog: Catalog, names: str) -> frozenset[int]:
    found = [
        catalog.resolve(*name.split(".")) if "." in name else catalog.resolve(None, name) for name in names.split()
    ]
    assert None not in found, names
    return frozenset(relation.oid for relation in found if relation is not None)


def _analyse(
    dsn: str, statements: dict[str, str], ddl: str = "", declared: Declared | None = None
) -> dict[str, Effect]:
    """Run `ddl`, then say what each statement does; `statements` become OIDs through the same catalog."""
    return asyncio.run(_gather(dsn, statements, ddl, declared))


async def _gather(dsn: str, statements: dict[str, str], ddl: str, declared: Declared | None) -> dict[str, Effect]:
    connection = await _connect(dsn)
    try:
        await connection.execute(ddl)
        catalog = await _load(connection, declared)
        for sql, expected in statements.items():
            effect = analyse(sql, catalog)
            kind, _, names = expected.partition(" ")
            if kind in ("read", "write"):
                assert isinstance(effect, Read if kind == "read" else Write), (sql, effect)
                assert effect.tables == _oids(catalog, names), sql
            else:
                assert isinstance(effect, Refused | Everything), (sql, effect)
                assert effect.reason == expected, (sql, effect)
        return {sql: analyse(sql, catalog) for sql in statements}
    finally:
        await connection.close()


def test_every_view_depends_on_what_its_stored_query_reads(dsn: str) -> None:
    ddl = "".join(f"create view w{number} as {sql};" for number, sql in enumerate(VIEWS))
    nested = "".join(f"create view n{number} as select * from w{number};" for number in range(len(VIEWS)))
    expected = [names if names.startswith(("view:", "user")) else f"read {names}" for names in VIEWS.values()]
    statements = {f"select * from w{number}": what for number, what in enumerate(expected)}
    statements |= {f"select * from n{number}": what for number, what in enumerate(expected)}
    _analyse(dsn, statements, ddl + nested)


def test_views_do_not_depend_on_the_search_path(dsn: str) -> None:
    async def work() -> None:
        connection = await _connect(dsn)
        try:
            await connection.execute("create view which as select * from customer")
            await connection.execute("set search_path = other, public")
            catalog = await _load(connection)
            effect = analyse("select * from which", catalog)
            assert isinstance(effect, Read)
            assert effect.tables == _oids(catalog, "public.customer")
            assert analyse("select * from customer", catalog) == analyse("select * from other.customer", catalog)
        finally:
            await connection.close()

    asyncio.run(work())


def test_one_snapshot_serves_every_search_path(dsn: str) -> None:
    async def work() -> None:
        connection = await _connect(dsn)
        try:
            catalog = await _load(connection)
            for path in ("other, public", "public, other", "other", "public", "missing"):
                await connection.execute(f"set search_path = {path}")
                seen = tuple(await connection.fetchval("select current_schemas(true)"))
                under, loaded = catalog.under(seen), await _load(connection)
                for name in ("customer", "lone", "line", "v_customer", "pg_class", "parted"):
                    for sql in (f"select * from {name}", f"delete from {name}"):
                        assert analyse(sql, under) == analyse(sql, loaded), (path, sql)
            assert analyse("select * from lone", catalog) == analyse("select * from public.lone", catalog)
            # a session with temporary tables of its own may mean one of those
            strange = catalog.under(("pg_temp_77", "pg_catalog", "public"))
            assert analyse("select * from lone", strange) == Refused("unknown_relation", "lone")
            assert isinstance(analyse("delete from lone", strange), Everything)
            assert isinstance(analyse("select * from public.lone", strange), Read)
        finally:
            await connection.close()

    asyncio.run(work())


PARTITIONS = """
create table tree (id int, k int, primary key (id, k)) partition by list (k);
create table tree_a partition of tree for values in (1, 2) partition by list (id);
create table tree_a1 partition of tree_a for values in (1);
create table tree_b partition of tree default;
create table leaf_child (id int, k int, body text, foreign key (id, k) references tree on delete cascade);
create table plain_parent (id int primary key);
create table split_child (id int, p int references plain_parent on delete cascade on update set null)
  partition by hash (id);
create table split_child_0 partition of split_child for values with (modulus 1, remainder 0);
create table grand (id int primary key);
create table middle () inherits (grand);
create table low (extra int) inherits (middle);
create view v_tree as select * from tree where k > 0;
create table noisy_tree (id int, k int) partition by list (k);
create table noisy_leaf partition of noisy_tree for values in (1);
create trigger t after insert on noisy_leaf for each row execute function audit();
create table loud_tree (id int, k int) partition by list (k);
create table loud_leaf partition of loud_tree for values in (1);
create trigger t after insert on loud_tree for each row execute function audit();
create rule r as on delete to tree_b do also insert into audit_log (what) values ('rule');
"""
TREE = "tree tree_a tree_a1 tree_b"
FAMILY = {
    "select * from tree": f"read {TREE}",
    "select * from only tree": "read tree",
    "select * from tree_a": "read tree_a tree_a1",
    "select * from tree_a1": "read tree_a1",
    "select * from v_tree": f"read {TREE}",
    "select * from grand": "read grand middle low",
    "select * from middle": "read middle low",
    "select * from low": "read low",
    "insert into tree_a values (1, 1)": "write tree_a tree_a1",
    "insert into tree_a1 values (1, 1)": "write tree_a1",
    "update tree_a set k = 2": "write tree_a tree_a1 leaf_child",
    "delete from tree_a1": "write tree_a1 leaf_child",
    "update tree_a1 set id = 1": "write tree_a1",
    "insert into tree values (1, 1)": "cascade",
    "delete from tree": "cascade",
    "delete from v_tree": "cascade",
    "delete from tree_b": "rules",
    "insert into leaf_child values (1, 1)": "write leaf_child",
    "delete from plain_parent": "write plain_parent split_child split_child_0",
    "update plain_parent set id = 2": "write plain_parent split_child split_child_0",
    "truncate plain_parent cascade": "write plain_parent split_child split_child_0",
    "delete from grand": "write grand middle low",
    "insert into grand values (1)": "write grand",
    "update middle set id = 1": "write middle low",
    "truncate grand": "write grand middle low",
    "insert into noisy_tree values (1, 1)": "cascade",
    "insert into noisy_leaf values (1, 1)": "triggers",
    "insert into loud_leaf values (1, 1)": "triggers",
    "insert into loud_tree values (1, 1)": "triggers",
    "alter table tree detach partition tree_a": "ddl",
    "alter table tree attach partition tree_a for values in (1)": "ddl",
    "create table tree_c partition of tree for values in (9)": "ddl",
    "create index concurrently on lone (a)": "ddl",
    "alter role postgres set search_path = x": "ddl",
    "alter database postgres set timezone = 'UTC'": "ddl",
    "commit prepared 'x'": "two_phase",
}


def test_partitions_and_heirs(dsn: str) -> None:
    _analyse(dsn, FAMILY, PARTITIONS)


def test_foreign_tables_anywhere_are_refused(dsn: str) -> None:
    ddl = """
        create foreign data wrapper w; create server s foreign data wrapper w;
        create foreign table far (id int, k int) server s;
        create table near (id int, k int) partition by list (k);
        create foreign table near_far partition of near for values in (1) server s;
        create view v_far as select * from far;
        create materialized view m_far as select * from far with no data;
    """
    _analyse(
        dsn,
        {
            "select * from far": "foreign_table",
            "select * from near": "foreign_table",
            "select * from v_far": "view: foreign_table",
            "select * from lone where id in (select id from v_far)": "view: foreign_table",
            "delete from far": "foreign_table",
            "insert into near values (1, 1)": "cascade",
            "refresh materialized view m_far": "refresh",
        },
        ddl,
    )


UPDATABLE = """
create view twice as select id, name from v_customer;
create view other_one as select id from lone where id in (select customer_id from orders);
create view redirected as select * from lone;
create function instead() returns trigger language plpgsql as
  $$begin insert into audit_log (what) values ('instead'); return new; end$$;
create trigger i instead of insert on redirected for each row execute function instead();
create view with_rule as select * from lone;
create rule r as on delete to with_rule do instead delete from note;
create view barrier with (security_barrier, check_option = cascaded) as select id from lone where a > 0;
create view filled as select id, v from defaulted;
"""


def test_writes_through_views_reach_the_tables_below(dsn: str) -> None:
    customer = "customer orders line note favour"
    _analyse(
        dsn,
        {
            "delete from twice": f"write {customer}",
            "insert into twice values (1, 'x')": "write customer",
            "delete from other_one": "write lone orders line",
            "update barrier set id = 1": "write lone",
            "insert into redirected values (1)": "triggers",
            "delete from with_rule": "rules",
            "insert into filled values (1, 1)": "cascade",
            "select * from redirected": "read lone",
            "select * from with_rule": "read lone",
            "select * from filled": "read defaulted",
        },
        UPDATABLE,
    )


def test_no_row_is_picked_from_a_table_that_a_view_reads_too(dsn: str) -> None:
    sql = {
        "select * from lone where id = 1": "read lone",
        "select * from lone, other_one o where lone.id = 1": "read lone orders",
        "select *, declared_count() from lone where id = 1": "read lone",
    }
    ddl = (
        UPDATABLE + "create function declared_count() returns bigint stable language sql as 'select count(*) from lone'"
    )
    found = _analyse(dsn, sql, ddl, Declared(reads={"declared_count": ("lone",)}))
    alone, with_view, with_function = found.values()
    assert isinstance(alone, Read)
    assert isinstance(with_view, Read)
    assert isinstance(with_function, Read)
    assert alone.slices
    assert not with_view.slices
    assert not with_function.slices
