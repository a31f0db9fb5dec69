"""The mission's headline table, and our design's goals beside (issues 3 to 9, DESIGN.md "Numbers to build for")."""

from __future__ import annotations

from collections.abc import Iterable

from galvo_bench.claims.claim import Claim

CLAIMS = {
    claim.name: claim
    for claim in (
        Claim("indexes", "Query execution, by indexes", "indexes", promised=0.60, goal=0.40, disk=400),
        Claim("connecting", "Connection overhead", "connecting", promised=0.70),
        Claim("efficiency", "Pool efficiency", "efficiency", promised=1.40, unit="/s", less=False),
        Claim("redis", "Redis operations", "redis_gets", promised=1e-3, relative=False),
        Claim("hits", "Cache hit ratio", "caching:hits", promised=90, unit="%", less=False, relative=False),
        Claim("load", "Database load", "caching:load", promised=0.50, goal=0.10, unit="q"),
        Claim("memory", "Memory of large operations", "memory", promised=0.75, goal=0.25, unit="MiB", disk=400),
        Claim("responding", "Response times, 99 %", "serving:responding", promised=1.0, relative=False, disk=500),
        Claim("overall", "Performance overall", "serving:overall", promised=1.40, goal=1.60, unit="/s", less=False,
              disk=500),
        Claim("monitored", "Monitoring, of a core", "monitoring", promised=1.0, goal=0.5, unit="%", relative=False),
    )
}  # fmt: skip


def chosen(names: Iterable[str]) -> list[Claim]:
    """The named ones, in our order; all when none is named. Raises ValueError."""
    wanted = list(names)
    for name in wanted:
        if name not in CLAIMS:
            raise ValueError(f"there is no claim {name!r}; claims: {', '.join(CLAIMS)}")
    return [claim for claim in CLAIMS.values() if not wanted or claim.name in wanted]
