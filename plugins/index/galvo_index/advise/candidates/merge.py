"""One index that does what two do.

Source: index merging (Chaudhuri and Narasayya, ICDE 1999), for keys of which one sequence begins with the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from galvo_index.advise.candidates.candidate import Candidate

MOST = 24


def merges(candidates: Iterable[Candidate]) -> Iterator[tuple[Candidate, Candidate, Candidate]]:
    """Each with the two that it stands for."""
    found = 0
    for one, other in combinations(dict.fromkeys(candidates), 2):
        made = merged(one, other)
        if made is not None and found < MOST:
            found += 1
            yield made, one, other


def merged(one: Candidate, other: Candidate) -> Candidate | None:
    short, long = sorted((one, other), key=lambda candidate: len(candidate.keys))
    same = short.table is long.table and short.method == long.method == "btree" and short.where == long.where
    if not same or not short.plain or not long.plain or long.keys[: len(short.keys)] != short.keys:
        return None
    include = tuple(dict.fromkeys(name for name in (*long.include, *short.include) if name not in long.columns))
    if set(include) == set(long.include):  # it does all that the other one does already
        return None
    return Candidate(long.table, long.keys, long.columns, include, long.where, long.part, fixed=long.fixed)
