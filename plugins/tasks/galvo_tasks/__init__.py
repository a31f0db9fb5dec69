"""Tasks: Celery made resource-aware, prioritised and safe."""

from __future__ import annotations

from galvo_tasks.app import celery_app, configure
from galvo_tasks.config.check import check
from galvo_tasks.config.trap import Trap
from galvo_tasks.errors import TasksProblem
from galvo_tasks.jobs import Cancelled, Job, JobFailed, Progress, State, progress
from galvo_tasks.plugin import TasksPlugin
from galvo_tasks.priority import Priority
from galvo_tasks.publishing.problems import BrokerAway, NotPublished, Refused, Unconfirmed
from galvo_tasks.running import Backoff, in_loop, worker_kernel
from galvo_tasks.settings import RuntimeClass, TasksSettings
from galvo_tasks.task import Task

__all__ = [
    "Backoff", "BrokerAway", "Cancelled", "Job", "JobFailed", "NotPublished", "Priority", "Progress", "Refused",
    "RuntimeClass", "State", "Task", "TasksPlugin", "TasksProblem", "TasksSettings", "Trap", "Unconfirmed",
    "celery_app", "check", "configure", "in_loop", "progress", "worker_kernel",
]  # fmt: skip
