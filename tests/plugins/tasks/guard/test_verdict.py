"""What becomes of a message that comes again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from galvo_tasks.guard.verdict import MAY_HAVE_RUN, SKEW, Verdict, due_in, verdict

RUN, COUNT, DEAD = Verdict.RUN, Verdict.COUNT, Verdict.DEAD


def found(*, idempotent: bool = False, redelivered: bool = False, lost: int = 0, due: float = 0.0) -> Verdict:
    return verdict(idempotent=idempotent, redelivered=redelivered, lost=lost, starts=3, due_in=due)[0]


def test_one_that_was_never_lost_runs() -> None:
    assert found() is RUN
    assert found(idempotent=True) is RUN


def test_one_that_may_have_run_does_not_run_again() -> None:
    for redelivered in (False, True):
        told = verdict(idempotent=False, redelivered=redelivered, lost=1, starts=3, due_in=0.0)
        assert told == (DEAD, MAY_HAVE_RUN)


@pytest.mark.parametrize("lost, redis, rabbit", [(1, RUN, COUNT), (2, RUN, COUNT), (3, DEAD, DEAD), (9, DEAD, DEAD)])
def test_an_idempotent_one_may_be_lost_twice(lost: int, redis: Verdict, rabbit: Verdict) -> None:
    assert found(idempotent=True, lost=lost) is redis
    assert found(idempotent=True, redelivered=True, lost=lost) is rabbit


def test_one_that_waits_for_its_time_has_not_begun_unless_clocks_may_differ_so_far() -> None:
    assert found(redelivered=True, lost=1, due=SKEW + 1) is RUN
    assert found(redelivered=True, lost=1, due=SKEW - 1) is DEAD
    assert found(lost=1, due=SKEW + 1) is DEAD  # Redis counts those only that were with a worker


@pytest.mark.parametrize("eta", [None, "soon", "2026-11-28T20:00:00", 7])
def test_a_time_that_cannot_be_read_is_none(eta: Any) -> None:
    assert due_in({"eta": eta}, datetime.now(UTC)) == 0.0
    assert due_in({}, datetime.now(UTC)) == 0.0


def test_seconds_until_its_time() -> None:
    now = datetime.now(UTC)
    assert due_in({"eta": (now + timedelta(seconds=90)).isoformat()}, now) == 90.0
    assert due_in({"eta": (now - timedelta(seconds=90)).isoformat()}, now) == -90.0
