"""A plan for parallel workers that got fewer of them."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.words import count


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        planned, launched = node.number("Workers Planned"), node.number("Workers Launched")
        if not node.ran or "Workers Launched" not in node.raw or launched >= planned:
            continue
        yield Finding(
            "missing-workers",
            "max_parallel_workers",
            f"The plan was made for {count(planned)} parallel workers, and got {count(launched)}.",
            "Raise max_parallel_workers (and max_worker_processes), or lower max_parallel_workers_per_gather.",
            severity="info",
            evidence={"planned": planned, "launched": launched},
        )
