"""The gate: what galvo asks is what was reviewed, and whoever makes it ask more is told where."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from galvo_bench.counts import allocations, cli, expected
from galvo_bench.counts.run import counted
from galvo_bench.running.stand import Stand
from galvo_embedded import Servers
from tests.plugins.bench.counts.planted import Hoarding

PLANTED = "tests.plugins.bench.counts.planted"


class Given(Stand):
    """A stand on the servers of this test run."""

    def __init__(self, postgres: str, redis: str) -> None:
        super().__init__(postgres, rounds=1)
        self._redis = redis

    async def redis(self) -> str:
        return self._redis


@pytest.fixture
def stand(server_dsn: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    made = Given(server_dsn, asyncio.run(servers.redis()))
    monkeypatch.setattr(cli, "Stand", lambda url: made)
    yield made
    made.close()


@pytest.mark.timeout(300)
def test_everything_is_as_expected(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    """Is this red, look at what has changed; if it is meant: `galvo bench counts --update`, and review the diff."""
    code = cli.main([])
    told = capsys.readouterr().out
    assert code == 0, "\n".join(told.splitlines()[-20:])
    assert told.endswith("all counts are as expected\n")
    assert all(len(line) <= 80 for line in told.splitlines())


def test_a_query_more_for_each_request_is_noticed(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["shop", "--with", f"asking={PLANTED}:Asking"])
    told = capsys.readouterr().out.splitlines()
    assert code == 1
    assert "shop: everything on: template, again: queries grew: expected 0, found 1" in told
    assert "shop: everything on: projects, again: queries grew: expected 0, found 2" in told, "and for who asks it"
    assert not any(line.startswith("shop: everything off:") for line in told), "galvo is not in there"
    assert told[-1].endswith("not as expected; if that is meant: galvo bench counts --update")


def test_a_command_more_is_noticed(stand: Stand) -> None:
    changed = differences(stand, "kernel", f"telling={PLANTED}:Telling")
    assert ("kernel: two processes", "L1 hit", "Redis", 0, 1) in changed
    assert {(section, value) for section, _, value, _, _ in changed} == {("kernel: two processes", "Redis")}


def test_more_memory_is_noticed(stand: Stand) -> None:
    if allocations.TITLE not in expected.read():
        pytest.skip("what is expected was recorded with another Python")
    changed = {
        operation: (was, found)
        for _, operation, value, was, found in differences(stand, "allocations", f"hoarding={PLANTED}:Hoarding")
        if value == "peak"
    }
    was, found = changed["L1 hit"]
    assert found >= was + Hoarding.BYTES
    assert {"cached()", "fetchrow, L1 hit", "uncached", "write"} <= changed.keys()
    assert not {"record", "take and give back", "uncached, asyncpg.Pool"} & changed.keys(), "it is not in there"


def differences(stand: Stand, group: str, plugin: str) -> list[tuple[str, str, str, float, float]]:
    found = expected.table(asyncio.run(counted(stand, [group], plugin)))
    return [
        (one.section, one.operation, one.value, one.expected or 0, one.found or 0)
        for one in expected.differences(expected.read(), found)
    ]
