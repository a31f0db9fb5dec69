"""One view, drawn: the verdict first, then alerts, insights, and a line for each chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from galvo_local import printable
from galvo_monitor import view as shown
from galvo_monitor.terminal.figures import figure, span, sparks
from galvo_monitor.view import Alert, Chart, Insight, Panel, Value, View

Past = Mapping[str, Sequence[float | None]]
"""What each line was before, by `Value.series`."""
STYLES = {
    "ok": "bold green", "resolved": "green", "info": "cyan", "pending": "yellow", "warning": "bold yellow",
    "critical": "bold red",
}  # fmt: skip
MARKS = {"ok": "●", "warning": "▲", "critical": "■"}
"""Not by colour alone."""
ROWS = (5, 3, 1, 0)
"""Of a table, as many as there is room for."""
SPARKS = 8
GAP = 3
"""Columns between two values."""


def fitting(console: Console, view: View, now: float, past: Past, note: str) -> RenderableType:
    """A frame with tables as long as the terminal's height allows."""
    made: RenderableType = ""
    for rows in ROWS:
        made = frame(view, now, past, note, rows)
        if len(console.render_lines(made)) <= console.height:
            break
    return made


def frame(view: View, now: float, past: Past | None = None, note: str = "", rows: int = ROWS[0]) -> RenderableType:
    """`now`: seconds since the epoch; `note`: what is to be known of this view; `rows`: of a table."""
    parts: list[RenderableType] = [_head(view, now), _verdict(view)]
    if note:
        parts.append(Text(printable(note), style="yellow"))
    parts += [*_alerts(view.alerts, now), *_insights(view.insights, now)]
    for panel in view.panels:
        parts += _panel(panel, past or {}, rows)
    return Group(*parts)


def line(view: View, user: str = "") -> Text:
    """One of several processes; `user`: whose it is, if another's."""
    whose = f"(user {printable(user)}) " if user else ""
    made = Text.assemble(f"{view.pid:>8} ", _status(view), " ", whose, printable(view.verdict), no_wrap=True)
    made.truncate(78, overflow="ellipsis")
    return made


def _head(view: View, now: float) -> RenderableType:
    left = Text.assemble(("galvo ", "bold"), f"process {view.pid}, up {span(view.at - view.started)}")
    if view.processes > 1:
        left.append(f", with {view.processes - 1} more")
    age = now - view.at
    right = Text(f"{_clock(view.at, now)}, {span(age)} ago" if age >= 1 else _clock(view.at, now), style="dim")
    grid = Table.grid(expand=True)
    grid.add_column(ratio=1)
    grid.add_column(justify="right")
    grid.add_row(left, right)
    return grid


def _verdict(view: View) -> RenderableType:
    return _hanging(Text.assemble(_status(view)), Text(printable(view.verdict), style="bold"))


def _status(view: View) -> Text:
    return Text(f"{MARKS[view.status]} {view.status:9}", style=STYLES[view.status])


def _alerts(alerts: Sequence[Alert], now: float) -> Iterator[RenderableType]:
    if not alerts:
        return
    yield _rule("Alerts")
    order = {"firing": 0, "pending": 1, "resolved": 2}
    for alert in sorted(alerts, key=lambda one: (order[one.state], one.silenced, one.since)):
        style = STYLES[alert.severity if alert.state == "firing" else alert.state]
        state = "silenced" if alert.silenced else alert.state
        labels = ", ".join(f"{name}={value}" for name, value in alert.labels)
        yield _hanging(
            Text.assemble((f"{alert.severity:9}", STYLES[alert.severity]), (f"{state:9}", style)),
            Text.assemble(
                (printable(alert.name), "bold"), f" for {span(now - alert.since)}: {printable(alert.sentence)}",
                (f" ({printable(labels)})" if labels else "", "dim"),
            ),
        )  # fmt: skip


def _insights(insights: Sequence[Insight], now: float) -> Iterator[RenderableType]:
    if not insights:
        return
    yield _rule("Insights")
    for insight in insights:
        yield _hanging(
            Text(f"{_clock(insight.since, now):12}{insight.confidence:>4.0%}  ", style="cyan"),
            Text.assemble(printable(insight.sentence), (f"\n{printable(insight.evidence)}", "dim")),
        )


def _panel(panel: Panel, past: Past, rows: int) -> Iterator[RenderableType]:
    yield _rule(panel.title)
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(width=25)
    grid.add_column(ratio=1)
    if past:
        grid.add_column(width=SPARKS, justify="right", style="cyan", no_wrap=True)
    for chart in panel.charts:
        grid.add_row(Text(printable(chart.title), style="dim"), _Values(chart.values), *_course(chart, past))
    if panel.charts:
        yield grid
    if rows:
        for table in panel.tables:
            yield Padding(_table(table, rows), (0, 0, 0, 2))


class _Values:
    """Side by side, and never broken between a label and its number."""

    def __init__(self, values: Sequence[Value]) -> None:
        self._values = values

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text()
        for value in self._values:
            made = Text.assemble(f"{printable(value.label)} ", (figure(value.now, value.unit), "bold"))
            if line and line.cell_len + GAP + made.cell_len > options.max_width:
                yield line
                line = Text()
            line = Text.assemble(line, " " * GAP if line else "", made)
        yield line


def _course(chart: Chart, past: Past) -> Iterator[Text]:
    """Of its last line: the highest percentile, the longest pause."""
    if past:
        series = chart.values[-1].series if chart.values else ""
        yield Text(sparks(past.get(series, ()), SPARKS))


def _table(table: shown.Table, rows: int) -> RenderableType:
    made = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim", title_justify="left")
    for index, (name, unit) in enumerate(table.columns):
        title = printable(name or (table.title if index == 0 else ""))
        if unit:
            made.add_column(title, justify="right", no_wrap=True)
        else:
            made.add_column(title, ratio=2 if index == 0 else 1, no_wrap=True, overflow="ellipsis")
    for row in table.rows[:rows]:
        cells = zip(row, table.columns, strict=False)
        made.add_row(*(Text(_cell(cell, unit)) for cell, (_, unit) in cells))
    return made


def _cell(cell: shown.Cell, unit: str) -> str:
    if isinstance(cell, str):
        return printable(" ".join(cell.split()))
    return figure(cell, unit)


def _hanging(first: Text, text: Text) -> RenderableType:
    grid = Table.grid(expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_row(first, text)
    return grid


def _rule(title: str) -> RenderableType:
    return Rule(Text(printable(title), style="bold"), align="left", style="dim")


def _clock(at: float, now: float) -> str:
    """The time of day here, with the date when it was another day."""
    there = datetime.fromtimestamp(at).astimezone()
    today = datetime.fromtimestamp(now).astimezone().date()
    return f"{there:%H:%M:%S}" if there.date() == today else f"{there:%d %b %H:%M}"
