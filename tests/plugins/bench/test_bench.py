"""The comparison's arithmetic, and one short real run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from galvo_bench import method
from galvo_bench.method import Candidate, compare

pytestmark = pytest.mark.anyio


async def test_ratios_are_taken_within_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that slows down tenfold between two rounds changes no ratio."""
    now = 0.0
    speed = 1.0

    def clock() -> float:
        return now

    async def one() -> None:
        nonlocal now
        now += 1 * speed

    async def three() -> None:
        nonlocal now
        now += 3 * speed

    def slower() -> None:
        nonlocal speed
        speed *= 10

    monkeypatch.setitem(method.CLOCKS, "wall", clock)
    results = await compare([Candidate("one", one, 8), Candidate("three", three, 4)], 4, "wall", slower)
    assert [(result.name, result.ratio) for result in results] == [
        ("one", 1), ("three", 3), ("one again (A/A)", 1),
    ]  # fmt: skip


def test_a_real_run(dsn: str, project: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "galvo"), "bench", "--rounds", "1", "--json", "--url", dsn],
        cwd=project, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    memory, database = json.loads(done.stdout).values()
    names = [row["name"] for row in memory]
    assert names[:2] == ["async def, dict item", "galvo fetch, L1 hit"]
    assert len(names) == 6
    ratio = {row["name"]: row["ratio"] for row in memory}
    assert ratio["async def, dict item"] == 1
    assert ratio["galvo fetch, L1 hit"] < ratio["asyncpg.Pool.fetch"], "the hit went to the database"
    assert [row["name"] for row in database][1] == "galvo fetch, uncached"
