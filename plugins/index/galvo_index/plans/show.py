"""A plan and what is wrong with it, for people: 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Analysis
from galvo_index.plans.node import Node
from galvo_index.plans.words import count

WIDTH = 80


def shown(analysis: Analysis) -> Iterator[str]:
    """The tree, then a paragraph for each finding."""
    ran = analysis.plan.ran
    yield f"{'step':48} {'rows':>12} {'really' if ran else 'cost':>12}"
    yield from _tree(analysis.plan.root, 0)
    yield ""
    yield from paragraphs(analysis.findings)


def paragraphs(findings: Iterable[Finding]) -> Iterator[str]:
    """The sentences, each with what to run; one that says when there are none."""
    nothing = True
    for finding in findings:
        nothing = False
        yield from _wrapped(f"{finding.rule}: {finding.seen} {finding.advice}", "- ")
        if finding.sql:
            yield f"    {finding.sql};"
    if nothing:
        yield "nothing is wrong with it"


def _tree(node: Node, depth: int) -> Iterator[str]:
    names = [node.type, *[name for name in (node.text("Index Name"), node.relation[1]) if name]]
    step = f"{'  ' * depth}{' '.join(names)}"
    last = count(node.given) if node.ran else count(node.cost)
    yield f"{step[:48]:48} {count(node.rows):>12} {last:>12}"
    for child in node.children:
        yield from _tree(child, depth + 1)


def _wrapped(text: str, start: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
