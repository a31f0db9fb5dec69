"""A verdict is that of the interval's worse end, widened by the run's own noise."""

from __future__ import annotations

import msgspec
import pytest

from galvo import GalvoError
from galvo_bench.claims import judging
from galvo_bench.claims.claim import Claim, Found
from galvo_bench.claims.judging import judged, verdict
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.method import rounds

LESS = Claim("cost", "Cost", "nowhere", promised=0.7, goal=0.5)
MORE = Claim("speed", "Speed", "nowhere", promised=1.4, goal=1.6, less=False)
LEVEL = Claim("ratio", "Ratio", "nowhere", promised=90, unit="%", less=False, relative=False)


def found(low: float, high: float, noise: tuple[float, float] | None = None, made: int = 6) -> Found:
    return Found(galvo=1, plain=1, middle=(low + high) / 2, low=low, high=high, noise=noise, explains="", rounds=made)


@pytest.mark.parametrize("claim, low, high, expected", [
    (LESS, 0.3, 0.5, "beyond"),
    (LESS, 0.3, 0.51, "met"),
    (LESS, 0.3, 0.71, "not shown"),
    (LESS, 0.71, 0.72, "missed"),
    (MORE, 1.6, 3.0, "beyond"),
    (MORE, 1.59, 3.0, "met"),
    (MORE, 1.39, 3.0, "not shown"),
    (MORE, 1.0, 1.39, "missed"),
    (LEVEL, 95, 99, "met"),
    (LEVEL, 89, 99, "not shown"),
    (LEVEL, 80, 89, "missed"),
])  # fmt: skip
def test_the_worse_end_decides(claim: Claim, low: float, high: float, expected: str) -> None:
    assert verdict(claim, found(low, high)) == expected


@pytest.mark.parametrize("noise", [(0.7, 1.0), (1.0, 1 / 0.7)])
def test_noise_widens_the_interval_at_both_ends(noise: tuple[float, float]) -> None:
    """What the same thing twice differs by, in either direction, may be all that was seen."""
    assert verdict(LESS, found(0.30, 0.34, noise)) == "beyond"
    assert verdict(LESS, found(0.44, 0.48, noise)) == "met"
    assert verdict(LESS, found(0.55, 0.60, noise)) == "not shown"
    assert verdict(LESS, found(0.80, 0.85, noise)) == "not shown", "it may be better than it looks, too"
    assert verdict(LESS, found(1.10, 1.20, noise)) == "missed"


def test_of_few_rounds_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """No median of five has an interval that is 95 % sure."""
    monkeypatch.setattr(judging, "LEAST", rounds.LEAST)
    for low, high in ((0.1, 0.2), (0.8, 0.9)):
        assert verdict(LESS, found(low, high, made=5)) == "not shown"
        assert verdict(LESS, found(low, high, made=6)) != "not shown"


def test_what_stands_against_it_bounds_the_verdict() -> None:
    good = found(0.1, 0.2)
    assert verdict(LESS, msgspec.structs.replace(good, most="not shown")) == "not shown"
    assert verdict(LESS, msgspec.structs.replace(good, most="missed")) == "missed"


def test_noise_that_is_no_number_is_refused_and_of_a_clock_that_stood_shows_nothing() -> None:
    with pytest.raises(GalvoError, match="nan is no result"):
        judged(LESS, found(0.1, 0.2, (float("nan"), 1.0)))
    assert verdict(LESS, found(0.1, 0.2, (0.0, 1.0))) == "not shown"


def test_noise_of_a_ratio_says_nothing_of_a_level() -> None:
    assert verdict(LEVEL, found(91, 99, (0.5, 2.0))) == "met"


def test_goals_are_beyond_what_is_promised() -> None:
    for claim in CLAIMS.values():
        if claim.goal is not None:
            assert claim.goal < claim.promised if claim.less else claim.goal > claim.promised
