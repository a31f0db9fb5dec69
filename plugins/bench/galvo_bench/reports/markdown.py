"""A run as Markdown: where and how it was made, the mission's claims, every section as a table."""

from __future__ import annotations

import re
from collections.abc import Iterable

from galvo_bench.reports import facts
from galvo_bench.reports.chapters import chapters
from galvo_bench.reports.claims import HEADS, cells_of, goal
from galvo_bench.reports.grid import grid
from galvo_bench.results.model import Judged, Run, Section

SPECIAL = re.compile(r"([\\`*\[\]<>|~#&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
"""What would be read as formatting, a link, HTML or the end of a cell."""


def markdown(run: Run) -> str:
    """Ends with a newline; of a run that is not whole, the title says PARTIAL."""
    return "\n\n".join(part for part in _parts(run) if part) + "\n"


def _parts(run: Run) -> Iterable[str]:
    yield f"# Benchmarks{' (PARTIAL)' if run.partial else ''}"
    yield f"{facts.headline(run)}. Made by {_code(run.command)}; do not edit."
    yield _text(facts.partial(run))
    yield _list(f"**{_text(problem.subject)}** is not measured: {_text(problem.said)}" for problem in run.problems)
    yield "The run:"
    yield _list(f"{name}: {_text(said)}" for name, said in facts.facts(run).items())
    yield "How it is measured:"
    yield _list(facts.METHOD)
    yield from _claims(run.claims)
    for chapter in chapters(run):
        yield f"## {_text(chapter.name)}"
        for _, section in chapter.sections:
            yield from _section(section)


def _claims(claims: list[Judged]) -> Iterable[str]:
    if claims:
        yield "## The mission's claims"
        yield _table(HEADS, (cells_of(claim) for claim in claims))
        yield _list(f"**{_text(claim.title)}**: {_prose(claim.explains)}{_goal(claim)}" for claim in claims)


def _goal(claim: Judged) -> str:
    return f" Our {_text(goal(claim))}." if goal(claim) else ""


def _section(section: Section) -> Iterable[str]:
    found = grid(section)
    yield f"### {_text(section.title)}"
    yield _prose(section.explains)
    rows = [[line.name, *(line.cells or ["not measured: " + line.missing])] for line in found.lines]
    yield _table(["", *found.heads], rows)


def _table(heads: Iterable[str], rows: Iterable[list[str]]) -> str:
    """The first column is text, the others are numbers."""
    names = list(heads)
    lines = [[_text(name) for name in names], [":--", *["--:"] * (len(names) - 1)]]
    texts = [[_text(cell) for cell in [*row, *[""] * (len(names) - len(row))]] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [*lines, *texts])


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _text(said: str) -> str:
    """On one line, and nothing in it is formatting."""
    return SPECIAL.sub(r"\\\1", " ".join(said.split()))


def _prose(said: str) -> str:
    """What is between backticks is code."""
    parts = " ".join(said.split()).split("`")
    if len(parts) % 2 == 0:
        return _text(said)
    return "".join(_code(part) if place % 2 else SPECIAL.sub(r"\\\1", part) for place, part in enumerate(parts))


def _code(said: str) -> str:
    """On one line, fenced by more backticks than are in it."""
    said = " ".join(said.split())
    fence = "`" * (1 + max((len(found) for found in re.findall("`+", said)), default=0))
    return f"{fence} {said} {fence}" if len(fence) > 1 else f"`{said}`"
