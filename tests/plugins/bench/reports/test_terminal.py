"""What a terminal of 80 columns shows, and how far a run is."""

from __future__ import annotations

import io
import re
import threading

import pytest

from galvo_bench.reports.progress import Progress
from galvo_bench.reports.table import show, show_run
from galvo_bench.results.model import Missing, Section
from tests.plugins.bench.reports import sample


def test_everything_fits(capsys: pytest.CaptureFixture[str]) -> None:
    show_run(sample.whole())
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    words = said.split()
    for verdict in ("beyond", "met", "missed", "faster", "slower", "baseline"):
        assert verdict in words
    for figure in (
        "0.338x",
        "our goal -50 %",
        "4,300,127",
        "24,390",
        "not shown",
        "aiopg: not measured, not installed",
    ):
        assert figure in said
    assert "PARTIAL" not in said


def test_a_partial_run_ends_with_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    show_run(sample.partial())
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "l2: Redis went away: connection refused",
        "PARTIAL: 2 of 4 subjects are measured; the run ended before worker.",
    ]


def test_nothing_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    run = sample.partial()
    run.problems[0] = type(run.problems[0])("l2\x1b[2J", "[bold]\x9b2J\r")
    show_run(run)
    assert "l2\ufffd[2J: [bold]\ufffd2J\ufffd" in capsys.readouterr().out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run_two(progress: Progress) -> None:
    for subject in ("connections", "l2"):
        progress.begin(subject)
        progress.tick()
        progress.tick()
        progress.end()


def untimed(stream: io.StringIO) -> list[str]:
    """Its lines, without how long something took."""
    return re.sub(r"in [\d ms]+,", "in TIME,", stream.getvalue()).splitlines()


def test_lines_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    run_two(Progress(2, stream))
    assert untimed(stream) == [
        "measuring connections (1 of 2)",
        "measured connections in TIME, 2 rounds",
        "measuring l2 (2 of 2)",
        "measured l2 in TIME, 2 rounds",
    ]


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no thread that draws it: it would be measured, too."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("galvo_bench.reports.progress.OFTEN", 0)
    before, stream = threading.active_count(), Terminal()
    progress = Progress(2, stream)
    progress.begin("connections")
    progress.tick()
    assert threading.active_count() == before
    assert "0/2" in stream.getvalue()
    assert "round 2" in stream.getvalue()
    progress.end()
    assert "measured connections in TIME, 1 round" in untimed(stream)[-1]
    assert stream.getvalue().count("\x1b[?25h") == stream.getvalue().count("\x1b[?25l") == 1, "the cursor is not back"


def test_what_was_not_measured_is_not_said_to_be() -> None:
    stream = io.StringIO()
    progress = Progress(1, stream)
    progress.begin("l2")
    progress.end("interrupted")
    assert untimed(stream)[-1] == "interrupted l2 in TIME, 0 rounds"


def test_an_end_without_a_begin_says_nothing_wrong() -> None:
    """Whoever is interrupted may end twice."""
    stream = io.StringIO()
    progress = Progress(1, stream)
    progress.end()
    progress.begin("l2")
    progress.end()
    progress.end()
    assert untimed(stream) == ["measuring l2 (1 of 1)", "measured l2 in TIME, 0 rounds"]


def test_a_section_of_nothing_has_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    show(Section("images", "Images", "Nothing here.", [Missing("Pillow", "not installed")]))
    said = capsys.readouterr().out
    assert "Pillow: not measured, not installed" in said
    assert not set("─━-") & set(said)
