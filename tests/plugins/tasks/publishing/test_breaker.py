from __future__ import annotations

from galvo_tasks.publishing.breaker import FAILURES, PAUSE, Breaker


def test_it_opens_lets_one_through_after_a_pause_and_closes() -> None:
    now = [100.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES):
        assert not breaker.refusal()
        breaker.failed("refused")
        now[0] += 2.0
    now[0] -= 2.0
    assert breaker.refusal().endswith("(4 s): refused")  # since the first failure
    now[0] += PAUSE
    assert not breaker.refusal()  # one
    assert breaker.refusal()  # and nobody else, until its outcome or the next pause
    breaker.failed("again")
    assert breaker.refusal().endswith("(5 s): again")
    breaker.succeeded()
    assert not breaker.refusal()
    breaker.failed("once")
    assert not breaker.refusal()
