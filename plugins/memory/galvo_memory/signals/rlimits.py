"""The limits that the process itself has, beyond which its allocations fail: setrlimit(2).

They count addresses, not memory: what the allocator holds free is counted, given back to the system or not. So that is
taken off; it can be used without asking for more. But only by what fits into its pieces, and near the limit no more
can be asked for: there half of it is taken off. A host whose addresses were all taken, 65 MiB of 300 free in pieces,
was only elevated before.
"""

from __future__ import annotations

import sys

from galvo_memory.allocator import unused
from galvo_memory.signals.bound import Bound
from galvo_memory.signals.files import read
from galvo_memory.signals.paths import Paths
from galvo_memory.signals.resident import PAGE

NEAR = 0.5
"""Share of a limit from which it is worth asking the allocator."""
FULL = 0.9
"""Share of a limit from which pieces that are too small are no room."""


def rlimits(paths: Paths) -> list[Bound]:
    """Those that are set. Raises Unreadable."""
    if sys.platform != "linux":
        return []
    import resource

    fields = {"RLIMIT_DATA": (resource.RLIMIT_DATA, 5), "RLIMIT_AS": (resource.RLIMIT_AS, 0)}
    found = {}
    for name, (limit, field) in fields.items():
        soft, _ = resource.prlimit(paths.pid, limit)
        if soft != resource.RLIM_INFINITY:
            found[name] = soft, field
    if not found:
        return []
    sizes = [int(size) * PAGE for size in read(paths.statm).split()]
    near = not paths.pid and any(sizes[field] >= NEAR * soft for soft, field in found.values())
    free = unused() if near else 0
    return [
        Bound(name, soft, max(0, sizes[field] - _usable(free, sizes[field], soft)))
        for name, (soft, field) in found.items()
    ]


def _usable(free: int, size: int, limit: int) -> int:
    return free // 2 if size >= FULL * limit else free
