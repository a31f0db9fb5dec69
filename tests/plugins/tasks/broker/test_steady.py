from __future__ import annotations

import pytest

from galvo_tasks.broker.steady import Steady


def seen(steady: Steady, *steps: tuple[float, float, float]) -> bool:
    """Each: seconds until asked, until answered, by which Redis' clock goes on."""
    ours = theirs = 1000.0
    for pause, answer, server in steps:
        ours += pause
        theirs += server
        steady.seen(ours, ours + answer, theirs)
        ours += answer
    return bool(steady)


REGULAR = (20.0, 0.0, 20.0)


def test_after_a_lease_of_regular_answers() -> None:
    assert not seen(Steady(60))
    assert not seen(Steady(60), *[REGULAR] * 3)
    assert seen(Steady(60), *[REGULAR] * 4)


@pytest.mark.parametrize(
    "odd", [(20.0, 25.0, 45.0), (50.0, 0.0, 50.0), (20.0, 0.0, 3620.0), (20.0, 0.0, -3600.0)],
    ids=["slow answer", "long silence", "clock set forward", "clock set back"],
)  # fmt: skip
def test_what_is_odd_begins_it_anew(odd: tuple[float, float, float]) -> None:
    steady = Steady(60)
    assert not seen(steady, *[REGULAR] * 5, odd, *[REGULAR] * 2)
    assert seen(Steady(60), *[REGULAR] * 5, odd, *[REGULAR] * 3)


def test_an_interruption_begins_it_anew() -> None:
    steady = Steady(60)
    assert seen(steady, *[REGULAR] * 5)
    steady.interrupted()
    assert not steady
