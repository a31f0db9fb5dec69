from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from kombu.asynchronous.semaphore import LaxBoundedSemaphore

from galvo_tasks.scaling.autoscaler import end_idle, follow


class Child:
    def __init__(self, number: int) -> None:
        self.inqW_fd = number
        self.ended = False

    def terminate_controlled(self) -> None:
        self._controlled_termination = self.ended = True


def pool(children: list[Child], **states: set[Any]) -> Any:
    """As end_idle sees Celery's: test_shapes.py tells that it is so."""
    return SimpleNamespace(
        _pool=children,
        _processes=len(children),
        _putlock=LaxBoundedSemaphore(len(children)),
        _all_inqueues={one.inqW_fd for one in children},
        _busy_workers=states.get("busy", set()),
        _waiting_to_start=states.get("starting", set()),
        _worker_active=lambda one: one in states.get("active", ()),
    )


def test_only_processes_end_that_nobody_has_given_anything() -> None:
    children = [Child(number) for number in range(6)]
    begun, coming, starting, ending = children[:4]
    ending.terminate_controlled()
    made = pool(children, active={begun}, busy={coming.inqW_fd}, starting={starting})
    assert end_idle(made, 5) == 2
    assert [one.ended for one in children] == [False, False, False, True, True, True]
    assert made._processes == 4
    assert made._all_inqueues == {0, 1, 2, 3}  # nothing is written to those two any more
    assert made._putlock.initial_value == 4
    assert end_idle(made, 5) == 0


def test_no_more_end_than_are_too_many() -> None:
    children = [Child(number) for number in range(3)]
    assert end_idle(pool(children), 1) == 1
    assert [one.ended for one in children] == [True, False, False]


def test_rabbitmq_is_told_the_change() -> None:
    told: list[int] = []
    consumer = SimpleNamespace(
        initial_prefetch_count=8, prefetch_multiplier=1, qos=object(), _update_qos_eventually=told.append
    )
    worker = SimpleNamespace(max_concurrency=8, concurrency=1, consumer=consumer)
    for most in (8, 3, 3, 5):
        follow(worker, most)
    assert told == [-5, 2]
    assert worker.max_concurrency == consumer.initial_prefetch_count == 5


def test_threads_begin_from_their_number() -> None:
    consumer = SimpleNamespace(initial_prefetch_count=8, prefetch_multiplier=1, qos=None)
    worker = SimpleNamespace(max_concurrency=None, concurrency=8, consumer=consumer)
    follow(worker, 1)
    assert worker.max_concurrency == consumer.initial_prefetch_count == 1
