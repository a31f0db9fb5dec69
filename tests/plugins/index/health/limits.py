"""Limits under which small problems count, so that tests can plant them."""

from __future__ import annotations

from galvo_index.health import Limits

LOW = Limits(
    counted=0, index=8192, waste=65536, child=65536, large_child=10**9, reads=4 * 1024**2, transaction=0, holder=0,
    idle=0, blocked=0, dead=1000, rows=1000, wal=1, temporary=1024**2, backlog=4000, build=1024**2, checkpoints=1,
)  # fmt: skip
