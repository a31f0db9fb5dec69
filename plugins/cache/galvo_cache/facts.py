"""What was seen of single rows: by a key, the row's value in another lane.

A write that pins a key asks here first whose row it changes (see `touching.py`). A fact is kept like an answer that
depends on that row: learned only if nothing touched the row since before the read, forgotten as soon as a write
touches it that does not spare both columns.
"""

from __future__ import annotations

from array import array
from time import monotonic
from typing import TYPE_CHECKING, Any

from galvo_cache.effects import Const, Output, Param, Shown, Source
from galvo_cache.lane import Value
from galvo_cache.touch import token_of

if TYPE_CHECKING:
    from galvo import Rows
    from galvo_cache.ledger import Ledger

BLOCK = 64
"""Integers that are kept together, in 8 bytes each."""
MOST = 4096
"""Blocks, or other keys, of one kind of facts, in each of two halves."""
MAX_ROWS = 256
"""Of one answer; of more, the first are enough."""

UNKNOWN = -(2**63)
NULL = UNKNOWN + 1
"""Where tokens stand. Those of two values are the same: they are never known."""


class Facts:
    """The rows of one table by one key: their values in one other lane.

    Two halves, of which the older one is dropped when the younger is full or half of `ttl` (seconds) has passed.
    """

    __slots__ = ("_born", "_half", "_old", "_young", "columns")

    def __init__(self, key: str, lane: str, ttl: float) -> None:
        self.columns = frozenset({key, lane})
        self._half = ttl / 2
        self._young = _Half()
        self._old = _Half()
        self._born = monotonic()

    def find(self, key: Any) -> list[int] | None:
        """The tokens that its row has: none for NULL. None: not known."""
        self._grow_older()
        found = self._young.get(key)
        if found == UNKNOWN:
            found = self._old.get(key)
        return None if found == UNKNOWN else [] if found == NULL else [found]

    def learn(self, key: Any, value: Any) -> None:
        self._grow_older()
        found = NULL if value is None else token_of(value)
        if found is not None and (found > NULL or value is None):
            self._young.put(key, found)

    def forget(self, tokens: list[int] | None) -> None:
        """Of keys; None: all."""
        if tokens is None:
            self._young, self._old = _Half(), _Half()
        else:
            for token in tokens:
                self._young.drop(token)
                self._old.drop(token)

    def _grow_older(self) -> None:
        now = monotonic()
        age = now - self._born
        if age < self._half and len(self._young) < MOST:
            return
        self._old = self._young if age < 2 * self._half else _Half()
        self._young = _Half()
        self._born = now if age < self._half or age >= 2 * self._half else self._born + self._half


class _Half:
    """Tokens by key. An integer is its own token; of other keys equal tokens prove nothing."""

    __slots__ = ("_blocks", "_others")

    def __init__(self) -> None:
        self._blocks: dict[int, array[int]] = {}
        self._others: dict[int, tuple[Any, int]] = {}

    def __len__(self) -> int:
        return len(self._blocks) + len(self._others)

    def get(self, key: Any) -> int:
        if type(key) is int:
            block = self._blocks.get(key // BLOCK)
            return UNKNOWN if block is None else block[key % BLOCK]
        token = token_of(key)
        known = None if token is None else self._others.get(token)
        return known[1] if known is not None and known[0] == key else UNKNOWN

    def put(self, key: Any, found: int) -> None:
        if type(key) is int:
            block = self._blocks.get(key // BLOCK)
            if block is None:
                block = self._blocks[key // BLOCK] = array("q", [UNKNOWN]) * BLOCK
            block[key % BLOCK] = found
        elif (token := token_of(key)) is not None:
            self._others[token] = key, found

    def drop(self, token: int) -> None:
        self._others.pop(token, None)
        block = self._blocks.get(token // BLOCK)
        if block is not None:
            block[token % BLOCK] = UNKNOWN


def learn(shown: tuple[Shown, ...], args: tuple[Any, ...], rows: Rows, ledger: Ledger, since: int) -> None:
    """Note what an answer shows, if somebody wants to know; the ledger's clock showed `since` before the read."""
    for part in shown:
        lane = ledger.table(part.table).lanes.get(part.key)
        wanted = [(lane.facts[name], source) for name, source in part.lanes if lane and name in lane.facts]
        if not wanted or lane is None or not ledger.intact(since):
            continue
        for record in rows.records[:MAX_ROWS]:
            key = _value(part.source, args, record)
            token = token_of(key)
            if token is None or not ledger.untouched([Value(lane, token)], since):
                continue
            for facts, source in wanted:
                facts.learn(key, _value(source, args, record))


def _value(source: Source, args: tuple[Any, ...], record: Any) -> Any:
    match source:
        case Param(index):
            return args[index]
        case Const(value):
            return value
        case Output(column):
            return record[column]
