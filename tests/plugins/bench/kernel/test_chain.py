"""The chain's operations in processes of their own, as pyperf runs them."""

from __future__ import annotations

import pytest

from galvo import GalvoError
from galvo_bench.kernel import chain, micro, turns
from galvo_bench.kernel.turns import Turns
from galvo_bench.method.rounds import AGAIN, Result
from galvo_bench.running.stand import Stand

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LEAST", 0.0005)
    monkeypatch.setattr(turns, "VALUES", 1)


class Once(Turns):
    """One process, and its seconds again and again."""

    async def turn(self) -> None:
        if self.seconds:
            self.seconds += self.once
        else:
            await super().turn()
            self.once = self.seconds


def test_every_row_has_an_operation() -> None:
    assert {*chain.LAYERS.values(), *chain.SINKS.values(), *chain.ANSWERS.values()} == {*micro.NAMES}


async def test_a_turn_is_a_process() -> None:
    """Which makes as many loops as the first one has found to take long enough."""
    one = Turns("plain")
    await one.turn()
    first, loops = one.seconds, one.loops
    assert loops > 100
    await one.turn()
    assert 1e-8 < first < one.seconds < 1e-3
    assert one.loops == loops


async def test_sections(server_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "Turns", Once)
    monkeypatch.setattr(chain, "LAYERS", {"async def": "plain", "galvo, 3 layers": "onion-3"})
    monkeypatch.setattr(chain, "SINKS", {"a function": "function"})
    monkeypatch.setattr(chain, "ANSWERS", {"galvo fetch, L1 hit": "hit"})
    layers, sinks, answers = await chain.measure(Stand(server_dsn, rounds=1))
    assert [row.name for row in layers.rows] == ["async def", "galvo, 3 layers", AGAIN]
    for section in (layers, sinks, answers):
        for row in section.rows:
            assert isinstance(row, Result)
            assert 1e-8 < row.seconds < 1e-2
    assert [*layers.plots[0].lines] == ["galvo"]
    assert layers.plots[0].lines["galvo"][0][0] == 3


async def test_a_turn_that_fails_says_why() -> None:
    """And not how to log in."""
    turns = Turns("hit", environment={"GALVO_POOL__URL": "postgresql://anna:secret@127.0.0.1:1/shop"})
    with pytest.raises(GalvoError, match=r"'hit' ended with exit code 1: .*nothing listens at 127\.0\.0\.1:1") as found:
        await turns.turn()
    assert "secret" not in str(found.value)
    assert turns.seconds == 0
