"""`galvo top`: what a running process's monitor has to say, live."""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from collections.abc import Sequence

import galvo_local
from galvo import GalvoError
from galvo_local import printable
from galvo_monitor.arguments import seconds
from galvo_monitor.asking.asking import Ended, NoAnswer, ask, owners, processes
from galvo_monitor.errors import MonitorProblem
from galvo_monitor.status import given, name
from galvo_monitor.status import note as about
from galvo_monitor.terminal.printing import console
from galvo_monitor.view import View

KEPT = 60
"""Values of each line."""


def main(argv: Sequence[str]) -> int:
    """0: ended by Ctrl-C, or no terminal is there and one frame was printed; 1: it could not be asked, or has ended."""
    options = parser().parse_args(argv)
    try:
        process = given(options)
        _run(process or _only(), options.every, named=bool(process))
    except GalvoError as error:
        sys.stderr.write(f"galvo: {printable(str(error))}\n")
        return 1
    except KeyboardInterrupt:  # that is how it ends
        pass
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo top", description="Show how a running process is, live, until Ctrl-C; one frame without a terminal."
    )
    name(made, "of the process; default: the one in this folder, or the only one")
    made.add_argument("--every", type=seconds(0.2), default=2.0, metavar="SECONDS", help="between two frames (2)")
    return made


class Course:
    """What each line was in the last frames."""

    def __init__(self) -> None:
        self.past: dict[str, deque[float | None]] = {}
        self._last = float("-inf")

    def add(self, view: View) -> None:
        if view.at == self._last:
            return
        self._last = view.at
        now = {value.series: value.now for panel in view.panels for chart in panel.charts for value in chart.values}
        for series in self.past.keys() | now.keys():
            self.past.setdefault(series, deque(maxlen=KEPT)).append(now.get(series))


def _run(process: int, every: float, *, named: bool) -> None:
    """Raises NoAnswer when it does not answer at first, Ended once it has."""
    screen = console()
    from rich.live import Live

    from galvo_monitor.terminal.frame import fitting, frame

    view, whose = ask(process, live=True), about(process, owners().get(process, ""), named=named)
    if not sys.stdout.isatty():
        screen.print(frame(view, time.time(), note=whose))
        return
    course, note = Course(), whose
    with Live(console=screen, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            course.add(view)
            past = {series: list(values) for series, values in course.past.items()}
            live.update(fitting(screen, view, time.time(), past, note), refresh=True)
            time.sleep(every)
            try:
                view, note = ask(process, live=True), whose
            except Ended:
                raise
            except NoAnswer as error:  # it may again; until then the last that is known is shown
                note = str(error)


def _only() -> int:
    try:
        return galvo_local.only(processes())
    except galvo_local.NoAnswer as error:
        raise MonitorProblem(str(error)) from None
