"""One table, and the columns by which reads pick its rows: what is being written, what was touched when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from galvo_cache.facts import Facts
    from galvo_cache.plans import Plan
    from galvo_cache.sieve import Entry

BUCKETS = 1024
"""Times of touches kept per lane; values that share one only make a store fail more often."""


class Place(Protocol):
    """Something an answer depends on."""

    @property
    def quiet(self) -> bool:
        """No write under way touches it."""

    @property
    def touched_at(self) -> int:
        """The clock at its last touch."""

    def add(self, entry: Entry) -> None: ...
    def discard(self, entry: Entry) -> None: ...


class Lane:
    """One column: writes under way, and the answers that depend on each value."""

    __slots__ = (
        "entries", "facts", "guesses", "held", "marks", "newborn", "pending", "readers", "rows", "table", "touched_at",
    )  # fmt: skip

    def __init__(self, table: Table, clock: int) -> None:
        self.table = table
        self.readers: set[Plan] = set()
        self.entries: dict[int, set[Entry]] = {}
        self.facts: dict[str, Facts] = {}
        """Of a key: what is known of its rows' values in other lanes, as far as somebody wants to know."""
        self.pending = 0
        """Writes under way that may touch any value."""
        self.rows: dict[int, int] = {}
        """Writes under way by the value they touch."""
        self.touched_at = clock
        """The clock when any value may have been touched last; single values are in `marks`."""
        self.marks: dict[int, int] = {}
        self.guesses = 0
        """Writes under way whose values in this lane were looked up, not written in their text."""
        self.held = 0
        """Of `pending`: those that last until no such write is under way, whose look-ups prove nothing."""
        self.newborn = table.pending > 0
        """Writes are under way that did not know this lane."""

    def begin(self, token: int, clock: int) -> None:
        self.rows[token] = self.rows.get(token, 0) + 1
        self.marks[token % BUCKETS] = clock

    def end(self, token: int, clock: int) -> None:
        self.marks[token % BUCKETS] = clock
        left = self.rows[token] - 1
        if left:
            self.rows[token] = left
        else:
            del self.rows[token]

    def forget(self, changed: frozenset[str] | None) -> None:
        """The answers of plans that see `changed` are invalid already: they need not be found any more."""
        if all(plan.sees(changed) for plan in self.readers):
            self.entries = {}
            return
        spared = {
            token: {entry for entry in entries if not entry.plan.sees(changed)}
            for token, entries in self.entries.items()
        }
        self.entries = {token: entries for token, entries in spared.items() if entries}

    def unlearn(self, tokens: list[int] | None, changed: frozenset[str] | None) -> None:
        """Rows with these values (None: any) go, or get others in `changed` (None: any column)."""
        for facts in self.facts.values():
            if changed is None or not facts.columns.isdisjoint(changed):
                facts.forget(tokens)

    def end_all(self, clock: int) -> None:
        """A write that may have touched any value has ended."""
        self.touched_at = clock
        if self.guesses:
            self.held += 1
        else:
            self.pending -= 1

    def settle(self, clock: int) -> None:
        """A write whose values were looked up has ended."""
        self.guesses -= 1
        if not self.guesses and self.held:
            self.touched_at = clock
            self.pending -= self.held
            self.held = 0

    @property
    def quiet(self) -> bool:
        """No write under way may touch any value."""
        if self.newborn:
            self.newborn = self.table.pending > 0
        return not (self.pending or self.newborn or self.table.sweeps)


class Value:
    """A place: the rows of a table with one value in a lane."""

    __slots__ = ("lane", "token")

    def __init__(self, lane: Lane, token: int) -> None:
        self.lane = lane
        self.token = token

    @property
    def quiet(self) -> bool:
        return self.lane.quiet and self.token not in self.lane.rows

    @property
    def touched_at(self) -> int:
        return max(self.lane.touched_at, self.lane.marks.get(self.token % BUCKETS, 0))

    def add(self, entry: Entry) -> None:
        self.lane.entries.setdefault(self.token, set()).add(entry)

    def discard(self, entry: Entry) -> None:
        entries = self.lane.entries.get(self.token)
        if entries is not None:
            entries.discard(entry)
            if not entries:
                del self.lane.entries[self.token]


class Table:
    """A place, too: all rows of one table."""

    __slots__ = ("lanes", "movers", "pending", "readers", "strays", "sweeps", "touched_at")

    def __init__(self) -> None:
        self.readers: set[Plan] = set()
        """Plans that read it without a lane."""
        self.lanes: dict[str, Lane] = {}
        self.strays: set[Entry] = set()
        """Answers of plans with a lane that depend on the whole table all the same."""
        self.pending = 0
        self.movers = 0
        """Of `pending`: those after which a row may have another value in a lane, or be gone."""
        self.sweeps = 0
        """Of `pending`: those that may touch any row."""
        self.touched_at = 0

    def lane(self, name: str, clock: int) -> Lane:
        found = self.lanes.get(name)
        if found is None:
            found = self.lanes[name] = Lane(self, clock)
        return found

    def leave(self, name: str, plan: Plan) -> None:
        if name in self.lanes:
            self.lanes[name].readers.discard(plan)

    @property
    def quiet(self) -> bool:
        return not self.pending

    def add(self, entry: Entry) -> None:
        self.strays.add(entry)

    def discard(self, entry: Entry) -> None:
        self.strays.discard(entry)
