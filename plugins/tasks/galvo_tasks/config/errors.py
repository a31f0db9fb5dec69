"""What is configured wrong."""

from __future__ import annotations

from collections.abc import Iterable

from galvo_tasks.errors import TasksProblem


class UnknownClass(TasksProblem):
    """A runtime class that the settings do not have."""

    def __init__(self, what: str, classes: Iterable[str]) -> None:
        super().__init__(f"{what} is no runtime class: there are {', '.join(classes)} under [tasks.classes]")
