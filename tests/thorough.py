"""How much of what shows that tests notice a fault runs by default: a part, so that the whole suite stays short."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")
THOROUGH = "GALVO_THOROUGH" in os.environ  # read before the tests clean the environment


def some(items: Iterable[Item], every: int = 4) -> list[Item]:
    """All with GALVO_THOROUGH=1 in the environment, else each `every`-th, the first among them."""
    return [*items] if THOROUGH else [*items][::every]


def examples(count: int) -> int:
    """Of a property: all of them with GALVO_THOROUGH=1, else a third. They are other ones each time."""
    return count if THOROUGH else count // 3


def soonest(rounds: Iterable[int], first: int) -> list[int]:
    """The rounds that look for a planted fault: one that is known to find it, then all others."""
    return [first, *(number for number in rounds if number != first)]
