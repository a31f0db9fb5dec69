"""How far a run is: on stderr, so that its results can be piped. A bar on a terminal, elsewhere lines.

No thread draws it: it would be measured, too. It changes between rounds only.
"""

from __future__ import annotations

import sys
from time import monotonic
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from galvo_bench.reports.units import duration

OFTEN = 0.1
"""Seconds between two drawings, at least."""


class Progress:
    """Of a run of `total` subjects. `begin` and `end` frame each of them, `tick` says that a round is over."""

    def __init__(self, total: int, stream: TextIO = sys.stderr) -> None:
        self._total = total
        self._subjects = self._rounds = 0
        self._subject = ""
        self._started = self._began = monotonic()
        self._drawn = 0.0
        self._console = Console(file=stream, highlight=False)
        self._bar: Bar | None = None

    def begin(self, subject: str) -> None:
        self._subjects, self._rounds, self._subject, self._began = self._subjects + 1, 0, subject, monotonic()
        if self._console.is_terminal:
            self._bar = self._new()
            self._bar.start()
            self._draw()
        else:
            self._say(f"measuring {subject} ({self._subjects} of {self._total})")

    def tick(self) -> None:
        self._rounds += 1
        if self._bar and monotonic() - self._drawn >= OFTEN:
            self._draw()

    def end(self, how: str = "measured") -> None:
        """`how`: measured, failed, interrupted or stopped."""
        if self._bar:
            self._bar.stop()
            self._bar = None
        if not self._subject:
            return
        rounds = f"{self._rounds} round{'s' * (self._rounds != 1)}"
        self._say(f"{how} {self._subject} in {duration(monotonic() - self._began)}, {rounds}")
        self._subject = ""

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, style="dim", soft_wrap=True)

    def _new(self) -> Bar:
        bar = Bar(
            TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TextColumn("{task.fields[told]}"),
            console=self._console, auto_refresh=False, transient=True, redirect_stdout=False,
        )  # fmt: skip
        bar.add_task(self._subject, total=self._total, completed=self._subjects - 1, told="")
        return bar

    def _draw(self) -> None:
        if self._bar:
            now = self._drawn = monotonic()
            told = f"round {self._rounds + 1}, {duration(now - self._began)} of {duration(now - self._started)}"
            self._bar.update(self._bar.task_ids[0], told=told)
            self._bar.refresh()
