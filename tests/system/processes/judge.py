"""Says of each answer that was noted whether it was older than what was known when its read began.

Two rules, together linearizability of one register: a read that begins after a write was acknowledged sees it, and
one that begins after another read has ended sees nothing older. A row that an answer lacks is judged, too: it must
have been deleted, or moved to another owner, by a write that began before the read ended.
"""

from __future__ import annotations

import bisect
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic_ns
from typing import Any

from tests.system.processes import shop

Row = tuple[str, int]
Newest = Callable[[Any, int], int]
OPEN = 2**62
NONE = -1
RAISES = {"item": ("_raise", "_two", "_by_owner"), "mortal": ("_by_owner",), "owner": ()}
"""The works that change a row and leave it where it is."""
LISTS = {"items": "item", "mortals": "mortal"}


class Judge:
    """Reads the notes of all processes."""

    def __init__(self, notes: Iterable[Path], since: int = 0) -> None:
        """`since` is a time: reads that began earlier are not judged, but what they saw is known."""
        self.errors: list[str] = []
        until = monotonic_ns()  # what comes meanwhile may be in one file and not yet in another
        self.reads: list[list[Any]] = []
        self.writes: list[list[Any]] = []
        self._open: list[list[Any]] = []
        for file in notes:
            self._load(file)
        acked: dict[Any, list[tuple[int, int]]] = defaultdict(list)
        seen: dict[Any, list[tuple[int, int]]] = defaultdict(list)
        self._states: dict[Row, list[tuple[int, int, int]]] = {
            (table, id): [(0, 0, id % shop.OWNERS)] for table, size in shop.SIZES.items() for id in range(size)
        }
        for begin, end, done in self.writes:
            for table, id, version, owner in done:
                acked[table, id].append((end, version))
                self._states[table, id].append((begin, version, owner))
        for _, end, name, *_, rows in self.reads:
            for row, version in _seen(name, rows):
                seen[row].append((end, version))
        self._acked, self._seen = _newest(acked), _newest(seen)
        self.reads = [read for read in self.reads if since <= read[0] and read[1] < until]
        self._elsewhere: dict[tuple[Row, int], Newest] = {}

    def _load(self, file: Path) -> None:
        begun: dict[int, list[Any]] = {}
        for line in file.read_text().splitlines():
            kind, *rest = json.loads(line)
            match kind:
                case "r":
                    self.reads.append(rest)
                case "i":
                    begun[rest[0]] = rest
                case "w":
                    self.writes.append(rest)
                    del begun[rest[0]]
                case "x":
                    del begun[rest[0]]
                case "error":
                    self.errors += rest
        self._open += begun.values()

    def stale(self) -> tuple[list[str], list[str]]:
        """Answers older than an acknowledged write; and older than what somebody had seen."""
        return self._against(self._acked, "acknowledged"), self._against(self._seen, "seen")

    def _against(self, known: Newest, how: str) -> list[str]:
        wrong: list[str] = []
        for begin, end, name, *args, rows in self.reads:
            if name == "sum":
                due = sum(max(0, known(("item", id), begin)) for id in range(shop.ITEMS))
                if rows[0][0] < due:
                    wrong.append(f"{begin} sum {rows[0][0]}, {how} {due}")
                continue
            found = dict(_seen(name, rows))
            wrong += [
                f"{begin} {name}{args} {row} {version}, {how} {due}"
                for row, version in found.items()
                if version < (due := known(row, begin))
            ]
            wrong += [
                f"{begin} {name}{args} {row} is missing, {how} {known(row, begin)}"
                for row in _expected(name, args)
                if row not in found
                and self._away(row, name, args[0])(None, end) + self._unknown(row, end) < known(row, begin)
            ]
        return sorted(wrong)

    def _away(self, row: Row, name: str, arg: int) -> Newest:
        """The newest version in which `row` is not what `name` with `arg` finds."""
        place = arg if name in LISTS else NONE
        found = self._elsewhere.get((row, place))
        if found is None:
            states = [
                (begin, version)
                for begin, version, owner in self._states[row]
                if (owner != place if name in LISTS else owner == shop.GONE)
            ]
            # A writer that was killed may have moved or deleted anything of that kind.
            kind = "_move" if row[0] == "item" else "_mortal"
            states += [(begin, OPEN) for begin, work in self._open if work == kind]
            found = self._elsewhere[row, place] = _newest({None: states})
        return found

    def _unknown(self, row: Row, time: int) -> int:
        """How many versions of `row`, each where the one before was, killed writers may have made by then."""
        return sum(begin <= time and work in RAISES[row[0]] for begin, work in self._open)

    def p99(self, since: int, until: int) -> tuple[float, float]:
        """Of reads and of writes that began between the two, in ms."""
        spans = [
            [end - begin for begin, end, *_ in what if since <= begin < until] for what in (self.reads, self.writes)
        ]
        reads, writes = [sorted(span)[int(len(span) * 0.99)] / 1e6 if span else 0.0 for span in spans]
        return reads, writes


def _seen(name: str, rows: list[Any]) -> list[tuple[Row, int]]:
    if name == "sum":
        return []
    if name == "join":
        return [(("item", rows[0][0]), rows[0][1]), (("owner", rows[0][2]), rows[0][3])] if rows else []
    return [((LISTS.get(name, name), id), version) for id, version in rows]


def _expected(name: str, args: list[int]) -> list[Row]:
    if name in LISTS:
        table = LISTS[name]
        return [(table, id) for id in range(shop.SIZES[table])]
    return [("item" if name == "join" else name, args[0])]


def _newest(events: dict[Any, list[tuple[int, int]]]) -> Newest:
    """A function that gives the newest version of a row at a time."""
    times: dict[Any, list[int]] = {}
    best: dict[Any, list[int]] = {}
    for row, pairs in events.items():
        pairs.sort()
        times[row], best[row] = [time for time, _ in pairs], []
        for _, version in pairs:
            best[row].append(max(version, best[row][-1] if best[row] else NONE))

    def newest(row: Any, time: int) -> int:
        place = bisect.bisect_right(times.get(row, []), time)
        return best[row][place - 1] if place else NONE

    return newest
