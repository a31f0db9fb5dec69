"""The comparison of sets of indexes, on tiny tables: nothing is downloaded."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from galvo import GalvoError
from galvo_bench.index import bank, cli, lanes, sets, shop, tools, tpch
from galvo_bench.index.backend import Backend, Cost, connect
from galvo_bench.index.measure import Comparison
from galvo_bench.index.sets import IndexSet, plain
from galvo_bench.index.union import PREFIX, Union
from galvo_engraving.demo.databases import with_database
from tests.thorough import THOROUGH

pytestmark = pytest.mark.anyio
NONE = IndexSet("none", ())
PEERS = {
    *("Extend", "DB2Advis", "AutoAdmin", "Anytime", "Relaxation"),
    *("index_advisor", "dexter", "postgres-mcp"),
}
QUERIES = {"one": "select * from t where a = 7", "sum": "select sum(b) from t"}


@pytest.fixture
async def connection(dsn: str) -> Any:
    connection = await connect(dsn)
    await connection.execute("create table t as select n as a, n % 100 as b from generate_series(1, 20000) n")
    await connection.execute("vacuum (analyze) t")
    yield connection
    await connection.close()


async def test_a_set_is_measured_with_its_own_indexes_only(connection: asyncpg.Connection) -> None:
    union = Union(connection)
    good, bad = IndexSet("good", ("public.t(a)",)), IndexSet("bad", ("t(b)", "t (b)"))
    await union.build([good, bad])
    backend = Backend(connection)
    assert backend.exact
    none, found, other, again = await Comparison(backend, union, QUERIES, runs=1).run([NONE, good, bad], 1)
    assert found.queries["one"].uses == ["t (a)"]
    assert other.queries["one"].uses == none.queries["one"].uses == again.queries["one"].uses == []
    assert found.queries["one"].cost < none.queries["one"].cost / 10
    assert found.queries["one"].cpu < none.queries["one"].cpu
    assert none.bytes == 0 < found.bytes
    assert other.bytes == union.built["t (b)"].bytes, "the same index twice counts once"


async def test_the_same_plan_is_the_same_time_and_the_noise_is_measured_apart(connection: asyncpg.Connection) -> None:
    union = Union(connection)
    useless = IndexSet("useless", ("t (b)",))
    await union.build([useless])
    none, found, again = await Comparison(Backend(connection), union, QUERIES, runs=1).run([NONE, useless], 2)
    assert found.queries["one"].cpu == none.queries["one"].cpu
    assert again.queries["one"].cpu != none.queries["one"].cpu
    assert again.chosen.name == "none again (A/A)"


async def test_nothing_of_a_run_is_left(connection: asyncpg.Connection) -> None:
    union = Union(connection)
    await union.build([IndexSet("one", ("t (a)",)), IndexSet("other", ("t (b)",))])
    async with union.only(NONE):
        assert await _indexes(connection) == []
    assert len(await _indexes(connection)) == 2, "a set was dropped for good"
    await Union(connection).drop()  # as after a run that was killed
    assert await _indexes(connection) == []


async def test_a_query_that_takes_too_long_is_stopped_once_and_counts_as_the_timeout(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    union = Union(connection)
    queries = {"endless": "select count(*) from t, t u, t v where t.a + u.a + v.a = -1"}
    backend = Backend(connection)
    runs: list[str] = []
    run = backend.run

    async def counted(sql: str, timeout: float) -> Cost:
        runs.append(sql)
        return await run(sql, timeout)

    monkeypatch.setattr(backend, "run", counted)
    none, again = await Comparison(backend, union, queries, runs=3, timeout=0.2).run([NONE], 2)
    assert none.timeouts == again.timeouts == ["endless"]
    assert none.cpu == again.cpu == 0.2
    assert len(runs) == 1
    assert await connection.fetchval("select 1") == 1, "the session is of no use any more"


async def test_other_rows_with_other_indexes_stop_the_run(connection: asyncpg.Connection) -> None:
    await connection.execute("create sequence s")
    queries = {"fickle": "select * from generate_series(1, nextval('s'))"}
    with pytest.raises(GalvoError, match="fickle gives other rows"):
        await Comparison(Backend(connection), Union(connection), queries, runs=2).run([NONE], 1)


async def test_a_database_that_cannot_be_reached() -> None:
    with pytest.raises(GalvoError, match="cannot connect to the database"):
        await connect("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(GalvoError, match="the URL cannot be read"):
        await connect("nonsense://secret")


def test_the_peers_sets_are_of_tables_and_columns_of_tpch() -> None:
    columns = {table: set(_columns(table)) for table in tpch.TABLES}
    kept = sets.kept()
    peers = {one.name.split(",")[0] for one in kept}
    assert peers == PEERS
    for scale, budgets in ((0.1, {25, 50, 100, None}), (1, {250, 500, 1000, None})):
        chosen = sets.select(kept, scale, None)
        assert {one.name.split(",")[0] for one in chosen} == peers
        assert {one.budget for one in chosen} == budgets
        assert max(len(one.name) for one in chosen) <= 24, "too long for the table"
    for one in kept:
        assert one.seconds
        for index in one.indexes:
            table, names = plain(index).rstrip(")").split(" (")
            assert set(names.split(", ")) <= columns[table], index


def test_which_sets_are_compared() -> None:
    own, small, large = IndexSet("own", (), free=True), IndexSet("s", (), 1, budget=5), IndexSet("l", (), 1, budget=9)
    assert sets.select([own, small, large], 1, [9]) == [own, large]
    assert sets.select([own, small, large], 2, None) == [own]
    assert plain('public.t("A",b) include(c)') == 't ("A", b) include (c)'


def test_sets_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "sets.toml").write_text("sets = 3")
    with pytest.raises(GalvoError, match=r"cannot read the sets of indexes in .*sets\.toml"):
        sets.kept(tmp_path / "sets.toml")


def test_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.parser().parse_args(["tpch", "--budgets", "25MB, 1GB,none"]).budgets == [25, 1000, None]
    for wrong in (["--budgets", "0MB"], ["--budgets", "9"], ["--rounds", "0"], ["--scale", "-1"], ["--timeout", "inf"]):
        with pytest.raises(SystemExit):
            cli.parser().parse_args(wrong)
        assert "Traceback" not in capsys.readouterr().err


ROWS = {
    "region": "0,ASIA,calm",
    "nation": "0,CHINA,0,calm",
    "part": "1,nut,mfgr,Brand#11,STEEL,7,BOX,9.50,calm",
    "supplier": "1,one,here,0,11-222,3.25,calm",
    "partsupp": "1,1,5,1.25,calm",
    "customer": '1,one,here,0,11-222,4.75,BUILDING,"calm, really"',
    "orders": "1,1,O,9.50,1995-01-02,1-URGENT,clerk,0,calm",
    "lineitem": "1,1,1,1,2.00,9.50,0.01,0.02,N,O,1995-02-03,1995-02-04,1995-02-05,NONE,AIR,calm",
}
"""A TPC-H of one row a table."""


@pytest.fixture
def downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the generators had been there; what would start them fails."""
    folder = tmp_path / "galvo" / "bench" / "tpch-0.01"
    folder.mkdir(parents=True)
    for table, row in ROWS.items():
        heads = _columns(table)
        (folder / f"{table}.csv").write_text(f"{','.join(heads)}\n{row}\n")
    queries = [[1, "select * from orders where o_custkey = 1;\n"], [2, "select count(*) from lineitem"]]
    (folder.parent / "tpch-queries.json").write_text(json.dumps(queries))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tools, "_installed", None)


SETS = """
sets = [
    { name = "peer", scale = 0.01, budget = 5, seconds = 1.5, indexes = ["orders(o_custkey)"] },
    { name = "other", scale = 0.01, budget = 9, seconds = 1.5, indexes = ["nothing(at_all)"] },
]
"""


def test_the_command(server_dsn: str, tmp_path: Path, downloaded: None, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sets.toml").write_text(SETS)
    words = ["tpch", "--url", server_dsn, "--scale", "0.01", "--budgets", "5MB", "--sets", str(tmp_path / "sets.toml")]
    try:
        assert cli.main([*words, "--rounds", "1", "--runs", "1", "--json"]) == 0
        said = capsys.readouterr()
        [report] = json.loads(said.out)
        rows = {row["name"]: row for row in report["rows"]}
        assert set(rows) == {"none", "none again (A/A)", "peer", "galvo"}
        assert rows["peer"]["facts"]["queries"]["Q1"]["uses"] in ([], ["orders (o_custkey)"])
        assert "loading lineitem" in said.err
        made = with_database(server_dsn, "galvo_bench_tpch_0_01")
        left = f"select count(*) from pg_indexes where indexname like '{PREFIX}%'"
        assert asyncio.run(_ask(made, left)) == 0

        assert cli.main([*words, "--rounds", "1", "--runs", "1"]) == 0
        said = capsys.readouterr()
        assert "loading" not in said.err, "the data was there"
        assert max(map(len, said.out.splitlines())) <= 80
        assert "…" not in said.out

        (tmp_path / "sets.toml").write_text(SETS.replace('(o_custkey)"', '(o_custkey)", "orders(c_custkey)"'))
        assert cli.main(words) == 1
        assert 'galvo: the database says: column "c_custkey" does not exist' in capsys.readouterr().err
        assert asyncio.run(_ask(made, left)) == 0, "of a run that failed"
    finally:
        asyncio.run(_ask(server_dsn, "drop database if exists galvo_bench_tpch_0_01"))


def test_data_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "galvo" / "bench" / "venv").mkdir(parents=True)
    (tmp_path / "galvo" / "bench" / "venv" / "complete").touch()
    program = tmp_path / "galvo" / "bench" / "venv" / "bin" / "tpchgen-cli"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'no space' >&2; exit 3\n")
    program.chmod(0o755)
    with pytest.raises(GalvoError, match="cannot generate TPC-H: no space"):
        tools.generated(0.01)


async def test_the_bank(server_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank, "TRANSFERS", 20)
    monkeypatch.setattr(bank, "MIXES", {"4 reads": 4})
    [report] = [report async for report in bank.measure(server_dsn, argparse.Namespace(scale=0.01, rounds=1))]
    assert [row.name for row in report.rows] == ["without", "with the advice", lanes.AGAIN]
    assert report.rows[0].facts["ratio"] == 1
    assert report.rows[1].facts["seconds"] > 0
    pages = [row.facts["pages"] for row in report.rows]
    assert pages[0] > 20 * 5
    assert abs(pages[2] / pages[0] - 1) < 0.1, "the same work is other pages"
    assert await _databases(server_dsn) == []


@pytest.mark.skipif(not THOROUGH, reason="the claims' test asks for advice on the same shop")
async def test_the_shop(server_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop, "REQUESTS", 100)
    monkeypatch.setattr(shop, "PAGES", 5)
    monkeypatch.setattr(shop, "VARIANTS", {"bare": True})
    reports = [report async for report in shop.measure(server_dsn, argparse.Namespace(scale=0.01, rounds=1))]
    assert [report.title for report in reports] == ["The shop bare: project pages", "The shop bare: all requests"]
    assert [row.name for row in reports[0].rows] == ["without", shop.ADVISED, shop.BY_HAND, lanes.AGAIN]
    assert await _databases(server_dsn) == []


async def _ask(dsn: str, sql: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def _databases(dsn: str) -> list[str]:
    return list(await _ask(dsn, "select array_agg(datname) from pg_database where datname like 'galvo_bench%'") or [])


async def _indexes(connection: asyncpg.Connection) -> list[str]:
    return [row[0] for row in await connection.fetch("select indexname from pg_indexes where tablename = 't'")]


def _columns(table: str) -> list[str]:
    return [line.split()[0] for line in tpch.TABLES[table].replace("(15, 2)", "").split(",")]
