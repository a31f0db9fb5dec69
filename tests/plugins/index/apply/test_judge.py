"""The verdict's arithmetic."""

from __future__ import annotations

import pytest

from galvo_index.apply.judge import judge
from galvo_index.apply.sums import between, recent
from galvo_index.apply.uses import Shares

BEFORE = {"read": [100, 10.0], "write": [100, 1.0], "other": [100, 5.0], "more": [100, 5.0], "odd": [100, 1.0]}
SHARES = Shares(frozenset({"read"}), frozenset({"write"}), frozenset({"other", "more", "odd"}))


def after(**seconds: float) -> dict[str, list[float]]:
    return {name: [100, seconds.get(name, BEFORE[name][1])] for name in BEFORE}


@pytest.mark.parametrize(
    "changed, kept, gain",
    [
        ({"read": 1.0}, True, 9 / 11),
        ({"read": 9.5}, False, 0.5 / 11),
        ({"read": 1.0, "write": 10.0}, False, 0.0),  # the writes pay what the reads gain
        ({"read": 1.0, "write": 5.9}, True, 4.1 / 11),  # 59 instead of 10 ms each: not 50 ms more
        ({"read": 1.0, "write": 7.0}, False, 3 / 11),  # 60 ms more
        ({"write": 0.1}, False, 0.0),  # chance
        ({"read": 1.0, "other": 11.0}, False, 9 / 11),  # whatever it is: one is much slower
    ],
)
def test_gain(changed: dict[str, float], kept: bool, gain: float) -> None:
    verdict = judge(BEFORE, after(**changed), SHARES)
    assert verdict.kept is kept, verdict
    assert verdict.gain == pytest.approx(gain)


def test_a_machine_that_is_twice_as_slow_changes_nothing() -> None:
    slow = {name: [calls, seconds * 2] for name, (calls, seconds) in after(read=1.0).items()}
    assert judge(BEFORE, slow, SHARES).gain == pytest.approx(9 / 11)
    fast = {name: [calls, seconds / 2] for name, (calls, seconds) in after().items()}
    verdict = judge(BEFORE, fast, SHARES)
    assert verdict.kept is False
    assert verdict.gain == pytest.approx(0)


def test_the_later_load_counts() -> None:
    """The read is rare now, and the writes are many."""
    later = {"read": [10, 0.1], "write": [10_000, 150.0], "other": [100, 5.0]}
    assert judge(BEFORE, later, SHARES).kept is False


@pytest.mark.parametrize("few", [{"read": [4, 0.1]}, {}])
def test_too_few_calls_say_nothing(few: dict[str, list[float]]) -> None:
    verdict = judge(BEFORE, few, SHARES)
    assert verdict.kept is None
    assert verdict.gain is None


def test_too_different_for_a_comparison() -> None:
    verdict = judge(BEFORE, after(read=1.0, other=0.5, more=0.5, odd=0.1), SHARES)
    assert (verdict.kept, verdict.text) == (None, "the statements that do not use it take 0.1 times as long as before")


def test_unused_and_in_the_way() -> None:
    verdict = judge(BEFORE, {"write": [100, 8.0]}, SHARES)
    assert verdict.kept is False
    assert verdict.text.endswith("; one statement takes 80 instead of 10 ms")


def test_between() -> None:
    first = {"a": [10, 1.0], "reset": [10, 1.0], "still": [5, 1.0]}
    last = {"a": [15, 4.0], "reset": [3, 0.5], "still": [5, 1.0], "new": [2, 1.0]}
    assert between(first, last) == {"a": [5, 3.0], "reset": [3, 0.5], "new": [2, 1.0]}
    assert recent(first, last) == last | {"a": [5, 3.0]}
