"""How large arguments are at least, found without serialising them: that would hold Python's lock for all of it."""

from __future__ import annotations

from typing import Any

TEXT = (str, bytes)
ITEM, PAIR = 2, 5
"""Bytes of one item in a list, and of one in a mapping beside its key's text, at least: `1,` and `"":1,`."""


def at_least(value: Any, limit: int) -> int:
    """Bytes of its JSON at least; counting ends above `limit`, and with it the time that this takes."""
    found, left = 0, [value]
    while left and found <= limit:
        one = left.pop()
        if isinstance(one, TEXT):
            found += len(one)
        elif isinstance(one, dict):
            found += PAIR * len(one)
            if found <= limit:
                left += one.values()
                found += sum(len(name) for name in one if isinstance(name, str))
        elif isinstance(one, list | tuple):
            found += ITEM * len(one)
            if found <= limit:
                left += one
    return found
