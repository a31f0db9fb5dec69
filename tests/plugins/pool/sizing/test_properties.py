"""What holds of the limit whatever is measured, and of the ramp whatever happens."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from galvo_pool.sizing import Limit, Ramp

TICKS = st.lists(
    st.tuples(
        st.integers(0, 100),  # waiting
        st.integers(0, 100),  # busy, cut to the limit
        st.integers(0, 120),  # statements
        st.sampled_from([0.0, 1e-6, 0.001, 0.002, 0.005, 1.0]),  # seconds of each
        st.sampled_from(["a", "b", "c"]),
        st.booleans(),  # connecting fails
    ),
    max_size=120,
)
BOUNDS = st.tuples(st.integers(1, 40), st.integers(0, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(BOUNDS, st.integers(1, 100), TICKS, st.lists(BOUNDS, max_size=5))
def test_it_stays_within_its_bounds(bounds, start, ticks, moves) -> None:
    limit = Limit(*bounds, start)
    for number, (waiting, busy, count, seconds, sql, failing) in enumerate(ticks):
        if moves and number % 20 == 19:
            bounds = moves.pop()
            limit.bounds(*bounds)
        for _ in range(count):
            limit.record(sql, seconds)
        value = limit.tick(now=number / 4, waiting=waiting, busy=min(busy, limit.value), failing=failing)
        assert value == limit.value
        assert bounds[0] <= value <= bounds[1]
        assert limit.explain()


@given(BOUNDS, st.integers(1, 100), TICKS, st.sampled_from(["nobody waits", "connecting fails"]))
def test_it_does_not_grow_for_nobody_nor_in_vain(bounds, start, ticks, case) -> None:
    """Above the most it ever was, that is: a probe or a trial ends where it began."""
    limit = Limit(*bounds, start)
    most = limit.value
    for number, (waiting, busy, count, seconds, sql, failing) in enumerate(ticks):
        idle = number % 3 > 0
        for _ in range(count):
            limit.record(sql, seconds)
        value = limit.tick(
            now=number / 4,
            waiting=0 if idle and case == "nobody waits" else waiting,
            busy=min(busy, limit.value),
            failing=failing or (idle and case == "connecting fails"),
        )
        if idle:
            assert value <= most
        most = max(most, value)


@given(
    st.integers(1, 20), st.integers(), st.lists(st.sampled_from(["begin", "open", "fail", "cancel", "lose", "wait"]))
)
def test_never_a_storm(most, seed, steps) -> None:
    ramp, now, opening = Ramp(most, random.Random(seed)), 0.0, 0
    for step in steps:
        if step == "begin" and ramp.allowed(now):
            ramp.begin()
            opening += 1
        elif step in ("open", "fail", "cancel") and opening:
            opening -= 1
            if step == "fail":
                ramp.failed(now)
                assert ramp.allowed(now) == 0
            else:
                (ramp.opened if step == "open" else ramp.abandoned)()
        elif step == "lose":
            ramp.lost(now)
        elif step == "wait":
            now += 0.2
        assert ramp.opening == opening <= most
        assert 0 <= ramp.allowed(now) <= most - opening
        assert ramp.allowed(now + ramp.delay(now)) or opening
