"""A plot as a figure of HTML and SVG that is as wide as there is room, with its numbers as a table below.

Lines are drawn in a square that is stretched; points and labels are placed in percent, so that these are not.
"""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite

from galvo_bench.reports.markup import Markup, tag
from galvo_bench.reports.scale import Scale, around
from galvo_bench.reports.units import number
from galvo_bench.results.model import Plot, Point

COLOURS = 6
MARKED = 40
"""Points of a line up to which each is marked."""
LISTED = 60
"""Rows of the table of numbers; of more points every n-th is in it."""
TICKS = 5
PERCENTILE = "percentile"
"""The x axis of a latency distribution: 1 / (1 - q), so that the tail has room."""


def plot(made: Plot, heading: str) -> Markup:
    """`heading` is the element of its title: h4."""
    lines = {name: _usable(made, points) for name, points in made.lines.items()}
    points = [point for several in lines.values() for point in several]
    across = around((x for x, _ in points), made.log_x)
    up = around((y for _, y in points), made.log_y).rounded(TICKS)
    kinds = _kinds(lines)
    legend = [tag("li", _sample(), name, class_=kinds[name]) for name in lines]
    said = f"{made.title}: {made.y} by {made.x}, {', '.join(lines)}. The numbers are in the table below."
    drawn = [_rule(up, tick) for tick in up.ticks(TICKS)]
    drawn += [_line(across, up, several, kinds[name]) for name, several in lines.items()]
    for name, several in lines.items():
        if len(several) <= MARKED:
            drawn += [_mark(across, up, made, name, point, kinds[name]) for point in several]
    stage = tag("svg", *drawn, class_="stage", width="100%", height="100%", role="img", aria_label=said)
    return tag(
        "figure",
        tag("figcaption", tag(heading, made.title), tag("p", made.y, class_="unit")),
        tag("ul", *legend, class_="legend"),
        tag("div", _left(up), stage, _below(made, across), class_="plot"),
        tag("p", made.x, class_="unit below"),
        tag("details", tag("summary", "Numbers", tag("span", f" of {made.title}", class_="unseen")), _numbers(made)),
        class_="figure",
    )


def _usable(made: Plot, points: list[Point]) -> list[Point]:
    return [
        (x, y) for x, y in points
        if isfinite(x) and isfinite(y) and (x > 0 or not made.log_x) and (y > 0 or not made.log_y)
    ]  # fmt: skip


def _kinds(names: Collection[str]) -> dict[str, str]:
    """By name: its colour, and dashes once all colours are used. A/A is grey, so that the others keep theirs."""
    again = {name: "line again" for name in names if "again" in name}
    others = enumerate(name for name in names if name not in again)
    return again | {
        name: f"line line-{place % COLOURS}{' dashed' if place >= COLOURS else ''}" for place, name in others
    }


def _sample() -> Markup:
    return tag("svg", tag("line", x1=1, x2=21, y1=5, y2=5), width=22, height=10, aria_hidden="true")


def _line(across: Scale, up: Scale, points: list[Point], kind: str) -> Markup:
    steps = " ".join(f"{1000 * across.at(x):.1f},{1000 - 1000 * up.at(y):.1f}" for x, y in points)
    line = tag("polyline", points=steps, vector_effect="non-scaling-stroke")
    return tag("svg", line, class_=kind, viewBox="0 0 1000 1000", preserveAspectRatio="none",
               width="100%", height="100%")  # fmt: skip


def _mark(across: Scale, up: Scale, made: Plot, name: str, point: Point, kind: str) -> Markup:
    x, y = point
    title = tag("title", f"{name}: {number(y)} at {_x(made, x)}")
    return tag("circle", title, class_=kind, cx=_percent(across.at(x)), cy=_percent(1 - up.at(y)), r=3)


def _rule(up: Scale, tick: float) -> Markup:
    y = _percent(1 - up.at(tick))
    return tag("line", x1=0, x2="100%", y1=y, y2=y, class_="rule")


def _left(up: Scale) -> Markup:
    labels = [
        tag("text", number(tick), x="100%", y=_percent(1 - up.at(tick)), dy="0.32em", text_anchor="end")
        for tick in up.ticks(TICKS)
    ]
    return tag("svg", *labels, class_="left", width="100%", height="100%", aria_hidden="true")


def _below(made: Plot, across: Scale) -> Markup:
    ticks = [tick for tick in (2.0, 10.0, 100.0, 1e3, 1e4) if across.low <= tick <= across.high]
    labels = [
        tag("text", _x(made, tick), x=_percent(across.at(tick)), y=14, text_anchor="middle")
        for tick in (ticks if made.x == PERCENTILE else across.ticks(TICKS))
    ]
    return tag("svg", *labels, class_="under", width="100%", height=18, aria_hidden="true")


def _x(made: Plot, x: float) -> str:
    """As people read it: of a percentile's axis, the percentile."""
    return f"{100 * (1 - 1 / x):.6g} %" if made.x == PERCENTILE and x > 0 else number(x)


def _numbers(made: Plot) -> Markup:
    columns = {name: dict(points) for name, points in made.lines.items()}
    places = sorted({x for points in columns.values() for x in points})
    places = places[:: -(-len(places) // LISTED)] if places else []
    heads = [tag("th", head, scope="col") for head in (made.x, *columns)]
    rows = [
        tag("tr", tag("th", _x(made, x), scope="row"),
            *(tag("td", number(points[x]) if x in points else "") for points in columns.values()))
        for x in places
    ]  # fmt: skip
    table = tag("table", tag("caption", f"{made.title}: {made.y}", class_="unseen"),
                tag("thead", tag("tr", *heads)), tag("tbody", *rows))  # fmt: skip
    return tag("div", table, class_="rows", tabindex=0, role="region", aria_label=f"Numbers of {made.title}")


def _percent(place: float) -> str:
    return f"{100 * place:.2f}%"
