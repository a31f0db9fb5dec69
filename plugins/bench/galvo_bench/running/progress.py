"""What a run tells while it goes on; how it is shown is for whoever shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def begin(self, subject: str) -> None: ...

    def tick(self) -> None:
        """A round is over."""

    def end(self, how: str = "measured") -> None:
        """The subject is over: how is a word."""


class Silent:
    """Shows nothing."""

    def begin(self, subject: str) -> None:
        pass

    def tick(self) -> None:
        pass

    def end(self, how: str = "measured") -> None:
        pass
