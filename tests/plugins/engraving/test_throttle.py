"""Wrong passwords are slowed."""

from __future__ import annotations

import pytest

from galvo_engraving.accounts import throttle
from galvo_engraving.accounts.throttle import Throttle
from galvo_engraving.problems import Busy, TooMany

HERE = "192.0.2.7"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slow(clock: Clock) -> Throttle:
    return Throttle(clock)


def waits(slow: Throttle, email: str = "a@b", address: str = HERE) -> int:
    with pytest.raises(TooMany) as told:
        slow.begin(email, address)
    return int(told.value.headers["retry-after"])


def wrong(slow: Throttle, times: int, email: str = "a@b", address: str = HERE) -> None:
    for _ in range(times):
        slow.begin(email, address)


def test_each_wrong_one_doubles_the_wait_up_to_a_minute(slow: Throttle, clock: Clock) -> None:
    wrong(slow, throttle.FREE_EMAIL)
    seen = []
    for _ in range(8):
        seen.append(waits(slow))
        clock.now += seen[-1]
        slow.begin("a@b", HERE)
    assert seen == [1, 2, 4, 8, 16, 32, 60, 60]


def test_who_waits_does_not_wait_longer_by_asking(slow: Throttle, clock: Clock) -> None:
    wrong(slow, throttle.FREE_EMAIL + 0)
    assert [waits(slow) for _ in range(20)] == [1] * 20
    clock.now += 1
    slow.begin("a@b", HERE)


def test_tries_at_the_same_time_count_before_they_are_wrong(slow: Throttle) -> None:
    wrong(slow, throttle.FREE_EMAIL)  # none has got its answer
    waits(slow)


def test_the_right_one_forgives_the_account(slow: Throttle) -> None:
    wrong(slow, throttle.FREE_EMAIL - 1)
    slow.begin("a@b", HERE)
    slow.right("a@b", HERE)
    wrong(slow, throttle.FREE_EMAIL)


def test_many_accounts_from_one_address_are_slowed_and_others_are_not(slow: Throttle) -> None:
    for number in range(throttle.FREE_ADDRESS):
        slow.begin(f"{number}@b", HERE)
    waits(slow, "new@b")
    slow.begin("new@b", "192.0.2.8")


def test_the_right_ones_of_an_address_do_not_count(slow: Throttle) -> None:
    for number in range(throttle.FREE_ADDRESS * 2):
        slow.begin(f"{number}@b", HERE)
        slow.right(f"{number}@b", HERE)


def test_new_accounts_from_one_address_are_slowed_and_do_not_slow_who_signs_in(slow: Throttle, clock: Clock) -> None:
    for _ in range(throttle.FREE_ACCOUNTS):
        slow.register(HERE)
    with pytest.raises(TooMany, match="too many new accounts from here: try again in 1 s"):
        slow.register(HERE)
    slow.begin("a@b", HERE)
    slow.register("192.0.2.8")
    clock.now += 1
    slow.register(HERE)


def test_a_password_that_nobody_could_look_at_was_no_try(slow: Throttle) -> None:
    for _ in range(throttle.FREE_ADDRESS * 2):
        with pytest.raises(Busy), slow.trying("a@b", HERE):
            raise Busy("later", 1)
    wrong(slow, throttle.FREE_EMAIL)
    waits(slow)


def test_a_network_of_ipv6_is_one_address(slow: Throttle) -> None:
    for number in range(throttle.FREE_ADDRESS):
        slow.begin(f"{number}@b", f"2001:db8::{number:x}")
    waits(slow, "new@b", "2001:db8::ffff:1")
    slow.begin("new@b", "2001:db8:0:1::1")


def test_it_forgets_after_a_while_and_never_grows(
    slow: Throttle, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong(slow, throttle.FREE_EMAIL)
    clock.now += throttle.FORGOTTEN + 1
    wrong(slow, throttle.FREE_EMAIL)
    monkeypatch.setattr(throttle, "MOST", 10)
    for number in range(40):
        slow.begin(f"{number}@b", f"192.0.2.{number}")
    assert len(slow._tries) == 10
