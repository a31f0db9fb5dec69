"""Rounds as many as were asked for: what prepares is not timed, what a call makes is divided, the order changes."""

from __future__ import annotations

import pytest

from galvo_bench.method import rounds
from galvo_bench.method.rounds import AGAIN, Candidate
from galvo_bench.method.turns import turns

pytestmark = pytest.mark.anyio


async def test_both_clocks_and_every_order(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"wall": 0.0, "cpu": 0.0}
    for clock in now:
        monkeypatch.setitem(rounds.CLOCKS, clock, lambda clock=clock: now[clock])
    order: list[str] = []

    def taking(name: str, wall: float, cpu: float) -> rounds.Operation:
        async def operation() -> None:
            order.append(name)
            now["wall"] += wall
            now["cpu"] += cpu

        return operation

    found = await turns(
        [
            Candidate("one", taking("one", 1.0, 0.5), 1),
            Candidate("ten", taking("ten", 30.0, 5.0), 2, each=10, before=taking("prepared", 1000.0, 1000.0)),
        ],
        rounds=6,
    )
    wall, cpu = ({row.name: (row.seconds, row.ratio, row.rounds) for row in found[clock]} for clock in ("wall", "cpu"))
    assert wall == {"one": (1.0, 1.0, 6), "ten": (3.0, 3.0, 6), AGAIN: (1.0, 1.0, 6)}
    assert cpu == {"one": (0.5, 1.0, 6), "ten": (0.5, 1.0, 6), AGAIN: (0.5, 1.0, 6)}
    assert order.count("one") == 14
    assert {tuple(order[at : at + 5]).index("prepared") for at in range(0, 35, 5)} == {0, 1, 2}
