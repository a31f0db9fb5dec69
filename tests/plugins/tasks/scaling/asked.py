"""A worker that is too busy to answer is asked again."""

from __future__ import annotations

from galvo_tasks.scaling.asking import NoAnswer, ask
from galvo_tasks.scaling.protocol import WorkerState
from tests.plugins.tasks.stand import Stand


def asked(stand: Stand, pid: int) -> WorkerState:
    """What the worker tells, at last."""
    found: list[WorkerState] = []

    def answered() -> bool:
        try:
            found.append(ask(pid))
        except NoAnswer:
            return False
        return True

    stand.until(answered)
    return found[0]
