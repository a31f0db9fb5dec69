"""All cells of a process. Any thread may record, and waits for no other one, but while a cell is looked for that is not
known by its metric's identity.

At most so many series for each name, and so many names: labels that nobody bounded cost neither memory nor much time.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, RLock
from time import monotonic

import msgspec

from galvo import Metric
from galvo_monitor.cells.buckets import Buckets
from galvo_monitor.cells.cell import UNKNOWN, Cell, Counter, Gauge, Histogram
from galvo_monitor.cells.snapshot import Snapshot
from galvo_monitor.names import text

FULL = 512
"""Values of a cell that are added up together: about 50 us."""
OBJECTS = 4
"""Equal metrics that are found by their identity; any more are found by what they are, which takes longer."""
NAMES = 1000
LENGTH = 200
"""Characters of a name, and of an attribute."""
ATTRIBUTES = 32
"""Of one metric; those that come after them do not count."""
KEPT = 300.0
"""Seconds after which a gauge that nobody tells any more has no value."""
OTHER = (("other", "true"),)
REFUSED = "galvo.monitor.refused_series"
"""Counts, by the name of a metric, what went to its series `other`, and what had another kind or unit than its name
and so went nowhere; without a name, what had one name too many."""
KINDS: dict[str, type[Cell]] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


class Name:
    """What the series of one name have in common."""

    __slots__ = ("kind", "series", "unit")

    def __init__(self, metric: Metric) -> None:
        self.kind, self.unit = metric.kind, metric.unit
        self.series = 0


class Registry:
    def __init__(self, *, most: int = 200, clock: Callable[[], float] = monotonic) -> None:
        """`most`: series for each name."""
        self._most = most
        self._clock = clock
        self._values: dict[int, list[float]] = {}
        """By the identity of a metric, which `_metrics` keeps alive."""
        self._metrics: list[Metric] = []
        self._cells: dict[Metric, Cell] = {}
        self._owners: dict[int, Cell] = {}
        """By the identity of their values."""
        self._names = {REFUSED: Name(Metric(REFUSED, unit="{record}"))}
        self._told: dict[Metric, float] = {}
        """When a gauge was told last, as far as anybody asked, by the clock."""
        self._binding = RLock()  # a finalizer may record while its own thread binds
        self._settling = Lock()

    def record(self, metric: Metric, value: float) -> None:
        """One value, in the metric's unit."""
        try:
            values = self._values[id(metric)]
        except KeyError:
            values = self._bind(metric)
        values.append(value)
        if len(values) >= FULL:
            self._settle(values)

    def forget(self, metric: Metric) -> None:
        """A gauge has no value until it is told again."""
        self.record(metric, UNKNOWN)

    def read(self, at: float) -> Snapshot:
        """All that was recorded until now. `at`: seconds since the epoch."""
        counters: list[tuple[Metric, float]] = []
        gauges: list[tuple[Metric, float]] = []
        histograms: list[tuple[Metric, Buckets]] = []
        with self._settling:
            steady = self._clock()
            for metric, cell in list(self._cells.items()):
                cell.settle()
                if isinstance(cell, Histogram):
                    histograms.append((metric, cell.buckets()))
                elif isinstance(cell, Counter):
                    counters.append((metric, cell.total))
                elif isinstance(cell, Gauge) and self._current(metric, cell, steady):
                    gauges.append((metric, cell.last))
        return Snapshot(at, counters, gauges, histograms, steady)

    def _current(self, metric: Metric, gauge: Gauge, now: float) -> bool:
        if gauge.told:
            gauge.told = False
            self._told[metric] = now
        return metric in self._told and now - self._told[metric] <= KEPT and gauge.last is not UNKNOWN

    def _settle(self, values: list[float]) -> None:
        """Add them up, unless another thread adds up just now: then they wait until the next time."""
        if self._settling.acquire(blocking=False):
            try:
                if cell := self._owners.get(id(values)):
                    cell.settle()
            finally:
                self._settling.release()

    # -- finding cells --------------------------------------------------------------------------------

    def _bind(self, metric: Metric) -> list[float]:
        """Where values of `metric` go; nobody adds them up when it cannot be kept at all."""
        with self._binding:
            sound = metric
            try:
                cell = self._cells.get(metric)
            except TypeError:  # a list among its attributes, for example
                cell = None
            if cell is None:
                sound = _sound(metric)
                cell = self._cells.get(sound)
            if cell is None:
                name = self._names.get(sound.name)
                if name is not None and name.series >= self._most:
                    return self._other(sound).values
                cell = self._cell(sound)
                if cell is None:
                    return []
            if cell.bound < OBJECTS and _same(metric, sound):
                cell.bound += 1
                self._metrics.append(metric)
                self._values[id(metric)] = cell.values
            return cell.values

    def _cell(self, metric: Metric) -> Cell | None:
        """A new one, if there may be one more of this name."""
        if metric.name not in self._names:
            if len(self._names) >= NAMES or metric.kind not in KINDS:
                self._refuse()
                return None
            self._names[metric.name] = Name(metric)
        name = self._names[metric.name]
        if (metric.kind, metric.unit) != (name.kind, name.unit):
            self._refuse(metric.name)
            return None
        name.series += 1
        return self._make(metric)

    def _other(self, metric: Metric) -> Cell:
        name = self._names[metric.name]
        if metric.name != REFUSED:
            self._refuse(metric.name)
        other = Metric(metric.name, name.kind, name.unit, OTHER)
        return self._cells.get(other) or self._make(other)

    def _make(self, metric: Metric) -> Cell:
        cell = KINDS[metric.kind]()
        self._owners[id(cell.values)] = cell
        return self._cells.setdefault(metric, cell)

    def _refuse(self, name: str = "") -> None:
        self.record(Metric(REFUSED, "counter", "{record}", (("metric", name),) if name else ()), 1)


def _sound(metric: Metric) -> Metric:
    """The same, fit to be kept, sent and compared: short, in order, of text that UTF-8 can hold."""
    attributes = tuple(sorted((_short(name), _short(value)) for name, value in metric.attributes[:ATTRIBUTES]))
    name, unit = _short(metric.name), _short(metric.unit)
    if (name, unit, attributes) == (metric.name, metric.unit, metric.attributes):
        return metric
    return msgspec.structs.replace(metric, name=name, unit=unit, attributes=attributes)


def _same(metric: Metric, sound: Metric) -> bool:
    """But for the order: what is kept for its identity is then no larger, and cannot change."""
    if metric is sound:
        return True
    given, kept = metric.attributes, sound.attributes
    return (
        (metric.name, metric.unit, len(given)) == (sound.name, sound.unit, len(kept))
        and type(given) is tuple
        and all(pair in given for pair in kept)
    )


def _short(given: object) -> str:
    return text(str(given)[:LENGTH])
