"""A WITH query is made whole, and then most of it is thrown away."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.node import Node
from galvo_index.plans.scans import FEW, MANY
from galvo_index.plans.words import count, shown


def find(case: Case) -> Iterator[Finding]:
    made = {
        node.text("Subplan Name").removeprefix("CTE "): node
        for node in case.plan
        if node.text("Subplan Name").startswith("CTE ")
    }
    scans: dict[str, list[Node]] = {}
    for node in case.plan:
        if node.type == "CTE Scan":
            scans.setdefault(node.text("CTE Name"), []).append(node)
    for name, readers in scans.items():
        source = made.get(name)
        # Of what a filter keeps of a CTE, PostgreSQL's estimate is a constant.
        if source is None or not source.ran or source.type in ("Recursive Union", "ModifyTable"):
            continue
        rows = source.actual
        # Only if everybody who reads it wants little of it.
        if rows < MANY or any(not one.text("Filter") or one.given > FEW * rows for one in readers):
            continue
        kept = sum(one.given for one in readers)
        yield Finding(
            "filtered-cte",
            name,
            f"WITH {name} makes {count(rows)} rows, of which {shown(readers[0].text('Filter'))} keeps {count(kept)}.",
            "Put the condition into it, or write AS NOT MATERIALIZED.",
            evidence={"rows": rows, "kept": kept},
        )
