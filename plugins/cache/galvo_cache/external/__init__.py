"""What is known of writers outside of galvo: psql, cron, other services, replication.

Each table has a level. `trigger`: its triggers notify, and the answer is gone within milliseconds of the commit.
`statistics`: PostgreSQL's counters are polled, and it is gone within seconds; a safety net and no protocol. `ttl`:
nobody tells, and an answer lives for its TTL.
"""

from __future__ import annotations

from galvo_cache.external.announced import Announced
from galvo_cache.external.levels import Level, Levels
from galvo_cache.external.listener import Listener
from galvo_cache.external.statistics import Statistics

__all__ = ["Announced", "Level", "Levels", "Listener", "Statistics"]
