"""Threads that publish, each with a connection: an event loop never waits for a broker."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Final, cast

from celery import Celery
from kombu.exceptions import OperationalError

from galvo_tasks.errors import TasksProblem
from galvo_tasks.publishing.attempt import Attempt
from galvo_tasks.publishing.breaker import Breaker
from galvo_tasks.publishing.link import Link
from galvo_tasks.publishing.problems import BrokerRefused, NotPublished
from galvo_tasks.publishing.producer import Producer
from galvo_tasks.settings import settings_of

THREADS: Final = 4
"""Connections of a process that publishes, at most: as many as are busy at once."""
WAITING: Final = 10_000
"""Publishes that wait for a thread, at most."""
PAUSES: Final = (0.05, 0.2, 0.5)
"""Seconds between tries to connect."""

PLACE: Final = "galvo_publisher"
"""The attribute of an application that holds it."""

Call = Callable[[Producer], Any]
"""Publishes one task with this producer."""


class Publisher:
    """Of one application in one process."""

    def __init__(self, app: Celery[Any]) -> None:
        settings = settings_of(app)
        self.breaker = Breaker()
        self.process = os.getpid()
        self._app = app
        self._seconds = settings.deadline
        self._limit = settings.payload_bytes
        self._threads = ThreadPoolExecutor(THREADS, "galvo-publish")
        self._idle: list[Link] = []
        self.under_way = 0
        """Publishes that wait for a thread, or that one does."""
        self._lock = threading.Lock()

    def begin(self, attempt: Attempt, queue: Any, call: Call, *, patient: bool = False) -> Future[Any]:
        """Its outcome: what `call` gives. `patient`: tries to connect until the deadline.

        Raises BrokerAway; the future raises NotPublished, Refused and what `call` raises.
        """
        refusal = "" if patient else self.breaker.refusal()
        if not refusal and self.under_way >= WAITING:
            refusal = f"{WAITING} tasks already wait for the broker"
        if refusal:
            raise attempt.away(refusal)
        with self._lock:
            self.under_way += 1
        try:
            begun = self._threads.submit(copy_context().run, self._publish, attempt, queue, call, patient)
        except RuntimeError as error:  # closed meanwhile, or Python ends
            self._ended()
            raise attempt.away("this process ends") from error
        begun.add_done_callback(self._ended)
        return begun

    def late(self, attempt: Attempt) -> NotPublished:
        """Nobody waits for it any longer."""
        if attempt.reached:
            self.breaker.failed(f"no answer within {attempt.seconds:g} s")
        return attempt.late()

    def close(self) -> None:
        """Wait for what is under way; every step of it has a time limit."""
        self._threads.shutdown()
        while self._idle:
            self._idle.pop().close()

    def _ended(self, _: Future[Any] | None = None) -> None:
        with self._lock:
            self.under_way -= 1

    def _publish(self, attempt: Attempt, queue: Any, call: Call, patient: bool) -> Any:
        attempt.reached = True
        while True:
            link, producer = self._connected(attempt, queue, patient)
            producer.task, producer.limit, producer.sending = attempt.name, self._limit, attempt.sending
            try:
                given = call(producer)
            except (TasksProblem, TypeError):
                self._idle.append(link)
                raise
            except BaseException as error:
                link.close()
                cause = cause_of(error)
                if link.lost(cause):
                    self.breaker.failed(said(cause))
                    if attempt.keyed and link.knows_keys and attempt.left > 0:
                        continue
                    raise attempt.away(said(cause)) from error
                if link.refused(cause):
                    text = f"the broker did not take task {attempt.name}: {said(cause)}"
                    raise BrokerRefused(text, attempt.id) from error
                raise
            link.used = True
            self._idle.append(link)
            self.breaker.succeeded()
            return given

    def _connected(self, attempt: Attempt, queue: Any, patient: bool) -> tuple[Link, Producer]:
        """A connection that lives. Raises NotPublished."""
        tries = 0
        while True:
            if attempt.left <= 0:
                raise attempt.passed()
            link = self._take()
            try:
                return link, link.ready(queue)
            except Exception as error:
                link.close()
                if link.used:  # it has died meanwhile, which says nothing about the broker now
                    continue
                cause = cause_of(error)
                self.breaker.failed(said(cause))
                if not link.lost(cause) and not attempt.sent:
                    raise BrokerRefused(f"task {attempt.name} was not sent: {said(cause)}", attempt.id) from error
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
                if attempt.left < pause or not (patient or attempt.sent or tries < len(PAUSES)):
                    raise attempt.away(said(cause)) from error
                tries += 1
                time.sleep(pause)

    def _take(self) -> Link:
        try:
            return self._idle.pop()
        except IndexError:
            return Link(self._app, self._seconds)


def cause_of(error: BaseException) -> BaseException:
    """What kombu has wrapped."""
    return error.__cause__ if isinstance(error, OperationalError) and error.__cause__ else error


def said(error: BaseException) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def publisher_of(app: Celery[Any]) -> Publisher:
    """The one of this process: a fork has neither its parent's threads nor a use for its connections."""
    found = app.__dict__.get(PLACE)
    if found is None or found.process != os.getpid():
        found = app.__dict__[PLACE] = Publisher(app)
    return cast("Publisher", found)


def close(app: Celery[Any]) -> None:
    """Wait for what is under way, and end its threads and connections; who asks later gets new ones."""
    found = app.__dict__.pop(PLACE, None)
    if found is not None and found.process == os.getpid():
        found.close()
