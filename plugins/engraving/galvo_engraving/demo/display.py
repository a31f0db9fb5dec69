"""Progress on stderr: bars on a terminal, plain lines elsewhere, nothing at all beside JSON."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Display:
    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        console = Console(stderr=True)
        self._lines = not quiet and not console.is_terminal
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or self._lines,
        )

    def __enter__(self) -> None:
        self.progress.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def step(self, text: str) -> None:
        """Something that has no length."""
        if self._lines:
            sys.stderr.write(f"galvo: {text}\n")
        elif not self.quiet:
            self.progress.console.print(f"galvo: {text}", highlight=False)

    def bar(self, text: str, unit: str) -> Bar:
        return Bar(self, text, unit)


class Bar:
    """Appears with its first update, so that what is skipped is not shown."""

    def __init__(self, display: Display, text: str, unit: str) -> None:
        self._display = display
        self._text = text
        self._unit = unit
        self._task = display.progress.add_task(text, total=None, visible=False)
        self._shown = False

    def say(self, text: str) -> None:
        self._display.progress.update(self._task, description=text)

    async def update(self, done: int, total: int) -> None:
        if not self._shown:
            self._shown = True
            if self._display.progress.disable:
                self._display.step(f"{self._text} ({total:,} {self._unit})")
        self._display.progress.update(self._task, completed=done, total=total, visible=True)

    def finish(self) -> None:
        self._display.progress.update(self._task, visible=False)
