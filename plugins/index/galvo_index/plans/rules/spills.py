"""Sorts, hashes and groups that do not fit into work_mem and go to disk."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding, Severity
from galvo_index.plans.analyse import Case
from galvo_index.plans.node import Node
from galvo_index.plans.words import count, shown, size

KB = 1024
ORDER = 60


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        if node.type == "Sort":
            yield from _sort(case, node)
        elif node.ran and node.type == "Hash" and node.number("Hash Batches") > 1:
            peak, batches = node.number("Peak Memory Usage") * KB, node.number("Hash Batches")
            yield _finding(
                case, "spilled-hash", f"A hash join keeps {count(node.given)} rows in {count(batches)} parts on disk",
                peak * batches, {"batches": batches},
            )  # fmt: skip
        elif node.ran and node.type == "Aggregate" and node.number("Disk Usage") > 0:
            used = node.number("Disk Usage") * KB
            yield _finding(
                case, "spilled-aggregate", f"Grouping by {_keys(node, 'Group Key')} takes {size(used)} on disk",
                used + node.number("Peak Memory Usage") * KB, {"bytes": used},
            )  # fmt: skip


def _sort(case: Case, node: Node) -> Iterator[Finding]:
    by = _keys(node, "Sort Key")
    if node.ran:
        each = [node.raw, *node.raw.get("Workers", ())]
        on_disk = [one for one in each if one.get("Sort Space Type") == "Disk"]
        used = max((float(one.get("Sort Space Used", 0)) * KB for one in on_disk), default=0.0)
        if used:
            # in memory a row takes about twice what it takes on disk
            yield _finding(
                case, "spilled-sort", f"Sorting {count(node.actual)} rows by {by} takes {size(used)} on disk", 2 * used,
                {"bytes": used, "rows": node.actual},
            )  # fmt: skip
        return
    need = node.rows * (node.number("Plan Width") + 24)
    parent = node.parent
    top = parent is not None and parent.type in ("Limit", "Gather Merge")
    if need > 2 * case.facts.server.work_mem and not top:
        yield _finding(
            case, "spilled-sort",
            f"Sorting about {count(node.rows)} rows of {count(node.number('Plan Width'))} bytes by {by} does not fit "
            "into memory", need, {"bytes": need, "rows": node.rows}, "info",
        )  # fmt: skip


def _finding(
    case: Case, rule: str, what: str, need: float, evidence: dict[str, float], severity: Severity = "warning"
) -> Finding:
    memory = case.facts.server.work_mem
    enough = max(1, -(-int(need * 1.25) // (1 << 20)))
    return Finding(
        rule,
        "work_mem",
        f"{what}: work_mem is {size(memory)}.",
        f"Set work_mem to {enough} MB for this statement, if so much is free, or let it work on fewer rows.",
        f"set work_mem = '{enough}MB'",
        severity,
        evidence={**evidence, "work_mem": memory},
    )


def _keys(node: Node, name: str) -> str:
    found = node.raw.get(name)
    return shown(", ".join(found)) if isinstance(found, list) else "its columns"
