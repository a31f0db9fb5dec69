"""A bitmap that does not fit into work_mem remembers pages instead of rows."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.scans import MANY
from galvo_index.plans.words import count, named, size


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        lossy, again = node.number("Lossy Heap Blocks"), node.removed("Index Recheck")
        if node.type != "Bitmap Heap Scan" or lossy < node.number("Exact Heap Blocks") or again < MANY:
            continue
        memory = case.facts.server.work_mem
        enough = 2 ** max(0, int(-(-memory * 4 // (1 << 20)) - 1).bit_length())
        yield Finding(
            "lossy-bitmap",
            named(node, case.facts),
            f"The bitmap over {named(node, case.facts)} does not fit into work_mem ({size(memory)}): {count(lossy)} "
            f"pages were remembered whole, and {count(again)} of their rows tested in vain.",
            f"Set work_mem to {enough} MB for this statement.",
            f"set work_mem = '{enough}MB'",
            evidence={"lossy": lossy, "in_vain": again, "work_mem": memory},
        )
