"""What is claimed to leave no trace in its session leaves none: every statement that we have, on a real server.

Not looked at, because asyncpg's own reset does not undo it either: the seed of random(), currval() of sequences,
prepared statements. A function that is marked IMMUTABLE or STABLE and changes its session nevertheless is believed
where the analysis believes it (operators): a limit.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable

import asyncpg
import pytest

from galvo_cache.analysis import Control, Effect, Everything, analyse
from galvo_cache.catalog import CATALOG_SQL, Catalog
from galvo_cache.traces import traceless
from tests.plugins.cache import test_analysis as listed
from tests.plugins.cache import test_analysis_controls as controls
from tests.plugins.cache import test_analysis_oracle as oracle
from tests.plugins.cache.traces import nasty
from tests.plugins.cache.traces.witness import Mode, Seen, Witness

Verdict = Callable[[Effect], bool]
MODES: tuple[Mode, ...] = ("alone", "committed", "rolled back")
USERS = ("postgres", "guest")
"""Row-level security holds for the second one only."""
_SEEN: dict[str, list[tuple[Effect, Seen]]] = {}


def corpus() -> list[str]:
    dice = random.Random(4)
    every: Iterable[Iterable[str]] = (
        listed.READS, listed.REFUSED, listed.WRITES, listed.EVERYTHING, listed.DDL, controls.CONTROL, controls.SETTINGS,
        oracle.READS, (sql.format(n=dice.randrange(99), k=dice.randrange(9)) for sql in oracle.WRITES),
        nasty.statements(),
    )  # fmt: skip
    return list(dict.fromkeys(sql for part in every for sql in part if "from pg_catalog.pg_proc" not in sql))


async def _watch(dsn: str) -> list[tuple[Effect, Seen]]:
    """Every statement in every way; what changes the schema is rolled back, as verdicts are about the catalog read."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("set client_min_messages = error")
    name = await connection.fetchval("select quote_ident(current_database())")
    await connection.execute(f"alter database {name} set statement_timeout = '5s'")
    await connection.execute(f"alter database {name} set client_min_messages = error")
    await connection.execute("do $$begin create role guest login; exception when duplicate_object then null; end$$")
    await connection.execute(oracle.SCHEMA + nasty.SCHEMA)
    catalog = Catalog.load(await connection.fetchval(CATALOG_SQL))
    await connection.execute(nasty.LATE)
    seen = [one for user in USERS for one in await _seen_by(user, dsn, catalog, corpus())]
    await connection.execute(nasty.CAST)
    catalog = Catalog.load(await connection.fetchval(CATALOG_SQL))
    seen += await _seen_by("postgres", dsn, catalog, [sql for sql in corpus() if "::pair" in sql])
    await connection.close()
    return seen


async def _seen_by(user: str, dsn: str, catalog: Catalog, statements: list[str]) -> list[tuple[Effect, Seen]]:
    witness, seen = Witness(dsn, user), []
    for sql in statements:
        effect = analyse(sql, catalog)
        if user == "guest" and not claims(effect):
            continue  # once is enough
        lasting = isinstance(effect, Everything) and effect.ddl and "temp" not in sql
        ways = MODES[-1:] if lasting else MODES if claims(effect) else MODES[1:2]
        seen += [(effect, await witness.sees(sql, mode)) for mode in ways]
    await witness.close()
    return seen


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> list[tuple[Effect, Seen]]:
    if not _SEEN:
        _SEEN["it"] = asyncio.run(_watch(request.getfixturevalue("dsn")))
    return _SEEN["it"]


def claims(effect: Effect) -> bool:
    return traceless(effect, declared=False)


def lies(seen: list[tuple[Effect, Seen]], verdict: Verdict) -> list[str]:
    return [
        f"{one.sql!r} {one.mode} by {one.user}, {effect}: {one.changes}"
        for effect, one in seen
        if one.changes and verdict(effect) and one.sql != nasty.BELIEVED
    ]


@pytest.mark.timeout(300)
def test_what_leaves_no_trace_leaves_none(seen: list[tuple[Effect, Seen]]) -> None:
    wrong = lies(seen, claims)
    assert not wrong, f"{len(wrong)} are wrong\n" + "\n".join(wrong)


def test_there_is_enough_of_both(seen: list[tuple[Effect, Seen]]) -> None:
    claimed = {one.sql for effect, one in seen if claims(effect)}
    ran = {one.sql for effect, one in seen if claims(effect) and not one.error}
    traced = {one.sql for effect, one in seen if not claims(effect)}
    changed = {one.sql for _, one in seen if one.changes}
    kinds = Counter(kind for _, one in seen for kind in one.changes)
    print(f"{len(claimed)} claimed, {len(ran)} of them ran, {len(traced)} not, {len(changed)} change: {dict(kinds)}")
    assert len(claimed) > 400
    assert len(ran) > 350
    assert len(traced) > 400
    assert len(changed) > 200
    assert min(kinds[kind] for kind in ("settings", "custom", "users", "locks", "channels", "cursors", "temporary")) > 0
    assert len(changed) / len(traced) > 0.2, "not everything is called dangerous"


MUTANTS: dict[str, Verdict] = {
    "everything": lambda effect: claims(effect) or isinstance(effect, Everything),
    "session": lambda effect: claims(effect) or (isinstance(effect, Control) and effect.kind == "session"),
    "no setting": lambda effect: claims(effect) or (isinstance(effect, Control) and not effect.settings),
    "settings": lambda effect: claims(effect) or (isinstance(effect, Control) and bool(effect.settings)),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_wrong_verdict_is_seen(seen: list[tuple[Effect, Seen]], mutant: str) -> None:
    assert len(lies(seen, MUTANTS[mutant])) > len(lies(seen, claims))


def test_a_function_that_lies_is_believed_in_an_operator_only(seen: list[tuple[Effect, Seen]]) -> None:
    """The limit, so that it is known."""
    effects = {one.sql: effect for effect, one in seen}
    left = {one.sql for _, one in seen if one.changes}
    assert nasty.BELIEVED in left
    assert claims(effects[nasty.BELIEVED])
    for sql in nasty.NOT_BELIEVED:
        assert sql in left
        assert not claims(effects[sql])
