"""`galvo pool`: who is connected, and what to change; each sentence where it fits, and not where it does not."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from galvo_pool.advice import rules
from galvo_pool.advice.facts import Facts, Session, look, value
from galvo_pool.advice.rules import advise, seconds, size
from galvo_pool.cli import shown
from tests import forking

GB = 1024**3


def galvo(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return forking.galvo("pool", *arguments, folder=folder, **environment)


async def beside(dsn: str, folder: Path, *arguments: str) -> str:
    """Its output, while sessions of this process go on."""
    done = await asyncio.to_thread(galvo, folder, *arguments, GALVO_POOL__URL=dsn)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
async def connect(dsn: str) -> AsyncIterator[Callable[..., Awaitable[asyncpg.Connection]]]:
    opened = []

    async def one(name: str) -> asyncpg.Connection:
        opened.append(made := await asyncpg.connect(dsn, server_settings={"application_name": name}))
        return made

    yield one
    for connection in opened:
        connection.terminate()


# -- the command --------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_it_fits_eighty_columns_and_names_everybody(dsn: str, tmp_path: Path, connect: Any) -> None:
    long = "an application whose name is longer than its column is"
    for name in ("shop galvo/1f00ba47", "shop galvo/1f00ba48", "", long):
        await connect(name)
    text = await beside(dsn, tmp_path)
    lines = text.splitlines()
    assert all(len(line) <= 80 for line in lines), text
    assert lines[0].split() == ["application", "sessions", "active", "in", "transaction", "idle", "longest"]
    rows = {line[:33].strip(): line[33:].split() for line in lines[1:]}
    assert rows["shop"][:3] == ["2", "0", "0"], "processes that share are one application"
    assert rows["(no name)"][0] == "1"
    assert rows[long[:33].strip()][0] == "1"
    assert "galvo" not in rows, "itself does not count"
    assert any("(max_connections)" in line for line in lines)


@pytest.mark.anyio
async def test_json_has_the_same(dsn: str, tmp_path: Path, connect: Any) -> None:
    await connect("shop")
    told = json.loads(await beside(dsn, tmp_path, "--json"))
    assert {"settings", "sessions", "cores", "memory", "local", "pools", "advice"} == told.keys()
    assert [one["application"] for one in told["sessions"]].count("shop") == 1
    assert told["settings"]["shared_buffers"] > 1024**2
    assert told["pools"]["min_size"] == 2
    assert told["local"] is True
    facts = Facts(**{
        **{key: item for key, item in told.items() if key != "advice"},
        "sessions": [Session(**one) for one in told["sessions"]],
    })  # fmt: skip
    assert told["advice"] == [*advise(facts)]
    assert any(sentence.startswith("fsync is off") for sentence in told["advice"]), "the tests' server runs so"


@pytest.mark.anyio
async def test_who_holds_a_lock_and_who_forgot_a_transaction(
    dsn: str, tmp_path: Path, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, waiter, other = await connect("holder"), await connect("waiter"), await connect("forgetful")
    await holder.execute("create table t(id int); insert into t values (1)")
    await holder.execute("begin; update t set id = 2")
    await other.execute("begin; select 1")
    blocked = asyncio.create_task(waiter.execute("update t set id = 3"))
    while not await other.fetchval("select count(*) from pg_locks where not granted"):
        assert not blocked.done()
    text = " ".join((await beside(dsn, tmp_path)).split())
    pid = holder.get_server_pid()
    assert f"holder (pid {pid}) holds a lock that 1 session wait for, idle in transaction for" in text
    assert f"pg_terminate_backend({pid}) frees it" in text
    assert "forgetful" in text
    monkeypatch.setattr(rules, "LONG_TRANSACTION", 0.0)
    said = [*advise(await look(other))]
    assert not [line for line in said if "forgetful" in line], "whoever looks is left out"
    watcher = await connect("watcher")
    said = [*advise(await look(watcher))]
    (line,) = [line for line in said if "forgetful" in line]
    assert line.startswith(f"forgetful (pid {other.get_server_pid()}) has been idle in a transaction for ")
    await holder.execute("rollback")
    await blocked


@pytest.mark.parametrize(
    "url, parts",
    [
        ("postgresql://me:s3cret@127.0.0.1:1/shop", ["nothing listens at 127.0.0.1:1/shop", "GALVO_POOL__URL"]),
        ("mysql://me:s3cret@host/db", ["must look like postgresql://"]),
        ("postgresql://me:s3cret@/shop?host=/nowhere", ["no server socket at /nowhere/shop"]),
    ],
)
def test_a_url_that_leads_nowhere(tmp_path: Path, url: str, parts: list[str]) -> None:
    for arguments in ((), ("--json",)):
        done = galvo(tmp_path, *arguments, GALVO_POOL__URL=url)
        assert done.returncode == 1
        assert done.stdout == ""
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert "s3cret" not in done.stderr
        for part in parts:
            assert part in done.stderr


def test_a_database_that_is_not_there(dsn: str, tmp_path: Path) -> None:
    done = galvo(tmp_path, GALVO_POOL__URL=dsn.replace("/test_", "/nothing_").replace("postgres@", "postgres:s3cret@"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "has no such database" in done.stderr
    assert "s3cret" not in done.stderr


def test_wrong_usage_and_a_pool_that_is_off(dsn: str, tmp_path: Path) -> None:
    done = galvo(tmp_path, "--nothing", GALVO_POOL__URL=dsn)
    assert done.returncode == 2
    assert "--nothing" in done.stderr
    done = galvo(tmp_path, GALVO_POOL__URL=dsn, GALVO_POOL__ON="false")
    assert done.returncode == 1
    assert "set `on = true` under [pool]" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    done = galvo(tmp_path, GALVO_POOL__URL=dsn, GALVO_POOL__MAX_SIZE="many")
    assert done.returncode == 1
    assert "max_size" in done.stderr
    assert "Traceback" not in done.stderr
    assert galvo(tmp_path, "--help").returncode == 0


@pytest.mark.anyio
async def test_a_user_without_privileges(dsn: str, tmp_path: Path, connect: Any) -> None:
    """It sees others, and not what they do."""
    admin = await connect("admin")
    name = f"clerk_{await admin.fetchval('select current_database()')}"
    await admin.execute(f"create role {name} login")
    text = await beside(dsn.replace("postgres@", f"{name}@"), tmp_path)
    assert text.splitlines()[0].startswith("application")
    await admin.execute(f"drop role {name}")


# -- the rules ----------------------------------------------------------------------------------------

GOOD = Facts(
    settings={
        "autovacuum": "on", "fsync": "on", "full_page_writes": "on", "idle_in_transaction_session_timeout": 300.0,
        "max_connections": 100.0, "superuser_reserved_connections": 3.0, "reserved_connections": 0.0,
        "max_wal_size": 4.0 * GB, "shared_buffers": 8.0 * GB, "effective_cache_size": 16.0 * GB,
        "work_mem": 4.0 * 1024**2,
    },
    cores=8, memory=32 * GB, local=True, pools={"min_size": 2, "max_size": 17},
)  # fmt: skip


def session(application: str = "shop", **changes: Any) -> Session:
    return replace(Session(application, 7, "idle", 1.0, 0.0, 0), **changes)


def with_settings(**settings: float | str) -> Facts:
    return replace(GOOD, settings={**GOOD.settings, **settings})


def test_nothing_is_said_of_what_fits() -> None:
    assert [*advise(GOOD)] == []
    assert [*advise(Facts(settings={}))] == [], "what is not known is not judged"
    assert [*advise(replace(GOOD, sessions=[session(state="", application="hidden")] * 9))] == []


SAID = {
    "lock": (
        replace(GOOD, sessions=[session(blocks=2, state="active", since=90.0)]),
        "shop (pid 7) holds a lock that 2 sessions wait for, active for 2 min: pg_terminate_backend(7) frees it",
    ),
    "forgotten": (
        replace(GOOD, sessions=[session(state="idle in transaction", since=7200.0, transaction=7300.0)]),
        "shop (pid 7) has been idle in a transaction for 2 h: vacuum cannot remove what died since; end it, or set "
        "idle_in_transaction_session_timeout",
    ),
    "forgotten and failed": (
        replace(GOOD, sessions=[session(state="idle in transaction (aborted)", since=61.0, transaction=61.0)]),
        "shop (pid 7) has been idle in a transaction for 1 min",
    ),
    "full": (
        replace(GOOD, sessions=[session()] * 83),
        "84 of 97 connections are in use: lower max_size where connections are idle, or raise max_connections to 129",
    ),
    "out of reach": (
        replace(GOOD, pools={"max_size": 98}),
        "max_size = 98 under [pool] can never be reached: the server has 97 places; set max_size below",
    ),
    "too many": (
        replace(GOOD, sessions=[session(since=3600.0)] * 16 + [session(state="active")] * 4),
        "16 of 20 connections of shop have been idle for 1 h or longer: 4 would do",
    ),
    "fsync": (with_settings(fsync="off"), "fsync is off: a crash of the machine can destroy the whole database; set"),
    "torn": (with_settings(full_page_writes="off"), "full_page_writes is off: "),
    "autovacuum": (with_settings(autovacuum="off"), "autovacuum is off: "),
    "timeout": (
        with_settings(idle_in_transaction_session_timeout=0.0),
        "idle_in_transaction_session_timeout is 0: a forgotten transaction keeps its locks; set it to 5min",
    ),
    "wal": (with_settings(max_wal_size=GB / 2), "max_wal_size = 512MB forces checkpoints while many rows are written"),
    "buffers": (
        with_settings(shared_buffers=128 * 1024**2),
        "shared_buffers = 128MB is 0.4% of 32GB: for a server of its own a quarter is usual; set it to 8GB",
    ),
    "cache": (
        with_settings(effective_cache_size=4.0 * GB),
        "effective_cache_size = 4GB makes index scans look dearer than they are with 32GB; set it to 16GB",
    ),
    "memory": (
        with_settings(work_mem=GB / 2),
        "100 connections with work_mem = 512MB may want 50GB of 32GB: set max_connections = 31, or a smaller work_mem",
    ),
    "cores": (
        with_settings(max_connections=500.0),
        "max_connections = 500 with 8 cores: more than about 32 that are busy only wait for each other; a few pools "
        "with max_size 17 serve more",
    ),
}  # fmt: skip


@pytest.mark.parametrize("which", SAID)
def test_each_rule_where_it_applies(which: str) -> None:
    facts, sentence = SAID[which]
    (said,) = advise(facts)
    assert said.startswith(sentence), said
    assert all(len(line) <= 80 for line in shown(facts))


UNSAID = {
    "lock": [session(blocks=0, state="active", since=90.0)],
    "forgotten": [session(state="idle in transaction", since=59.0, transaction=7300.0), session(since=7200.0)],
    "full": [session(str(n)) for n in range(81)],
    "too many": [session(since=299.0)] * 16 + [session(state="active")] * 4,
    "half": [session(since=3600.0)] * 4 + [session(state="active")] * 4,
    "few": [session(since=3600.0)] * 3,
    "of many": [session(str(n), since=3600.0) for n in range(20)],
}


@pytest.mark.parametrize("which", UNSAID)
def test_each_rule_of_sessions_where_it_does_not(which: str) -> None:
    assert [*advise(replace(GOOD, sessions=UNSAID[which]))] == []


@pytest.mark.parametrize(
    "facts",
    [
        replace(GOOD, pools={"max_size": 97}), replace(GOOD, pools={}), with_settings(max_wal_size=1.0 * GB),
        with_settings(shared_buffers=2.0 * GB), with_settings(effective_cache_size=8.0 * GB),
        with_settings(max_connections=400.0), with_settings(work_mem=300.0 * 1024**2),
    ],
)  # fmt: skip
def test_each_rule_of_the_server_at_its_bound(facts: Facts) -> None:
    assert [*advise(facts)] == []


def test_a_server_elsewhere_is_not_measured_by_this_machine() -> None:
    small = with_settings(shared_buffers=1.0 * 1024**2, effective_cache_size=1024.0, max_connections=5000.0)
    assert [*advise(replace(small, local=False))] == []
    assert len([*advise(small)]) == 4


def test_what_is_urgent_comes_first() -> None:
    facts = replace(
        with_settings(fsync="off"),
        sessions=[
            session(state="idle in transaction", since=61.0, transaction=61.0),
            session(state="idle in transaction", since=600.0, transaction=600.0, pid=8),
        ],
    )
    assert [line.split(" has")[0] for line in advise(facts)][:2] == ["shop (pid 8)", "shop (pid 7)"]
    assert [*advise(facts)][-1].startswith("fsync")


def test_units() -> None:
    assert [seconds(n) for n in (0.4, 59, 60, 3599, 7200, 172800)] == ["0 s", "59 s", "1 min", "60 min", "2 h", "2 d"]
    assert [size(n) for n in (512, 1024, 1536, 8 * GB, 1.5 * GB)] == ["512B", "1kB", "1536B", "8GB", "1536MB"]
    assert [value("16384", "8kB"), value("5", "min"), value("on", None), value("3", None)] == [
        16384 * 8192,
        300,
        "on",
        3,
    ]
