"""A task as the worker's main process sees it, from its arrival to its acknowledgement."""

from __future__ import annotations

from celery.worker.request import Request as CeleryRequest

from galvo_tasks.guard.guarded import Guarded
from galvo_tasks.jobs.requested import Requested
from galvo_tasks.metering.measured import Measured
from galvo_tasks.running.limits import Limited


class Request(Requested, Guarded, Measured, Limited, CeleryRequest):
    """What each part of galvo adds to Celery's."""
