"""What the pool tells others, by OpenTelemetry's names for database clients (semantic conventions 1.44)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from galvo import Metering, Metric

if TYPE_CHECKING:
    from galvo_pool.pool import Pool

Record = Callable[[Metric, float], None]
SYSTEM = ("db.system.name", "postgresql")
DURATION = Metric("db.client.operation.duration", "histogram", "s", (SYSTEM,))
"""Of a statement that ended well, from asking for a connection to the last row."""
MOST = 100
"""Kinds of errors; functions of the database can make up more of them."""
PRIMARY = "primary"
"""The name of the pool that writes, too."""
OTHER = "_OTHER"
"""OpenTelemetry's name for the rest."""

_failed: dict[str, Metric] = {}


def failed(error: BaseException) -> Metric:
    """`DURATION` of what failed, with SQLSTATE or else the exception's name."""
    kind = str(getattr(error, "sqlstate", None) or type(error).__name__)
    if kind not in _failed and len(_failed) >= MOST:
        kind = OTHER
    metric = _failed.get(kind)
    if metric is None:
        attributes = (SYSTEM, ("error.type", kind))
        metric = _failed[kind] = Metric(DURATION.name, DURATION.kind, DURATION.unit, attributes)
    return metric


class Meter:
    """Of one pool: what its tasks wait for."""

    def __init__(self) -> None:
        self.waits = 0
        """How often somebody had no connection at once."""
        self.seconds = 0.0
        """That they waited in all, in vain or not."""
        self.timeouts = 0
        """How often none became free in time."""
        self._record: Record | None = None
        self._wait = self._create = _metric("wait_time", "histogram", "s", "")

    def tell(self, record: Record, name: str) -> None:
        """From now on; `name` is the pool's."""
        self._wait = _metric("wait_time", "histogram", "s", name)
        self._create = _metric("create_time", "histogram", "s", name)
        self._record = record

    def waited(self, seconds: float) -> None:
        self.waits += 1
        self.seconds += seconds
        if self._record is not None:
            self._record(self._wait, seconds)

    def created(self, seconds: float) -> None:
        """A connection was opened."""
        if self._record is not None:
            self._record(self._create, seconds)


def metering(record: Record, name: str, find: Callable[[], Pool | None]) -> Metering:
    """Records the state of the pool that `find` gives, if it does."""
    gauges = {
        "used": _metric("count", "gauge", "{connection}", name, ("db.client.connection.state", "used")),
        "idle": _metric("count", "gauge", "{connection}", name, ("db.client.connection.state", "idle")),
        "max": _metric("max", "gauge", "{connection}", name),
        "pending": _metric("pending_requests", "gauge", "{request}", name),
    }

    def state() -> dict[str, float]:
        pool = find()
        if pool is None or pool._queue is None:
            return {}
        return {
            "used": pool.lent,
            "idle": max(0, pool.get_size() - pool.lent),
            "max": pool.get_max_size(),
            "pending": pool._queue.waiting,
            "timeouts": pool.meter.timeouts,
        }

    return Metering(record, state, {"timeouts": _metric("timeouts", "counter", "{timeout}", name)}, gauges)


def _metric(
    what: str, kind: Literal["counter", "gauge", "histogram"], unit: str, name: str, *more: tuple[str, str]
) -> Metric:
    return Metric(f"db.client.connection.{what}", kind, unit, (("db.client.connection.pool.name", name), *more))
