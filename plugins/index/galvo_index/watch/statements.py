"""All statements that were seen, by text and by fingerprint, bounded in number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from galvo_index.watch.entry import Entry
from galvo_index.watch.fingerprint import MAX_TEXT, sort_of, told
from galvo_index.watch.reservoir import Budget
from galvo_sql import parsable

SLICE = 5
"""Texts that are fingerprinted at a time: a tenth of a millisecond, one if they are long."""
TEXTS = 4
"""Texts that are known at once, for each statement."""


class Statements:
    """New texts get an entry at once; `merge` finds in the background which of them are one statement."""

    def __init__(self, most: int, samples: int, argument_bytes: int) -> None:
        self._most = most
        self._samples = samples
        self._budget = Budget(argument_bytes)
        self.texts: dict[str, Entry] = {}
        """What the hot path looks into: always the same dict."""
        self._known: dict[str, Entry] = {}
        """By fingerprint."""
        self._new: list[tuple[str, Entry]] = []
        self.others = Entry("", 0, self._budget)
        """What there is no room for, together."""
        self.dropped = 0
        """Statements that were forgotten for others."""

    def enter(self, sql: str) -> Entry:
        """The entry of a text that is not in `texts`."""
        if len(sql) > MAX_TEXT or len(self.texts) >= TEXTS * self._most or not parsable(sql):
            return self.others
        made = self.texts[sql] = Entry(sql, self._samples, self._budget)
        self._new.append((sql, made))
        return made

    def merge(self) -> bool:
        """Fingerprint some of the new texts; gives whether there are more."""
        taken, self._new = self._new[:SLICE], self._new[SLICE:]
        for sql, entry in taken:
            entry.fingerprint = told(sql)
            first = self._known.get(entry.fingerprint)
            if first is None:
                entry.kind = sort_of(sql)
                self._known[entry.fingerprint] = entry
            else:
                first.absorb(entry)
                self.texts[sql] = first
        if len(self._known) > self._most:
            self._shrink()
        if len(self.texts) > TEXTS * self._most // 2:
            self._forget_texts()
        return bool(self._new)

    def _shrink(self) -> None:
        """Forget the statements that took least time, a fourth and what is too much."""
        ranked = sorted(self._known.values(), key=lambda entry: entry.total + sum(entry.times))
        gone = ranked[: len(ranked) - self._most * 3 // 4]
        for entry in gone:
            self.others.absorb(entry)
            del self._known[entry.fingerprint]
        self.dropped += len(gone)
        left = set(map(id, gone))
        for sql in [sql for sql, entry in self.texts.items() if id(entry) in left]:
            del self.texts[sql]

    def _forget_texts(self) -> None:
        """Forget the older of the texts that are only one way of many to write a statement."""
        waiting = {sql for sql, _ in self._new}
        other = (sql for sql, entry in self.texts.items() if entry.sql is not sql and sql not in waiting)
        for sql in [*islice(other, len(self.texts) // 2)]:
            del self.texts[sql]

    def all(self) -> Iterator[Entry]:
        """Each once, folded; those not yet looked at as they are."""
        seen = {id(entry): entry for entry in (*self._known.values(), *self.texts.values())}
        for entry in seen.values():
            entry.fold()
            yield entry

    def find(self, sql: str) -> Entry | None:
        return self.texts.get(sql) or self._known.get(told(sql))

    def clear_arguments(self) -> int:
        """Gives the bytes that were held."""
        return sum(entry.arguments.clear() for entry in self.all())
