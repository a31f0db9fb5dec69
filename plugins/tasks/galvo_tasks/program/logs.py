"""What a worker's log says."""

from __future__ import annotations

import logging
import warnings
from typing import Any

from billiard.exceptions import WorkerLostError
from celery import Celery
from celery.app.defaults import DEFAULTS
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
from celery.worker import request
from celery.worker.consumer import connection
from celery.worker.consumer import consumer as celery_consumer

from galvo_tasks.broker.address import redis_url

consumer: Any = celery_consumer
"""Its texts are not in the stubs."""
EACH_TASK = ("celery.worker.strategy", "celery.app.trace")
"""Loggers with a line or two for every task, which cost more than many a task."""
CONNECTED = "Connected to %s"
FORMATS = {
    "worker_log_format": "%(asctime)s %(levelname)-7s %(message)s",
    "worker_task_log_format": "%(asctime)s %(levelname)-7s %(task_name)s[%(task_id)s] %(message)s",
}


def plain(app: Celery[Any]) -> None:
    """Lines without the names of processes, unless the application has formats of its own."""
    app.conf.update({name: text for name, text in FORMATS.items() if app.conf[name] == DEFAULTS[name]})


def allow_root() -> None:
    """Celery warns of it at length: for pickle, which makes it unsafe, and which `check` refuses."""
    warnings.filterwarnings("ignore", category=SecurityWarning)


def quiet(*, verbose: bool = False) -> None:
    """After Celery has set up its log. `verbose`: each task's begin and end stay in."""
    for name in EACH_TASK:
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.WARNING)
    for module in (consumer, connection):
        logging.getLogger(module.__name__).addFilter(short)
    logging.getLogger(request.__name__).addFilter(untraced)
    warnings.filterwarnings("ignore", message=r"\s*In Celery 5\.1 ", category=CPendingDeprecationWarning)


def short(record: logging.LogRecord) -> bool:
    """The consumer's texts in one line, and without those that tell of Celery rather than of the broker."""
    if record.msg == CONNECTED and isinstance(record.args, tuple):
        record.args = (redis_url(str(record.args[0])),)
    elif record.msg == consumer.CONNECTION_ERROR and isinstance(record.args, tuple):
        where, why, then = record.args
        record.msg = "the broker %s cannot be reached (%s): %s"
        record.args = (redis_url(str(where)), str(why).rstrip(". "), str(then).strip().partition("...")[0].lower())
    elif record.msg == "%s (%r)" and isinstance(record.args, tuple) and record.args[0] == consumer.CONNECTION_RETRY:
        record.msg, record.args = "the connection to the broker is lost (%s)", (record.args[1],)
    return "prefetch count" not in str(record.msg)


def untraced(record: logging.LogRecord) -> bool:
    """Where a process was lost, the traceback is billiard's own."""
    if isinstance(record.args, tuple) and record.args and isinstance(record.args[0], WorkerLostError):
        record.exc_info = None
    return True
