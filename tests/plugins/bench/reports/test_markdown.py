"""Markdown as GitHub reads it: markdown-it with tables."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from galvo_bench.method.rounds import Result
from galvo_bench.reports.claims import HEADS, cells_of
from galvo_bench.reports.markdown import markdown
from galvo_bench.results.model import Missing, Run, Values
from tests.plugins.bench.reports import sample
from tests.plugins.bench.reports.parsed import Element, parsed


def read(run: Run) -> Element:
    return parsed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown(run)))


def test_it_says_how_it_was_made() -> None:
    run = sample.whole()
    made = read(run)
    [title] = made.all("h1")
    assert title.text == "Benchmarks"
    assert run.command in [code.text for code in made.all("code")]
    points = [point.text for point in made.all("li")]
    assert f"Python: {run.machine.python}" in points
    assert any("noise (A/A)" in point for point in points)


def test_claims_come_first() -> None:
    made = read(sample.whole())
    assert [heading.text for heading in made.all("h2")] == ["The mission's claims", "pool", "app"]
    first = made.all("table")[0]
    assert [head.text for head in first.all("th")] == list(HEADS)
    rows = [[cell.text for cell in row.all("td")] for row in first.all("tbody")[0].all("tr")]
    assert rows == [cells_of(claim) for claim in sample.claims()]


def test_tables_are_the_runs() -> None:
    run = sample.whole()
    for section, table in zip(run.sections, read(run).all("table")[1:], strict=True):
        rows = [[cell.text for cell in row.all("td")] for row in table.all("tbody")[0].all("tr")]
        assert [cells[0] for cells in rows] == [row.name for row in section.rows]
        for row, cells in zip(section.rows, rows, strict=True):
            if isinstance(row, Missing):
                assert cells[1] == f"not measured: {row.missing}"
            elif isinstance(row, Result):
                assert float(cells[2].removesuffix("x")) == row.ratio
            else:
                figures = [float(cell.replace(",", "")) for cell in cells[1:] if cell]
                assert figures == pytest.approx(list(row.values.values()), rel=1e-4)


def test_a_partial_run() -> None:
    made = read(sample.partial())
    assert made.all("h1")[0].text == "Benchmarks (PARTIAL)"
    assert "the run ended before worker" in made.text
    assert "l2 is not measured: Redis went away: connection refused" in made.text


def test_hostile_texts_are_texts() -> None:
    made = read(sample.hostile())
    names = {element.name for element in made.below()}
    assert not names & {"script", "img", "a", "em"}
    said = " ".join(sample.HOSTILE.replace("\x00", "\ufffd").split())
    assert made.all("h3")[0].text == said
    heads = [[head.text for head in table.all("thead")[0].all("th")] for table in made.all("table")]
    assert heads == [list(HEADS), ["", "per operation", "time", "interval", "verdict"], ["", said]]
    for table in made.all("table"):
        wide = len(table.all("thead")[0].all("th"))
        assert {len(row.all("td")) for row in table.all("tbody")[0].all("tr")} == {wide}
    assert said in [cell.text for cell in made.all("td")]


def test_code_is_code() -> None:
    run = sample.whole()
    run.sections = [sample.counts()]
    run.sections[0].rows.append(Values("_one_ and __init__ and snake_case", {"a": 1}))
    made = read(run)
    assert "_one_ and __init__ and snake_case" in [cell.text for cell in made.all("td")]
    assert "snake_case" in markdown(run)


def test_a_command_stays_on_its_line() -> None:
    run = sample.whole()
    run.command = "galvo bench ````rm\n```\n# heading"
    made = read(run)
    assert len(made.all("h1")) == 1
    assert len(made.all("h2")) == len(read(sample.whole()).all("h2"))
