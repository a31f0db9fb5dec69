"""A machine on which things take so long that galvo goes on without them is asked again before it is called busy."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from galvo_bench.counts import child
from galvo_bench.counts.galvanised import Busy
from galvo_bench.results.model import Section

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("busy, asked", [(0, 1), (2, 3)])
async def test_it_is_asked_again(busy: int, asked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = _busy_for(busy, monkeypatch)
    assert await child.counted("paths", "", "", "") == []
    assert len(tries) == asked


async def test_it_is_said_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = _busy_for(99, monkeypatch)
    with pytest.raises(Busy, match="this machine is too busy"):
        await child.counted("paths", "", "", "")
    assert len(tries) == child.TRIES


def _busy_for(times: int, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    tries: list[Path] = []

    async def measure(postgres: str, redis: str, root: Path) -> list[Section]:
        tries.append(root)
        if len(tries) <= times:
            raise Busy("this machine is too busy to count")
        return []

    monkeypatch.setattr(child, "import_module", lambda name: SimpleNamespace(measure=measure))
    monkeypatch.setattr(child.pins, "number", lambda: None)
    return tries
