"""One section on the page: what it measures, its table, its plots."""

from __future__ import annotations

from galvo_bench.reports.dots import axis, dot, ruler
from galvo_bench.reports.grid import AGAIN, Grid, Line, grid
from galvo_bench.reports.markup import Markup, prose, tag
from galvo_bench.reports.plots import plot
from galvo_bench.reports.scale import Scale
from galvo_bench.results.model import Section

DIRECTION = {"time": "less is better", "speed": "more is better", "throughput": "more is better"}


def sheet(section: Section, slug: str) -> Markup:
    found = grid(section)
    scale = axis(found)
    marks = [tag("span", section.subject, class_="subject")]
    if section.exact:
        marks.append(tag("span", "counted", class_="badge"))
    if scale:
        marks.append(tag("span", f"{section.ratio}: {DIRECTION[section.ratio]}", class_="hint"))
    return tag(
        "article",
        tag("h3", section.title, id=slug),
        tag("p", *marks, class_="marks"),
        tag("p", *prose(section.explains), class_="explains"),
        _table(found, scale, slug),
        tag("div", *(plot(each, "h4") for each in section.plots), class_="plots") if section.plots else Markup(""),
        aria_labelledby=slug,
    )


def _table(found: Grid, scale: Scale | None, slug: str) -> Markup:
    heads = [tag("th", tag("span", "what", class_="unseen"), scope="col", role="columnheader")]
    heads += [tag("th", head, scope="col", role="columnheader") for head in found.heads]
    if scale:
        heads.insert(2, tag("th", tag("span", "ratio and interval", class_="unseen"), ruler(scale), scope="col",
                            role="columnheader", class_="drawn"))  # fmt: skip
    rows = [_row(found, line, scale) for line in found.lines]
    return tag(
        "table",
        tag("thead", tag("tr", *heads, role="row"), role="rowgroup"), tag("tbody", *rows, role="rowgroup"),
        role="table", aria_labelledby=slug, class_="ratios" if scale else "values",
    )  # fmt: skip


def _row(found: Grid, line: Line, scale: Scale | None) -> Markup:
    name = tag("th", line.name, scope="row", role="rowheader")
    if line.missing:
        width = len(found.heads) + bool(scale)
        cell = tag("td", f"not measured: {line.missing}", colspan=max(1, width), role="cell", class_="missing")
        return tag("tr", name, cell, role="row", class_="missing")
    cells = [
        tag("td", _cell(head, said), role="cell", data_head=head, class_=_kind(head))
        for head, said in zip(found.heads, line.cells, strict=True)
    ]
    if scale and line.result:
        cells.insert(1, tag("td", dot(scale, line.result, found.noise), role="cell", class_="drawn"))
    elif scale:
        cells.insert(1, tag("td", role="cell"))
    return tag("tr", name, *cells, role="row", class_=_emphasis(line))


def _cell(head: str, said: str) -> str:
    return tag("span", said, class_=f"verdict {said.replace('/', '').lower()}") if head == "verdict" and said else said


def _kind(head: str) -> str | None:
    return {"interval": "range", "verdict": "judged"}.get(head)


def _emphasis(line: Line) -> str | None:
    if line.cells[-1] == AGAIN:
        return "again"
    return "ours" if line.name.startswith("galvo") else None
