"""Memory of large operations, of real processes: what they take is what is said."""

from __future__ import annotations

import pytest

from galvo_bench.claims import memory
from galvo_bench.claims.judging import verdict
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.claims.memory import AGAIN, OURS, PLAIN
from galvo_bench.memory.image_ways import FILES
from galvo_bench.results.model import Missing, Values
from galvo_bench.running.stand import Stand

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "ROWS", 60_000)
    monkeypatch.setattr(memory, "FILES", {})


async def test_a_way_that_reads_all_at_once_is_seen(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = await memory.measure(stand)
    assert honest.middle < 0.5, "chunks are far smaller than all rows"
    assert verdict(CLAIMS["memory"], honest) in {"met", "beyond"}
    monkeypatch.setitem(memory.READ, OURS, memory.READ[PLAIN])
    lie = await memory.measure(stand)
    assert lie.middle == pytest.approx(1, abs=0.1)
    assert verdict(CLAIMS["memory"], lie) == "missed"
    [row] = lie.sections[0].rows
    assert isinstance(row, Values)
    assert (row.values["plain MiB"], row.values["galvo MiB"]) == (lie.plain, lie.galvo)


async def test_what_gains_least_is_judged(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = {"naive": 100, "galvo": 60}

    async def shrink(way: str, path: object, width: int) -> dict[str, float]:
        return {"peak": 10 + peaks[way] * memory.MIB, "before": 10}

    async def read(way: str, url: str, rows: int) -> dict[str, float]:
        return {"peak": (7 if way.startswith("chunked") else 100) * memory.MIB}

    monkeypatch.setattr(memory, "FILES", FILES)
    monkeypatch.setattr(memory, "SIZE", (60, 40))
    monkeypatch.setattr(memory.images, "shrink", shrink)
    monkeypatch.setattr(memory.chunks, "read", read)
    found = await memory.measure(stand)
    assert (found.plain, found.galvo, found.middle, found.noise) == (100, 60, 0.6, (1, 1))
    assert verdict(CLAIMS["memory"], found) == "met"
    peaks["galvo"] = 20
    assert verdict(CLAIMS["memory"], await memory.measure(stand)) == "beyond"
    peaks["galvo"] = 80
    assert verdict(CLAIMS["memory"], await memory.measure(stand)) == "missed"


async def test_without_pillow_it_is_said(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(way: str, url: str, rows: int) -> dict[str, float]:
        return {"peak": 0.1 if way.startswith("chunked") else 1.0}

    monkeypatch.setattr(memory.chunks, "read", read)
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    found = await memory.measure(stand)
    assert found.sections[0].rows[1:] == [Missing("thumbnails", "not installed")]
    assert verdict(CLAIMS["memory"], found) == "not shown", "half of it is not measured"
    assert "Thumbnails are not measured (not installed)" in found.explains
    assert "Pillow" not in found.explains
    assert set(memory.READ) == {PLAIN, AGAIN, OURS}
