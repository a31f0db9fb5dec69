"""Tasks that run: coroutines, a kernel in each worker process, retries."""

from __future__ import annotations

from galvo_tasks.running.coroutines import cancel, in_loop
from galvo_tasks.running.lifecycle import worker_kernel
from galvo_tasks.running.retries import Backoff

__all__ = ["Backoff", "cancel", "in_loop", "worker_kernel"]
