"""A task that somebody waits for: progress, result, cancel.

For tasks with `keep_result=True`. It is kept in Redis beside Celery, whose own results stay off.
"""

from galvo_tasks.jobs.errors import (
    Cancelled,
    JobCancelled,
    JobFailed,
    JobProblem,
    JobTimeout,
    JobUnknown,
    NotJson,
    ResultsAway,
    ResultTooLarge,
)
from galvo_tasks.jobs.job import Job
from galvo_tasks.jobs.results import close
from galvo_tasks.jobs.running import progress
from galvo_tasks.jobs.state import Progress, State

__all__ = [
    "Cancelled",
    "Job",
    "JobCancelled",
    "JobFailed",
    "JobProblem",
    "JobTimeout",
    "JobUnknown",
    "NotJson",
    "Progress",
    "ResultTooLarge",
    "ResultsAway",
    "State",
    "close",
    "progress",
]
