"""Workers whose cost is compared: Celery's as it comes, as it is tuned, and galvo's with more and more of its parts."""

from __future__ import annotations

from galvo_bench.tasks.workers import Way

BASELINE = Way("Celery, results in Redis", results=True)
"""As its own first steps show it."""
PRESET = {
    "task_ignore_result": True,
    "task_acks_late": True,
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    "worker_enable_remote_control": False,
}
QUIET = ("--without-gossip", "--without-mingle")
WAYS = (
    BASELINE,
    Way("Celery, no results"),
    Way("Celery, galvo's settings", PRESET, QUIET),
    Way("Celery, galvo's transport", PRESET, QUIET, transport=True),
    Way("galvo, no kernel", {"kernel": False}, galvo=True),
    Way("galvo", galvo=True),
    Way("galvo, coroutines", galvo=True, task="awaited"),
    Way("galvo, results kept", galvo=True, task="kept"),
)
