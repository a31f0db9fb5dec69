"""What was seen of single rows: by a key, the row's value in another lane.

A write that pins a key asks here first whose row it changes (see `touching.py`). A fact is kept like an answer that
depends on that row: learned only if nothing touched the row since before the read, forgotten as soon as a write
touches it that does not spare both columns.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from galvo_cache.effects import Const, Output, Param, Shown, Source
from galvo_cache.lane import Value
from galvo_cache.touch import token_of

if TYPE_CHECKING:
    from galvo import Rows
    from galvo_cache.ledger import Ledger

MOST = 16384
"""Facts of one kind, in each of two halves."""
MAX_ROWS = 256
"""Of one answer; of more, the first are enough."""

Fact = tuple[Any, int | None]
"""The key, as equal tokens prove nothing, and the token of the value; None is NULL."""


class Facts:
    """The rows of one table by one key: their values in one other lane.

    Two halves, of which the older one is dropped when the younger is full or half of `ttl` (seconds) has passed.
    """

    __slots__ = ("_born", "_half", "_old", "_young", "columns")

    def __init__(self, key: str, lane: str, ttl: float) -> None:
        self.columns = frozenset({key, lane})
        self._half = ttl / 2
        self._young: dict[int, Fact] = {}
        self._old: dict[int, Fact] = {}
        self._born = monotonic()

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, key: Any) -> Fact | None:
        """None: not known."""
        self._grow_older()
        token = token_of(key)
        if token is None:
            return None
        fact = self._young.get(token) or self._old.get(token)
        return fact if fact is not None and fact[0] == key else None

    def learn(self, token: int, fact: Fact) -> None:
        """`token` is that of the fact's key."""
        self._grow_older()
        self._old.pop(token, None)
        self._young[token] = fact

    def forget(self, tokens: list[int] | None) -> None:
        """None: all."""
        for half in (self._young, self._old):
            if tokens is None:
                half.clear()
            else:
                for token in tokens:
                    half.pop(token, None)

    def _grow_older(self) -> None:
        now = monotonic()
        age = now - self._born
        if age < self._half and len(self._young) < MOST:
            return
        self._old = self._young if age < 2 * self._half else {}
        self._young = {}
        self._born = now if age < self._half or age >= 2 * self._half else self._born + self._half


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
                value = _value(source, args, record)
                found = token_of(value)
                if found is not None or value is None:
                    facts.learn(token, (key, found))


def _value(source: Source, args: tuple[Any, ...], record: Any) -> Any:
    match source:
        case Param(index):
            return args[index]
        case Const(value):
            return value
        case Output(column):
            return record[column]
