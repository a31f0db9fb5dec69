"""What a worker knows of messages that come again, and how messages are told apart."""

from __future__ import annotations

import gc

from galvo_tasks.guard.known import REMEMBERED, Known
from galvo_tasks.guard.letter import Attempt, Letter, attempt_of

FIRST: Attempt = ("id", 0, 1.0, None)
SECOND: Attempt = ("id", 1, 2.0, None)


class Request:
    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt


def test_what_has_ended_is_known_once_its_connection_is_lost() -> None:
    """Before that, a message of the same id is another one: somebody has published it again."""
    known = Known()
    known.ended(FIRST, known.connection)
    assert not known.has_ended(FIRST)
    known.lose_connection([])
    assert known.has_ended(FIRST)
    assert not known.has_ended(SECOND)


def test_what_ends_after_its_connection_is_known_at_once() -> None:
    known = Known()
    before = known.connection
    known.lose_connection([])
    known.ended(FIRST, before)
    assert known.has_ended(FIRST)


def test_what_has_ended_in_vain_is_known_at_once() -> None:
    known = Known()
    known.ended(FIRST, None)
    assert known.has_ended(FIRST)


def test_what_was_not_begun_may_begin_once() -> None:
    known = Known()
    known.lose_connection([FIRST])
    assert known.was_not_begun(FIRST)
    assert not known.was_not_begun(FIRST)
    assert not known.was_not_begun(SECOND)


def test_a_request_is_known_while_somebody_has_it() -> None:
    known, request = Known(), Request(FIRST)
    known.arrived(request)
    assert known.request(FIRST) is request
    del request
    gc.collect()
    assert known.request(FIRST) is None


def test_memory_is_bounded() -> None:
    known = Known()
    for number in range(REMEMBERED + 5):
        known.ended((number,), -1)
    assert not known.has_ended((4,))
    assert known.has_ended((5,))


def letter(**headers: object) -> Letter:
    return Letter(b"[[], {}, {}]", "application/json", "utf-8", {"id": "a", "task": "t", **headers}, "", "q")


def test_a_message_is_the_same_however_often_it_was_lost() -> None:
    assert letter(**{"galvo-lost": 2}).mark == letter().mark
    assert letter(retries=1).mark != letter().mark
    assert letter(**{"galvo-again": 1}).mark != letter().mark
    assert letter(**{"galvo-at": 1.0}).mark != letter(**{"galvo-at": 2.0}).mark


def test_without_an_id_nothing_is_known_of_it() -> None:
    assert attempt_of({}) == ()
    assert attempt_of({"id": None}) == ()
