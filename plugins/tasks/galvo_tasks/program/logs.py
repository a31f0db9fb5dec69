"""What a worker's log leaves out."""

from __future__ import annotations

import logging
import warnings

from celery.exceptions import CPendingDeprecationWarning, SecurityWarning

EACH_TASK = ("celery.worker.strategy", "celery.app.trace")
"""Loggers with a line or two for every task, which cost more than many a task."""


def quiet(*, verbose: bool = False) -> None:
    """Before the worker is made. `verbose`: each task's begin and end stay in."""
    warnings.filterwarnings("ignore", category=SecurityWarning)  # of root: pickle, which makes it unsafe, is refused
    for name in EACH_TASK:
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.WARNING)
    warnings.filterwarnings("ignore", message=".*Celery 5.1.*", category=CPendingDeprecationWarning)
