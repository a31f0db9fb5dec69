"""Which texts may be parsed on the event loop."""

from __future__ import annotations

import string

LONGEST = 128 * 1024
"""Characters."""
TOKENS = 4096
"""The parser makes Python objects of its tree, 16 us and 350 bytes of the C stack for a token at worst (`1+1+1...`):
70 ms, and 1.4 MB of the 2 or 8 that a thread has. With ten times as many the process dies of it."""
OFFSETS = 8 * 1024 * 1024
"""For each token it also walks over the bytes of what is not ASCII, 7 ns a byte: another 60 ms."""
SHORT = 2048
"""Characters. So short a text has no more tokens, and no offsets that take long."""
_ENDS = string.punctuation.replace("_", "")


def parsable(sql: str, tokens: int = TOKENS) -> bool:
    """Whether parsing or scanning `sql` takes at most a tenth of a second, and a tenth of that as a rule.

    It must have `tokens` at most: 2048 or more. What may end one is counted, so the words of literals are, too.
    Costs 0.1 us for most texts, 1 ms for the longest.
    """
    if len(sql) <= SHORT:
        return True
    if len(sql) > LONGEST:
        return False
    found = len(sql.split()) + sum(map(sql.count, _ENDS))
    return found <= tokens and (sql.isascii() or found * (len(sql.encode("utf-8", "replace")) - len(sql)) <= OFFSETS)
