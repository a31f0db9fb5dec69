"""An index-only scan that has to look into the table all the same."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.words import count, named

LEAST = 1000


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        fetches = node.number("Heap Fetches")
        if node.type != "Index Only Scan" or fetches < LEAST or fetches < node.given / 2:
            continue
        table = named(node, case.facts)
        yield Finding(
            "heap-fetches",
            table,
            f"The index holds all that is asked for, but {count(fetches)} of {count(node.given)} rows were looked up "
            f"in {table}, which was written to since its last VACUUM.",
            "Run VACUUM, and let autovacuum come to this table more often.",
            f"vacuum {table}",
            severity="info",
            evidence={"fetches": fetches, "rows": node.given},
        )
