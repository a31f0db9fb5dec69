"""The comparison's arithmetic, and one short real run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from galvo_bench.method import rounds
from galvo_bench.method.rounds import Candidate, Result, compare
from galvo_bench.results.model import inverted

pytestmark = pytest.mark.anyio


class Machine:
    """A clock, and operations that take as long as they say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.speed = 1.0
        monkeypatch.setitem(rounds.CLOCKS, "wall", lambda: self.now)

    def taking(self, seconds: float) -> rounds.Operation:
        async def operation() -> None:
            self.now += seconds * self.speed

        return operation

    def slower(self) -> None:
        self.speed *= 10


async def test_ratios_are_taken_within_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that slows down tenfold between two rounds changes no ratio."""
    machine = Machine(monkeypatch)
    candidates = [Candidate("one", machine.taking(1), 8), Candidate("three", machine.taking(3), 4)]
    results = await compare(candidates, 4, "wall", machine.slower)
    assert [(result.name, result.ratio) for result in results] == [
        ("one", 1), ("three", 3), ("the first again (A/A)", 1),
    ]  # fmt: skip


async def test_preparations_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a call that makes ten operations counts as ten."""
    machine = Machine(monkeypatch)
    prepared = Candidate("prepared", machine.taking(1), 5, each=10, before=machine.taking(1000))
    results = await compare([Candidate("plain", machine.taking(1), 5), prepared], 3, "wall")
    assert machine.now // 1000 == 4, "once a round, and once to warm up"
    assert [(result.seconds, result.ratio) for result in results[:2]] == [(1, 1), (0.1, 0.1)]


def test_speed_is_the_inverse_of_time() -> None:
    [row] = inverted([Result("twice as slow", 2.0, ratio=2, low=1, high=4)])
    assert row == Result("twice as slow", 2.0, ratio=0.5, low=0.25, high=1)


def test_a_real_run(dsn: str, folder: Path) -> None:
    done = bench(folder, "hit", "uncached", "--rounds", "1", "--json", "--url", dsn)
    assert done.returncode == 0, done.stderr
    hit, uncached = json.loads(done.stdout)["sections"]
    ratio = {row["name"]: row["ratio"] for row in hit["rows"]}
    assert list(ratio)[:2] == ["async def, dict item", "galvo fetch, L1 hit"]
    assert len(ratio) == 7, "a peer is missing"
    assert ratio["async def, dict item"] == 1
    assert ratio["galvo fetch, L1 hit"] < ratio["asyncpg.Pool.fetch"], "the hit went to the database"
    assert [row["name"] for row in uncached["rows"]][1] == "galvo fetch, uncached"


def test_an_unknown_subject(folder: Path) -> None:
    done = bench(folder, "speed")
    assert done.returncode == 2
    assert "'speed'" in done.stderr
    assert "invalidation" in done.stderr


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """It waits for no other bench."""
    (folder / "tmp").mkdir(mode=0o711)
    command = [str(Path(sys.executable).parent / "galvo"), "bench", *arguments]
    return subprocess.run(
        command, cwd=folder, env=os.environ | {"TMPDIR": str(folder / "tmp")}, capture_output=True, text=True
    )
