"""The guard of a worker: what its requests and its consumer ask."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any

from celery import Celery, signals

from galvo_local import printable
from galvo_tasks.broker.lost import LOST
from galvo_tasks.config.preset import kind_of
from galvo_tasks.errors import TasksProblem
from galvo_tasks.guard.dead import DeadLetters, connected, dead_letters
from galvo_tasks.guard.entry import Entry, entry
from galvo_tasks.guard.known import Known
from galvo_tasks.guard.letter import Letter, without_key
from galvo_tasks.guard.settling import Ended, Settling
from galvo_tasks.jobs.telling import teller_of
from galvo_tasks.metering.metrics import done
from galvo_tasks.metering.recorder import record
from galvo_tasks.settings import settings_of

logger = logging.getLogger(__name__)

AGAIN_AFTER = 5.0
"""Seconds after which the broker is asked again for what it could not do."""
LOOKS = (1.0, 10.0, 60.0, 600.0)
"""Seconds: when another worker may have called a task lost that has ended here."""


class PutAside(TasksProblem):
    """The task is on the dead-letter list: the exception of the signal task_failure for one that was not run."""


class Guard:
    def __init__(self, app: Celery[Any]) -> None:
        self.app = app
        self.known = Known()
        self.starts = settings_of(app).starts
        self.timer: Any = None
        """Celery's, of the worker; without one a broker that is away is not asked again."""
        self.redelivers = kind_of(str(app.conf.broker_url)) == "amqp"
        """The broker gives back at once what was not acknowledged through a connection that is lost."""
        self._patience = settings_of(app).deadline
        self._settling = Settling(lambda: self.letters)

    @cached_property
    def letters(self) -> DeadLetters:
        return dead_letters(self.app)

    def first(self, action: Callable[[], None], then: Callable[[], None]) -> None:
        """`then` once `action` has succeeded: until it does, the broker keeps what `then` would acknowledge."""
        try:
            action()
        except Exception as error:  # whatever a client raises: nothing may be acknowledged
            if self.timer is None:
                raise
            logger.error("the broker does not take what is to be kept (%s); asking again in %g s", error, AGAIN_AFTER)
            self.timer.call_after(AGAIN_AFTER, self.first, (action, then))
        else:
            then()

    def put_aside(self, entry: Entry) -> None:
        """Raises what kombu raises."""
        self.letters.put(entry)
        letter = entry.letter
        logger.error(
            "task %s[%s] is put aside: %s; see galvo tasks dead show %s",
            *(printable(text) for text in (letter.task, letter.id, entry.reason, entry.id)),
        )

    def refuse(self, task: Any, letter: Letter, reason: str) -> None:
        """Put aside what is not run at all, and tell whoever waits for it."""
        self.put_aside(entry(letter, reason))
        record(done(letter.task, "dead"))
        self.tell_job(letter, PutAside.__name__, reason)
        signals.task_failure.send(
            sender=task, task_id=letter.id, exception=PutAside(reason), args=(), kwargs={}, traceback=None, einfo=None
        )

    def tell_job(self, letter: Letter, kind: str, text: str) -> None:
        """Whoever waits for its result learns that there will be none."""
        if getattr(self.app.tasks.get(letter.task), "keep_result", False):
            teller_of(self.app).tell(letter.id, lambda ledger: ledger.fail(letter.id, kind, text))

    def send_again(self, *letters: Letter, lost: int | None = None) -> None:
        """Publish copies; `lost`: how many workers were lost with it. Raises what kombu raises."""
        with connected(self.app) as connection:
            for letter in letters:
                headers = without_key(letter.headers) | ({} if lost is None else {LOST: lost})
                letter.send(connection.default_channel, headers, self._patience)

    def settle(self, letter: Letter, looks: tuple[float, ...] = LOOKS) -> None:
        """It has ended here although its connection was lost: another worker that was given it took it for lost."""
        self._settle_later(Ended(letter), looks)

    def _settle_later(self, ended: Ended, looks: tuple[float, ...]) -> None:
        if self.timer is not None and looks and not ended.settled:
            self.timer.call_after(looks[0], self._settle, (ended, looks[1:]))

    def _settle(self, ended: Ended, looks: tuple[float, ...]) -> None:
        if not ended.settled:
            self._settling.look(ended)
            self._settle_later(ended, looks)


def guard_of(app: Celery[Any]) -> Guard:
    """The one of this process."""
    found = getattr(app, "galvo_guard", None)
    if not isinstance(found, Guard):
        found = app.galvo_guard = Guard(app)  # type: ignore[attr-defined]
    return found
