"""What goes wrong with what runs on a loop."""

from __future__ import annotations

from galvo_tasks.errors import TasksProblem


class WrongThread(TasksProblem):
    """It would wait for the very loop that it runs on, or for another one."""


class CancelledFromWithin(TasksProblem):
    """A coroutine ended by a cancellation that nobody asked this plugin for."""


class KernelFailed(TasksProblem):
    """The kernel of a worker process did not start; the next task that asks for it has it tried again."""


class BadBackoff(TasksProblem):
    """Waits that cannot be drawn."""
