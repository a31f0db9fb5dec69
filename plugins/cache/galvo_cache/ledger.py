"""Which writes are under way, and which answers each of them invalidates.

A write is announced before it is sent and taken back after it was acknowledged or its outcome is open. Between the
two nothing that it touches is served or stored, so a reader never sees the old answer after somebody else saw the
new one.

Reads of whole tables are invalidated by their plan's generation, in one step whatever their number. Reads of the rows
with one value in a lane (see `touch.py`) are found by that value and dropped. The clock counts announcements and ends:
it is captured before a read, and at the store nothing the read depends on may have been touched since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from galvo_cache.lane import Lane, Place, Table
from galvo_cache.touch import GUESSED, STILL, Touch

if TYPE_CHECKING:
    from galvo_cache.plans import Plan
    from galvo_cache.sieve import Entry

NO_COLUMNS: Mapping[int, frozenset[str]] = MappingProxyType({})


class Pending:
    """One announced write: what its end has to take back."""

    __slots__ = ("everything", "guesses", "lanes", "movers", "rows", "sweeps", "tables")

    def __init__(self) -> None:
        self.everything = False
        self.tables: list[Table] = []
        self.sweeps: list[Table] = []
        self.lanes: list[Lane] = []
        self.rows: list[tuple[Lane, int]] = []
        self.guesses: list[Lane] = []
        self.movers: list[Table] = []

    @property
    def spoiled(self) -> bool:
        """Somebody may have moved rows since this write's values were looked up."""
        return any(lane.held for lane in self.guesses)


class Ledger:
    """Pending writes, and the plans and answers that read each table."""

    def __init__(self, evict: Callable[[Entry], None], flushed: Callable[[], None] = lambda: None) -> None:
        """`evict` drops one answer."""
        self._evict = evict
        self.flushed = flushed
        """To be called when every answer was dropped and the schema is what it was."""
        self._tables: dict[int, Table] = {}
        self._plans: set[Plan] = set()
        self._everything = 0
        self._flushed_at = 0
        self.clock = 0

    def table(self, oid: int) -> Table:
        found = self._tables.get(oid)
        if found is None:
            found = self._tables[oid] = Table()
        return found

    def enter(self, plan: Plan) -> None:
        """Invalidate `plan` from now on when what it reads is written."""
        self._plans.add(plan)
        for oid in plan.scans:
            self.table(oid).readers.add(plan)
        for part in plan.slices:
            self.table(part.table).lane(part.column, self.clock).readers.add(plan)

    def leave(self, plan: Plan) -> None:
        """Forget `plan`; its answers die with it."""
        plan.generation += 1
        self._plans.discard(plan)
        for oid in plan.scans:
            self.table(oid).readers.discard(plan)
        for part in plan.slices:
            self.table(part.table).leave(part.column, plan)

    # -- reads ----------------------------------------------------------------------------------------

    def quiet(self, plan: Plan, places: Iterable[Place]) -> bool:
        """No write is under way that could change the answer: now is a time to read what may be kept."""
        if self._everything:
            return False
        return all(place.quiet for place in places) and not any(
            self._tables[oid].pending for oid in plan.scans if oid in self._tables
        )

    def untouched(self, places: Iterable[Place], since: int) -> bool:
        """Whether nothing in `places` was touched since the clock showed `since`, nor is now."""
        return all(place.quiet and place.touched_at <= since for place in places)

    def intact(self, since: int) -> bool:
        """Whether no write that may have touched anything was under way since the clock showed `since`, nor is now."""
        return not self._everything and self._flushed_at <= since

    # -- writes ---------------------------------------------------------------------------------------

    def begin(
        self,
        touch: Touch | None,
        columns: Mapping[int, frozenset[str]] = NO_COLUMNS,
        guessed: Sequence[Lane] = (),
    ) -> Pending:
        """A write that touches `touch` (None: anything) is about to be sent.

        `columns`: of these tables it updates only these columns; who does not look at them keeps the answer.
        `guessed`: its own look-ups, which it does not spoil.
        """
        pending = Pending()
        self.clock += 1
        if touch is None:
            pending.everything = True
            self._everything += 1
            self.clear()
            return pending
        for oid, lanes in touch.items():
            table = self.table(oid)
            table.pending += 1
            table.touched_at = self.clock
            pending.tables.append(table)
            changed = columns.get(oid)
            still = lanes is not None and STILL in lanes
            if not still and (changed is None or not changed.isdisjoint(table.lanes)):
                # Rows go, or move between values: what others have looked up holds no more.
                table.movers += 1
                pending.movers.append(table)
                for lane in table.lanes.values():
                    if lane.guesses > guessed.count(lane):
                        self._spoil(lane)
            for plan in table.readers:
                plan.generation += plan.sees(changed)
            self._drop(table.strays, changed)
            if lanes is None:
                table.sweeps += 1
                pending.sweeps.append(table)
            for name, lane in table.lanes.items():
                tokens = lanes.get(name) if lanes is not None else None
                self._begin_lane(pending, lane, tokens, changed)
                if not still:
                    lane.unlearn(tokens, changed)
                if lanes is not None and name + GUESSED in lanes:
                    lane.guesses += 1
                    pending.guesses.append(lane)
        return pending

    def _begin_lane(
        self, pending: Pending, lane: Lane, tokens: list[int] | None, changed: frozenset[str] | None
    ) -> None:
        if tokens is None:
            lane.pending += 1
            pending.lanes.append(lane)
            self._touch_all(lane, changed)
            return
        for token in tokens:
            lane.begin(token, self.clock)
            pending.rows.append((lane, token))
            self._drop(lane.entries.get(token, ()), changed)

    def _touch_all(self, lane: Lane, changed: frozenset[str] | None) -> None:
        lane.touched_at = self.clock
        for plan in lane.readers:
            plan.generation += plan.sees(changed)
        lane.forget(changed)

    def _spoil(self, lane: Lane) -> None:
        """Until the writes that have looked up its values end, any of its values may be theirs."""
        lane.pending += 1
        lane.held += 1
        self._touch_all(lane, None)
        lane.unlearn(None, None)

    def _drop(self, entries: Iterable[Entry], changed: frozenset[str] | None) -> None:
        for entry in list(entries):
            if entry.plan.sees(changed):
                self._evict(entry)

    def end(self, pending: Pending) -> None:
        """The write has ended."""
        self.clock += 1
        if pending.everything:
            self._everything -= 1
            self._flushed_at = self.clock
        for table in pending.tables:
            table.pending -= 1
            table.touched_at = self.clock
        for table in pending.movers:
            table.movers -= 1
        for table in pending.sweeps:
            table.sweeps -= 1
        for lane, token in pending.rows:
            lane.end(token, self.clock)
        for lane in pending.lanes:
            lane.end_all(self.clock)
        for lane in pending.guesses:
            lane.settle(self.clock)

    def guess(self, oid: int, names: Iterable[str]) -> list[Lane]:
        """The values that a write will touch in these lanes are about to be looked up. `Lane.settle` ends it.

        Whoever moves rows meanwhile makes the look-up worthless; until the write has ended, the lanes then count
        as touched entirely. Empty: somebody does already.
        """
        table = self.table(oid)
        if table.movers or self._everything:
            return []
        lanes = [table.lane(name, self.clock) for name in names]
        for lane in lanes:
            lane.guesses += 1
        return lanes

    def clear(self) -> None:
        """Invalidate every answer; what was looked up, too, holds no more."""
        for plan in self._plans:
            plan.generation += 1
        self.unlearn()
        for table in self._tables.values():
            for lane in table.lanes.values():
                if lane.guesses:
                    self._spoil(lane)

    def unlearn(self) -> None:
        """Forget all that is known of rows, and what reads under way will tell."""
        self.clock += 1
        self._flushed_at = self.clock
        for table in self._tables.values():
            for lane in table.lanes.values():
                lane.facts = {}

    def read_now(self) -> list[int]:
        """The tables on which an answer may depend."""
        return [
            oid
            for oid, table in self._tables.items()
            if table.readers or any(lane.readers for lane in table.lanes.values())
        ]

    @property
    def pending(self) -> int:
        """Announced writes, counted per table."""
        return self._everything + sum(table.pending for table in self._tables.values())

    def stats(self) -> dict[str, float]:
        return {"pending": self.pending}
