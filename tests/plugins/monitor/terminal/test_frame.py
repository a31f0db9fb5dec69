"""What is drawn: the most important first, in 80 columns, whatever it says."""

from __future__ import annotations

import io

import pytest

from galvo_monitor.terminal.frame import ROWS, fitting, frame, line
from galvo_monitor.terminal.printing import WIDTH, console
from galvo_monitor.view import Chart, Panel, Table, Value, View
from tests.plugins.monitor.terminal.views import AT, CALM, INCIDENT, LATENCY, long


def drawn(view: View, **how: object) -> list[str]:
    file = io.StringIO()
    console(file).print(frame(view, AT + 4, **how))  # type: ignore[arg-type]
    return [text.rstrip() for text in file.getvalue().splitlines()]


def test_calm() -> None:
    lines = drawn(CALM)
    assert lines[0].startswith("galvo process 1, up 3 h")
    assert lines[0].endswith(", 4 s ago")
    assert lines[1] == "● ok       All is well: p95 is 1.2 ms, as it was yesterday."
    assert lines[2].startswith("Database ───")
    assert lines[3:5] == [
        "Statements                ok 812/s",
        "Time of a statement       median 400 µs   95 % 1.2 ms   99 % -",
    ]
    assert lines[5].split() == ["Statement", "Calls", "Total"]
    assert lines[6].split() == ["select", "*", "from", "material", "where", "id", "=", "$1", "123k", "31", "s"]
    assert lines[-1] == "Processor                 machine 63 %"


def test_what_matters_comes_first() -> None:
    text = "\n".join(drawn(INCIDENT))
    order = [
        "with 2 more", "■ critical p95 up 4x", "Alerts", "critical firing   pool_saturated for 12 min: Nine",
        "(pool=main)", "warning  pending  disk_full_soon", "warning  resolved loop_lag for 67 min", "Insights",
        "90%  p95 up 4x since 18:02", "p95 48 ms, 12 ms before", "Database", "System",
    ]  # fmt: skip
    places = [text.find(part) for part in order]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("text", ["word " * 60, "x" * 300, "漢字" * 60, "\x1b[31m\n\r\x9b" * 20, "[bold]", ""])
def test_whatever_it_says_it_fits(text: str) -> None:
    from rich.cells import cell_len

    lines = drawn(long(text), past={}, note=text)
    assert max(map(cell_len, lines)) <= WIDTH
    assert "\x1b" not in "".join(lines)
    assert "[bold]" not in text or "[bold]" in "".join(lines)


def test_a_label_and_its_number_stay_together() -> None:
    values = [Value("s", f"a label {number}", "s", 0.0012) for number in range(9)]
    lines = drawn(View(AT, AT, 1, "", "ok", [], [], [Panel("p", "P", [Chart("Many", values)])]))
    shown = [part for one in lines[3:] for part in one.removeprefix("Many").strip().split("   ") if part]
    assert shown == [f"a label {number} 1.2 ms" for number in range(9)]


def test_the_course_of_a_line() -> None:
    lines = drawn(CALM, past={f"{LATENCY} rate": [1.0, 2.0, 4.0], f"{LATENCY} p99": [None, 7.0]})
    assert lines[3].split() == ["Statements", "ok", "812/s", "▃▅█"]
    assert lines[4].endswith("99 % -                 █")


def test_long_tables_are_cut() -> None:
    table = Table("Holders", [("What", ""), ("Holds", "By")], [[f"row {number}", 1.0] for number in range(100)])
    lines = drawn(View(AT, AT, 1, "", "ok", [], [], [Panel("p", "P", [], [table])]))
    assert sum("row " in one for one in lines) == ROWS[0]


@pytest.mark.parametrize("height, rows", [(80, 5), (9, 5), (8, 3), (7, 3), (6, 1), (5, 1), (4, 0), (1, 0)])
def test_tables_are_as_long_as_there_is_room(height: int, rows: int) -> None:
    table = Table("Holders", [("What", ""), ("Holds", "By")], [[f"row {number}", 1.0] for number in range(100)])
    view = View(AT, AT, 1, "", "ok", [], [], [Panel("p", "P", [], [table])])
    screen = console(io.StringIO())
    screen.height = height
    lines = ["".join(part.text for part in one) for one in screen.render_lines(fitting(screen, view, AT, {}, ""))]
    assert sum("row " in one for one in lines) == rows
    assert len(lines) <= max(height, 3)


def test_one_of_several() -> None:
    text = line(INCIDENT).plain
    assert text.startswith("       1 ■ critical  p95 up 4x since 18:02; 80 %")
    assert len(line(long("word " * 60)).plain) <= WIDTH
