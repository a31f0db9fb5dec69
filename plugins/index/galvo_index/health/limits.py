"""From where something is worth a sentence. Times in seconds, sizes in bytes."""

from __future__ import annotations

import msgspec

MIB, GIB = 1024**2, 1024**3
HOUR, DAY = 3600.0, 86400.0


class Limits(msgspec.Struct, frozen=True):
    """The defaults are for servers in use; tests that plant small problems lower them."""

    counted: float = 14 * DAY
    """How far statistics must go back before "never used" means something: weekly and fortnightly jobs ran."""
    last_use: float = 90 * DAY
    """Quarterly reports need their indexes too."""
    index: int = MIB
    """A smaller index costs nothing that one would notice."""
    examined: int = GIB
    """pgstatindex reads the whole index: larger ones are left alone..."""
    examined_together: int = 4 * GIB
    """... and so are the smallest when all together are larger."""
    waste: int = 8 * MIB
    """Of one index."""
    child: int = 8 * MIB
    """Scanning a smaller table for each deleted row of its parent is no trouble..."""
    large_child: int = 256 * MIB
    """... and in one that is larger it is, even if nothing was deleted yet."""
    reads: int = 512 * MIB
    """What a table's blocks were read from disk, per hour of the statistics, before its hit ratio matters."""
    transaction: float = HOUR
    """A transaction that long keeps vacuum from its work."""
    holder: float = 600.0
    """Whoever holds dead rows back is named from this age on: before, vacuum loses nothing worth mentioning."""
    idle: float = 300.0
    """In a transaction, doing nothing."""
    blocked: float = 10.0
    """Shorter waits for locks are everyday life."""
    dead: int = 10_000
    """Dead rows of one table."""
    rows: int = 10_000
    """Of a table that has no statistics."""
    used_up: float = 0.8
    """Share of a sequence's or an integer's range."""
    wal: int = GIB
    """Held by a slot that nobody reads."""
    temporary: int = GIB
    """Spilled to files per day."""
    backlog: int = 10_000_000
    """Dead rows that a table may gather before autovacuum comes."""
    build: int = 2 * GIB
    """An index whose build sorts on disk with a small maintenance_work_mem."""
    checkpoints: int = 20
    """Forced ones, before their share means something."""
