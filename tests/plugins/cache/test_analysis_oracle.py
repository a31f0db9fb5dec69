"""Differential check: whatever the analysis keeps, the server must still answer the same.

A model cache is filled and invalidated by `analyse` alone. After every statement each live entry is run
again on a second connection. The mutations at the end prove that the check can fail.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from galvo_cache.analysis import Everything, Read, Write, analyse
from galvo_cache.catalog import CATALOG_SQL, Catalog, Declared
from tests.thorough import some, soonest

SCHEMA = Path(__file__).with_name("oracle_schema.sql").read_text()
SEEDS = some(range(96), every=3)
"""Enough of them to find every one of the mutations."""
Mutation = Callable[[dict[str, Any]], object]

TABLES = [
    "customer",
    "orders",
    "line",
    "note",
    "favour",
    "plainref",
    "lone",
    "scratch",
    "gen",
    "audit_log",
    "audited",
    "parent_of_audited",
    "audited_child",
    "deferred",
    "ruled",
    "defaulted",
    "with_guarded",
    "with_short",
    "checked",
    "v_customer",
    "v_writer",
    "v_v_writer",
    "mv",
    "parted",
    "parted_1",
    "parted_2",
    "base",
    "derived",
    "feeling",
    "clocks",
    "zoned",
    "secured",
    "seq",
    "other.customer",
    "other.lone",
    "tmp",
    "fresh",
    *(WIDE := [
        "v_orders", "v_inner", "v_sub", "v_v_sub", "v_clock", "v_today", "v_text", "v_region", "v_base", "mv_v",
        "region", "region_low", "region_high", "region_high_0", "site", "derived_more", "watched", "watch_log",
        "tag", "tagged",
    ]),
]  # fmt: skip
READS = [
    *(f"select * from {table}" for table in TABLES),
    *(f"select count(*) from {table}" for table in TABLES),
    "select * from only base",
    "select * from only derived, only region_high",
    "select count_sites()",
    "select v.name, l.qty from v_orders v join line l on l.order_id = v.id",
    "select * from v_inner where id in (select id from v_base) union all select id, 0 from v_sub",
    "select name, total, qty from customer c join orders o on o.customer_id = c.id join line l on l.order_id = o.id",
    "select customer_id, count(*) from orders group by 1",
    "select name from customer where not exists (select from note where customer_id = customer.id)",
    "with x as (select * from lone) select x.*, note.id from x left join note using (id)",
    "with recursive r(n) as (select min(id) from line union all select n + 1 from r where n < 5) select * from r",
    "select m, count(*) from feeling group by m",
    "select * from feeling where m = 'sad'",
    "select sum(total) over (partition by customer_id order by id) from orders",
    "select at::date, to_char(at, 'YYYY') from lone",
    "select now()",
    "select clock_timestamp(), a from lone",
    "select random(), id from note",
    "select current_timestamp",
    "select txt::timestamptz from clocks where txt = 'now'",
    "select 'now'::timestamptz",
    "select nextval('seq')",
    "select writer(1)",
    "select lone.of_row from lone",
    "select 1 <+> 2",
    "select stable_count()",
    "select txid_current()",
    "select last_value from seq",
    "select relname from pg_class where relname like 'fresh%'",
    "select xmin from customer",
    'select * from jsonb_to_record(\'{"a": "now"}\') as x(a timestamptz)',
    "select gen_random_uuid()",
]
WRITES = [
    "insert into customer values ({n}, 'c{n}', '2001-01-01')",
    "delete from customer where id = {k}",
    "update customer set name = 'u{n}' where id = {k}",
    "update customer set id = {n} where id = {k}",
    "insert into customer values ({k}, 'x') on conflict (id) do update set id = {n}",
    "insert into orders select {n}, min(id), {n} from customer",
    "delete from orders where id = {k}",
    "update orders set id = {n} where id = {k}",
    "insert into line select {n}, min(id), 1 from orders",
    "delete from line where id = {k}",
    "insert into note select {n}, max(id), 'x' from customer",
    "insert into favour select {n}, max(id) from customer",
    "update note set body = 'b{n}'",
    "insert into lone values ({n}, {n}, 'x', now())",
    "update lone set a = a + 1",
    "delete from lone where id = {k}",
    "merge into lone l using customer c on l.id = c.id when matched then update set a = {n} "
    "when not matched then insert (id) values (c.id)",
    "with d as (delete from orders where id = {k} returning *) insert into lone select 1000 + {n}, 1 from d limit 1",
    "with d as (update customer set name = 'w' where id = {k} returning *) select * from d",
    "explain analyze delete from orders where id = {k}",
    "explain delete from lone",
    "select nextval('seq')",
    "truncate line",
    "truncate orders cascade",
    "truncate customer cascade",
    "truncate parent_of_audited cascade",
    "insert into v_customer values ({n}, 'v')",
    "update v_customer set name = 'v{n}'",
    "delete from v_customer where id = {k}",
    "refresh materialized view mv",
    "insert into parted values ({n}, 1 + {n} % 2)",
    "insert into parted_1 values ({n}, 1)",
    "update parted set k = 3 - k",
    "delete from parted_2",
    "insert into base values ({n}, 'x')",
    "insert into derived values ({n}, 'y', 1)",
    "update base set v = 'z{n}'",
    "delete from only base",
    "insert into derived_more values ({n}, 'y', 1)",
    "update derived set extra = extra + 1",
    "refresh materialized view concurrently mv_v",
    "insert into region values ({n}, 'n')",
    "insert into region_high_0 values ({n}, 'n')",
    "update region set v = 'v{n}' where id = {k}",
    "update region set id = {n} where id = {k}",
    "update region_low set v = 'w{n}'",
    "delete from region_low where id = {k}",
    "delete from region where id = 20 + {k}",
    "insert into site select {n}, max(id) from region",
    "insert into v_sub values ({n})",
    "update v_sub set id = {n}",
    "update tag set name = 't{n}' where id = {k}",
    "update tag set id = {n} where id = {k}",
    "insert into plainref select {n}, max(id) from customer",
    "delete from v_base where id = 1",
    "update v_inner set k = 3 - k",
    "copy (insert into watched values ({n}, 'c') returning id) to stdout",
    "insert into watched values ({n}, 'x')",
    "update watched set v = 'y{n}'",
    "delete from watched where id = {k}",
    "select count_sites()",
    "insert into audited values ({n}, 'x')",
    "delete from audited",
    "insert into deferred values ({n})",
    "insert into parent_of_audited values ({n})",
    "insert into audited_child select {n}, max(id) from parent_of_audited",
    "delete from parent_of_audited",
    "insert into ruled values ({n}, 'x')",
    "insert into defaulted (id) values ({n})",
    "insert into with_guarded values ({n}, 1)",
    "insert into checked values ({n})",
    "insert into gen (id) values ({n})",
    "select * from v_writer",
    "select * from v_v_writer",
    "select writer({n})",
    "select lone.of_row from lone limit 1",
    "select 3 <+> 4",
    "select 1::guarded",
    "do $$begin delete from note; end$$",
    "insert into feeling values ({n}, 'sad', (1, 'x'), '{{}}')",
    "insert into secured values ({n}, current_user)",
    "insert into clocks values ({n}, '12:00', 'now')",
    "insert into other.customer values ({n}, 'o')",
    "delete from other.customer",
    "insert into other.lone values ({n})",
    "insert into scratch values ({n}, 'x'); delete from lone where id = {k}",
    "begin; delete from note where id = {k}; commit",
    "insert into fresh values ({n})",
    "insert into tmp values ({n})",
    "insert into lone values ({k}, 1)",
    "alter table lone add column c{n} int default 7",
    "alter table lone alter column a type bigint",
    "create table if not exists fresh (id int)",
    "drop table if exists fresh",
    "create temp table if not exists tmp (id int)",
    "alter type mood rename value 'sad' to 'm{n}'",
    "alter type mood add value 'sad'",
    "create or replace view v_customer as select id, name from customer",
    "alter table note rename to note2; create table note (id int primary key, customer_id int, body text)",
    "drop table note; alter table note2 rename to note",
    "vacuum full lone",
    "create index on lone (a)",
    "set search_path = public",
    "drop trigger if exists late on lone",
    "create trigger late after insert or update on lone for each row execute function audit()",
]


REFILL = [
    "insert into customer select g, 'c' from generate_series(1, 20) g on conflict do nothing",
    "insert into orders select g, g, g from generate_series(1, 20) g on conflict do nothing",
    "insert into line select g, g, g from generate_series(1, 20) g on conflict do nothing",
    "insert into note select g, g, 'n' from generate_series(1, 20) g on conflict do nothing",
    "insert into favour select g, g from generate_series(1, 20) g on conflict do nothing",
    "insert into parent_of_audited select g from generate_series(1, 4) g on conflict do nothing",
    "insert into audited_child select g, g from generate_series(1, 4) g on conflict do nothing",
]
# what triggers, rules, functions and cascades write
FOCUS = [
    "select * from audit_log",
    "select * from line",
    "select * from note",
    "select * from watch_log",
    "select * from tagged",
    "select * from v_region",
]
DECLARED = Declared(effects={"watch": ("watch_log",)}, reads={"count_sites": ("site",)})
LOUD = WRITES.index("insert into audited values ({n}, 'x')")


def _write(dice: random.Random, **numbers: int) -> str:
    # most statements must be ones with a known reach, or there is never anything left to be stale
    quiet = dice.random() < 0.6
    return dice.choice(WRITES[:LOUD] if quiet else WRITES).format(**numbers)


class Model:
    """A cache that knows only what `analyse` says."""

    def __init__(self, writer: asyncpg.Connection, checker: asyncpg.Connection, mutate: Mutation | None) -> None:
        self.writer, self.checker, self.mutate = writer, checker, mutate
        self.entries: dict[str, tuple[str, frozenset[int]]] = {}
        self.checks = 0
        self.stored = 0
        self.reloads = 0
        self.failed = 0
        self.ran = 0
        self.stale: list[str] = []
        self.catalog: Catalog

    async def reload(self) -> None:
        answer = await self.checker.fetchval(CATALOG_SQL)
        self.reloads += 1
        if self.mutate is None:
            self.catalog = Catalog.load(answer, DECLARED)
        else:
            facts = json.loads(answer)
            self.mutate(facts)
            self.catalog = Catalog(facts, "mutated", DECLARED)

    async def ask(self, connection: asyncpg.Connection, sql: str) -> str:
        try:
            return repr(sorted(map(repr, await connection.fetch(sql))))
        except asyncpg.PostgresError as error:
            return type(error).__name__

    async def read(self, sql: str) -> None:
        effect = analyse(sql, self.catalog)
        if isinstance(effect, Read):
            self.entries[sql] = (await self.ask(self.checker, sql), effect.tables)
            self.stored += 1

    async def write(self, statements: list[str], commit: bool) -> None:
        """Run statements, several in one transaction; invalidate when it has ended."""
        effects = [analyse(sql, self.catalog) for sql in statements]
        try:
            if len(statements) > 1:
                await self.writer.execute("begin")
            for sql in statements:
                self.ran += 1
                await self.writer.execute(sql)
            if len(statements) > 1:
                await self.writer.execute("commit" if commit else "rollback")
        except asyncpg.PostgresError:
            self.failed += 1
            await self.writer.execute("rollback")
        for effect in effects:
            if isinstance(effect, Everything):
                self.entries.clear()
                if effect.ddl:
                    await self.reload()
            elif isinstance(effect, Write):
                self.entries = {s: e for s, e in self.entries.items() if not e[1] & effect.tables}

    async def check(self, after: object) -> None:
        for sql, (kept, _) in list(self.entries.items()):
            self.checks += 1
            if await self.ask(self.checker, sql) != kept:
                self.stale.append(f"{sql!r} after {after!r}")
                del self.entries[sql]


async def _run(dsn: str, seeds: Iterable[int], mutate: Mutation | None = None) -> Model:
    writer, checker = await asyncpg.connect(dsn), await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        # a NOTICE of "already exists" is not worth a line
        await writer.execute("set client_min_messages = error")
        await writer.execute(SCHEMA)
        model = Model(writer, checker, mutate)
        await model.reload()
        for seed in seeds:
            dice = random.Random(seed)
            await model.write(REFILL, commit=True)
            for sql in dice.sample(READS, 30):
                await model.read(sql)
            for step in range(6):
                numbers = {"n": 100 + seed * 10 + step, "k": dice.randrange(1, 21)}
                count = dice.choice((1, 1, 1, 3))
                batch = [_write(dice, **numbers) for _ in range(count)]
                await model.write(batch, commit=dice.random() < 0.7)
                await model.check(batch)
                if mutate and model.stale:
                    return model
                for sql in [*FOCUS, *dice.sample(READS, 8)]:
                    await model.read(sql)
        return model
    finally:
        await writer.close()
        await checker.close()


@pytest.mark.timeout(300)
def test_nothing_kept_is_ever_stale(dsn: str) -> None:
    model = asyncio.run(_run(dsn, SEEDS))
    assert not model.stale
    # a cache that keeps nothing is never stale: this one must have kept, and been checked
    assert model.stored > 32 * len(SEEDS)
    assert model.checks > 42 * len(SEEDS)


def _column(facts: dict[str, Any], position: int, value: object) -> None:
    for relation in facts["relations"]:
        relation[position] = value


def _heirs_of(facts: dict[str, Any], kind: str) -> None:
    kinds = {relation[0]: relation[3] for relation in facts["relations"]}
    facts["inherits"] = [pair for pair in facts["inherits"] if kinds[pair[0]] != kind]


def _trees(facts: dict[str, Any], change: Callable[[list[Any]], object]) -> None:
    for tree in facts["trees"]:
        change(tree)


def _keys(facts: dict[str, Any], position: int, value: object) -> None:
    for key in facts["keys"]:
        key[position] = value


def _trust(facts: dict[str, Any]) -> None:
    facts["immutable"] += [*facts["stable"], *facts["volatile"]]


def _tables(facts: dict[str, Any], kind: str) -> None:
    for relation in facts["relations"]:
        if relation[3] == kind:
            relation[3] = "r"


MUTATIONS: dict[str, Mutation] = {
    "no foreign keys": lambda f: f.update(keys=[]),
    "one level of cascade": lambda f: f.update(keys=[key for key in f["keys"] if key[0] == f["keys"][0][0]]),
    "no cascade of a delete": lambda f: _keys(f, 2, "a"),
    "no cascade of an update": lambda f: _keys(f, 3, "a"),
    "nobody refers to the columns that are set": lambda f: _keys(f, 5, []),
    "no triggers": lambda f: _column(f, 5, None),
    "no user code in defaults, checks, views": lambda f: _column(f, 6, None),
    "no rules": lambda f: _column(f, 10, False),
    "no inheritance": lambda f: _heirs_of(f, "r"),
    "no partitions": lambda f: _heirs_of(f, "p"),
    "views are tables": lambda f: _tables(f, "v"),
    "views read nothing": lambda f: _trees(f, lambda tree: tree[3].pop("relid", None)),
    "views call nothing": lambda f: _trees(f, lambda tree: tree.__setitem__(slice(4, 6), [[], []])),
    "views contain no strange nodes": lambda f: _trees(f, lambda tree: tree.__setitem__(2, ["QUERY"])),
    "sequences are tables": lambda f: _tables(f, "S"),
    "every built-in is immutable": _trust,
    "user functions are immutable": lambda f: f["immutable"].extend(
        [name for name, *_ in f.pop("functions")] * (not f.update(functions=[]))
    ),
    "user operators are immutable": lambda f: f.update(operators=[]),
    "no attribute notation": lambda f: f.update(functions=[[n, loud, False, s] for n, loud, _, s in f["functions"]]),
    "domains are quiet": lambda f: [row.__setitem__(5, False) for row in f["types"]],
}


SOON = {
    "no foreign keys": 1, "nobody refers to the columns that are set": 12, "no inheritance": 11,
    "views call nothing": 2, "user functions are immutable": 2,
}  # fmt: skip
"""Seeds that find what the first ones do not."""


@pytest.mark.parametrize("name", some(MUTATIONS))
def test_the_check_finds_a_broken_rule(dsn: str, name: str) -> None:
    mutate = MUTATIONS[name]
    assert asyncio.run(_run(dsn, soonest(SEEDS, SOON.get(name, SEEDS[0])), mutate)).stale


async def _forget_ddl(dsn: str) -> Model:
    model_reload = Model.reload
    calls = 0

    async def once(self: Model) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await model_reload(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "reload", once)
        return await _run(dsn, SEEDS, lambda _: None)


def test_the_check_finds_a_catalog_that_is_not_renewed(dsn: str) -> None:
    assert asyncio.run(_forget_ddl(dsn)).stale
