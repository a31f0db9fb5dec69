from __future__ import annotations

import inspect
import math
from statistics import fmean

import celery
import pytest
from celery.utils.threads import LocalStack
from hypothesis import given
from hypothesis import strategies as st

from galvo_tasks.running.errors import BadBackoff
from galvo_tasks.running.retries import Backoff, Waits
from galvo_tasks.running.retrying import Retrying
from galvo_tasks.running.stack import ContextStack

SECONDS = st.floats(0.001, 1e6)


@st.composite
def backoffs(draw: st.DrawFn) -> Backoff:
    floor, first, most = sorted(draw(SECONDS) for _ in range(3))
    return Backoff(first, draw(st.floats(1.01, 10)), most, floor, draw(st.floats(0, 1e7)))


@given(backoffs(), st.none() | SECONDS)
def test_a_wait_is_never_shorter_than_the_floor_nor_longer_than_the_most(backoff: Backoff, last: float | None) -> None:
    assert backoff.floor <= backoff.wait(last) <= backoff.most


@given(backoffs())
def test_all_waits_together_keep_the_budget_and_survive_a_header(backoff: Backoff) -> None:
    waits, total, number = Waits(), 0.0, 0
    while (further := waits.next(backoff)) is not None and number < 100:
        assert further.last is not None
        total, number = total + further.last, number + 1
        waits = Waits.of(further.header)
        assert waits == further
    assert waits.total == pytest.approx(total)
    assert waits.total <= backoff.budget


def test_waits_grow_and_differ() -> None:
    backoff = Backoff(first=1.0, most=1e9)
    runs = []
    for _ in range(200):
        waits = [1.0]
        for _ in range(12):
            waits.append(backoff.wait(waits[-1]))
        runs.append(waits)
    # The logarithm of a wait that is drawn between 0 and 3 times the last grows by log 3 - 1 on average.
    assert fmean(math.log(run[-1]) for run in runs) > 0.5 * 12 * (math.log(3) - 1)
    assert len({run[1] for run in runs}) == 200


def test_the_nearest_class_of_an_exception_decides() -> None:
    long, short = Backoff(first=30), Backoff(first=2)
    backoff = Backoff(on={OSError: long, ConnectionError: None, ConnectionResetError: short})
    asked = [ValueError(), OSError(), ConnectionRefusedError(), ConnectionResetError()]
    assert [backoff.policy(error) for error in asked] == [backoff, long, None, short]


@pytest.mark.parametrize(
    "wrong",
    [{"floor": 0}, {"floor": 2}, {"most": 0.7}, {"factor": 1}, {"budget": -1}, {"most": math.inf}, {"first": math.nan}],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadBackoff, match="wanted"):
        Backoff(**wrong)


@pytest.mark.parametrize("header", [None, [], "1,2", [1], [2, 1], [-1, 5], ["a", "b"], [1, math.inf], {"last": 1}, 7])
def test_a_header_that_tells_otherwise_counts_as_none(header: object) -> None:
    assert Waits.of(header) == Waits()


def test_celerys_retry_still_has_the_shape_that_is_overridden() -> None:
    assert [*inspect.signature(celery.Task.retry).parameters] == [*inspect.signature(Retrying.retry).parameters]
    assert "on_bound" in vars(celery.Task)
    assert isinstance(vars(celery.Task)["on_bound"], classmethod)


def test_the_stack_has_the_shape_of_celerys() -> None:
    ours, theirs = ContextStack("test"), LocalStack()
    for stack in (ours, theirs):
        assert (stack.top, len(stack), stack.stack, stack.pop()) == (None, 0, [], None)
        stack.push(1)
        stack.push(2)
        assert (stack.top, len(stack), stack.stack) == (2, 2, [1, 2])
        assert (stack.pop(), stack.top) == (2, 1)
