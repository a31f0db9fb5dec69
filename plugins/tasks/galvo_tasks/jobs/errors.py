"""What goes wrong with a job: told to its task, or to who waits for it."""

from __future__ import annotations

from celery.exceptions import Ignore

from galvo.sizes import show
from galvo_tasks.errors import TasksProblem


class JobProblem(TasksProblem):
    """Base of all of them."""


class JobUnknown(JobProblem):
    """Nobody asked for it, or it ended too long ago."""

    def __init__(self, id: str) -> None:
        super().__init__(
            f"no job {id} is known: its task has no keep_result=True, or it ended longer ago than result_ttl under "
            "[tasks]"
        )


class JobFailed(JobProblem):
    """Its task raised: `kind` is the exception's name."""

    def __init__(self, id: str, kind: str, text: str) -> None:
        super().__init__(f"job {id} failed: {kind}: {text}" if text else f"job {id} failed: {kind}")
        self.kind, self.text = kind, text


class JobCancelled(JobProblem):
    """Somebody cancelled it."""

    def __init__(self, id: str) -> None:
        super().__init__(f"job {id} was cancelled")


class JobTimeout(JobProblem, TimeoutError):
    """It has not ended yet."""


class ResultTooLarge(JobProblem):
    """More than the limit."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"a result of {show(size)} is more than {show(limit)}: put it into the database and return its key, or "
            "raise result under [tasks]"
        )


class NotJson(JobProblem):
    """A result that JSON has no form for."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the result cannot be kept: {why}: return None, bool, int, float, str, and lists and dicts")


class ResultsAway(JobProblem):
    """The Redis that keeps jobs does not do what it is asked."""

    def __init__(self, error: BaseException) -> None:
        reason = " ".join(str(error).split()) or "no answer in time"
        super().__init__(
            f"the Redis for progress and results is away ({type(error).__name__}: {reason}): see results under [tasks]"
        )


class Unreadable(JobProblem):
    """What Redis holds is not what galvo writes."""

    def __init__(self, id: str, what: str) -> None:
        super().__init__(f"what Redis holds of job {id} was not written by galvo ({what}): delete it, ask again")


UNTOLD = "galvo_untold"
"""The attribute of an exception with which a job has ended and could not say so: the kind that it would have told."""


class Stopped(Ignore):
    """To Celery: neither done nor failed, because somebody cancelled it."""


class Cancelled(BaseException):
    """Raised by `progress()` in a task that was cancelled.

    As with asyncio's, `except Exception` does not catch it: a task cannot call it a failure by accident.
    """
