"""A report for people, 80 columns wide."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from galvo_index.finding import Finding
from galvo_index.health.report import Report
from galvo_index.health.rules import GROUP_OF
from galvo_index.health.words import many

WIDTH = 80
MOST = 20
"""Findings of one rule, before the rest is only counted."""
MARKS = {"critical": "!!", "warning": " !", "info": "  "}
WORD = re.compile(r"""(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^\s"'])+""")
"""Of SQL: line breaks must not come into names."""


def shown(report: Report) -> Iterator[str]:
    """Groups in the order of their worst, the worst first within each; then what could not be looked at."""
    counts = [f"{len(report.findings)} found" if report.findings else "nothing found"]
    for severity in ("critical", "warning"):
        number = sum(finding.severity == severity for finding in report.findings)
        counts += [many(number, severity, severity if severity == "critical" else "warnings")] if number else []
    version = f"{report.version // 10000}.{report.version % 10000}"
    yield from _wrapped(
        f"{report.database}, PostgreSQL {version}: {', '.join(counts)}, by {many(len(report.rules), 'rule')}", ""
    )
    order = list(dict.fromkeys(GROUP_OF[finding.rule] for finding in report.findings))
    for group, findings in groupby(
        sorted(report.findings, key=lambda one: order.index(GROUP_OF[one.rule])), key=lambda one: GROUP_OF[one.rule]
    ):
        yield ""
        yield group.upper()
        counted: Counter[str] = Counter()
        for finding in findings:
            counted[finding.rule] += 1
            if counted[finding.rule] <= MOST:
                yield from _finding(finding)
        for rule, number in counted.items():
            if number > MOST:
                yield f"   {rule}: {number - MOST:,} more; --json lists all"
    if report.unknown:
        yield ""
        yield "COULD NOT BE LOOKED AT"
    for unknown in report.unknown:
        yield from _wrapped(f"{unknown.rule}: {unknown.why}", "   ", " ? ")


def _finding(finding: Finding) -> Iterator[str]:
    mark = MARKS[finding.severity]
    yield from _wrapped(f"{finding.rule}: {finding.subject}", "   ", f"{mark} ")
    yield from _wrapped(f"{finding.seen}.", "     ")
    yield from _wrapped(f"-> {finding.advice}", "        ", "     ")
    if finding.sql:
        yield from _statement(f"{finding.sql};")


def _statement(sql: str) -> Iterator[str]:
    line = "       "
    for word in (printable(match.group()) for match in WORD.finditer(sql)):
        if len(line) + 1 + len(word) > WIDTH and line.strip():
            yield line
            line = "         "
        line = f"{line} {word}"
    yield line


def _wrapped(text: str, indent: str, first: str | None = None) -> Iterator[str]:
    start = indent if first is None else first
    yield from textwrap.wrap(printable(text), WIDTH, initial_indent=start, subsequent_indent=indent)


def printable(text: str) -> str:
    """Names are chosen by others: no control sequences reach a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
