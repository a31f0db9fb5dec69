"""A few of the arguments a statement was really called with, each call equally likely to be among them.

Li's algorithm L (1994): after a call is taken it is known how many are passed over until the next one.
They are values of somebody's data: they stay in memory, and `repr` does not show them.
"""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import ipaddress
import math
import random
import uuid
from collections.abc import Sequence
from sys import getsizeof
from typing import Any

PLAIN = (
    int, float, str, bytes, decimal.Decimal, uuid.UUID, datetime.date, datetime.time, datetime.timedelta,
    ipaddress.IPv4Address, ipaddress.IPv6Address, enum.Enum, type(None),
)  # fmt: skip
"""They do not change, and hold on to nothing else."""
FLAT = 64
"""Bytes that a value without a length takes, about."""


class Budget:
    """Bytes that all reservoirs together may take."""

    __slots__ = ("left", "most")

    def __init__(self, total: int) -> None:
        self.left: float = total
        self.most = total // 64
        """Of one tuple."""


class Reservoir:
    __slots__ = ("_budget", "_bytes", "_size", "_weight", "kept")

    def __init__(self, size: int, budget: Budget) -> None:
        self.kept: list[tuple[Any, ...]] = []
        self._bytes: list[float] = []
        self._size = size
        self._budget = budget
        self._weight = 1.0

    def __repr__(self) -> str:
        return f"<{len(self.kept)} tuples of arguments>"

    def offer(self, args: Sequence[Any]) -> float:
        """Take `args`, if they are plain and there is room; gives how many calls to pass over."""
        if not self._size or not args:
            return math.inf if not self._size else 0
        need = size_of(args, self._budget.most)
        if need <= self._budget.most:
            self._put(tuple(copy.deepcopy(value) if isinstance(value, list | dict) else value for value in args), need)
        return self._pause()

    def absorb(self, other: Reservoir, share: float) -> None:
        """Take over from a reservoir with `share` (0 to 1) of both's calls; it is empty afterwards."""
        for args, need in zip(other.kept, other._bytes, strict=True):
            other._budget.left += need
            if len(self.kept) < self._size or random.random() < share:  # noqa: S311  # sampling
                self._put(args, need)
        other.kept, other._bytes = [], []

    def clear(self) -> int:
        """Gives the bytes that were held."""
        held = sum(map(held_by, self.kept))
        self._budget.left += sum(self._bytes)
        self.kept, self._bytes = [], []
        return held

    def _put(self, args: tuple[Any, ...], need: float) -> None:
        slot = len(self.kept) if len(self.kept) < self._size else random.randrange(self._size)  # noqa: S311  # sampling
        before = self._bytes[slot] if slot < len(self.kept) else 0.0
        if need - before > self._budget.left:
            return
        self._budget.left -= need - before
        self.kept[slot : slot + 1] = [args]
        self._bytes[slot : slot + 1] = [need]

    def _pause(self) -> float:
        if len(self.kept) < self._size:
            return 0
        self._weight *= math.exp(math.log(1 - random.random()) / self._size)  # noqa: S311  # sampling
        return math.log(1 - random.random()) // math.log1p(-self._weight)  # noqa: S311  # sampling


def held_by(value: Any) -> int:
    """Bytes of what `size_of` knows."""
    parts = value.items() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return getsizeof(value) + sum(map(held_by, parts))


def size_of(value: Any, most: float, depth: int = 4) -> float:
    """Bytes it takes, about; infinity for more than `most`, and for what may change or is not known."""
    kind = type(value)
    if kind in (list, tuple, dict) and depth:
        total: float = FLAT
        for item in value.items() if kind is dict else value:
            total += size_of(item, most, depth - 1)
            if total > most:
                return math.inf
        return total
    if not isinstance(value, PLAIN):
        return math.inf
    need = FLAT + 2 * len(value) if isinstance(value, str | bytes) else FLAT
    return need if need <= most else math.inf
