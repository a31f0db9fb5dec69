"""What one write touches: whole tables, or within them the values of certain columns.

A *lane* is a column by which reads pick rows (`where project_id = $1`). A touch names, for each lane, the values of
the rows that come, go or change; so a reader of other values keeps its answers. Values are tokens: short, equal for
equal values, and no data of anybody's.
"""

from __future__ import annotations

import uuid
from hashlib import blake2b
from typing import Any

Lanes = dict[str, list[int] | None]
"""Of one table: the tokens touched in each lane; None, or no mention of a lane, is all of them."""
Touch = dict[int, Lanes | None]
"""By table (OID); None is every row in every lane. Whoever reads a table without a lane is touched by any mention."""

GUESSED = "\0?"  # no column has NUL in its name
"""`lane + GUESSED` in `Lanes`: the lane's values were looked up before the write, not written in its text."""
STILL = "\0="
"""In `Lanes`: no row goes, and none gets another value in any lane. A new row does not change what was looked up by
the key of another one."""
WORD = 2**63


def merged(left: Touch, right: Touch) -> Touch:
    """What either touches."""
    both = {**left, **right}
    for oid in left.keys() & right.keys():
        ours, theirs = left[oid], right[oid]
        if ours is None or theirs is None:
            both[oid] = None
            continue
        lanes: Lanes = {}
        for name in ours.keys() | theirs.keys():
            one, other = ours.get(name), theirs.get(name)
            lanes[name] = None if one is None or other is None else sorted({*one, *other})
        for name in [name for name in lanes if name.endswith(GUESSED)]:
            lanes[name] = []
        if STILL not in ours or STILL not in theirs:
            lanes.pop(STILL, None)
        both[oid] = lanes
    return both


def token_of(value: Any) -> int | None:
    """64 bits that stand for a value of a lane; None when the value's type proves nothing."""
    kind = type(value)
    if kind is int:
        return value if -WORD <= value < WORD else None
    if kind is str:
        return _digest(_uuid(value) or value.encode("utf-8", "surrogatepass"))
    return _digest(value.bytes) if isinstance(value, uuid.UUID) else None


def _uuid(text: str) -> bytes | None:
    """asyncpg takes a UUID as text, too, in many spellings: a text that reads like one shares its token."""
    if not 32 <= len(text) <= 36:
        return None
    try:
        return uuid.UUID(text).bytes
    except ValueError:
        return None


def _digest(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big", signed=True)
