"""What asking for a task raises: either it was asked wrongly, or the broker did not take it."""

from __future__ import annotations

from kombu.exceptions import EncodeError, OperationalError

from galvo_tasks.errors import TasksProblem


class Refused(TasksProblem):
    """Asked wrongly. Nothing was sent."""


class PayloadTooLarge(Refused):
    """The arguments are larger than `payload` under [tasks]."""


class NotSerialisable(Refused, EncodeError):
    """An argument cannot be told as JSON. An EncodeError, too: Celery looks for that."""


class NotPublished(TasksProblem, OperationalError):
    """The broker has not confirmed the task. An OperationalError, too: Celery looks for that.

    `id` is the task's; `may_arrive`: it was on its way, so that it may run nevertheless.
    """

    may_arrive = False

    def __init__(self, text: str, id: str) -> None:
        super().__init__(text)
        self.id = id


class BrokerAway(NotPublished):
    """There is no connection to the broker, or it has not answered for some time. Nothing was sent."""


class BrokerRefused(NotPublished):
    """The broker answered that it does not take it: it is full, read-only, or wants another login."""


class DeadlinePassed(NotPublished):
    """The deadline passed before anything was sent."""


class Unconfirmed(NotPublished):
    """It was sent and nothing has come back, in time or ever: it may arrive, or have arrived."""

    may_arrive = True


class NotFollowed(TasksProblem, OperationalError):
    """A task has run, but what follows it could not be asked for. An OperationalError, too: Celery looks for that."""
