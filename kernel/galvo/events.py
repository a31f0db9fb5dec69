"""The payloads that travel through the hooks: frozen, slotted, cheap to make.

msgspec structs rather than dataclasses: a frozen, slotted dataclass of this size costs ten times as
much to make, and a query is made for every cache hit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from galvo.session import Session

Kind = Literal["rows", "status", "many", "value", "stream"]
"""Of a `Query`, which tells what each means."""


class Query(msgspec.Struct, frozen=True, gc=False):
    """Anything with an answer.

    `kind` says which: "rows" (fetch, fetchrow, fetchval), "status" (execute), "many" (executemany:
    `args` holds one tuple per run), "value" (a computed value, see `Computed`), "stream" (see `Driven`: COPY and
    whatever else has data that `args` does not hold).
    """

    sql: str
    args: tuple[Any, ...] = ()
    kind: Kind = "rows"
    limit: Literal[0, 1] = 0
    """1 for the first row only, as fetchrow and fetchval want it; 0 for all."""
    timeout: float | None = None
    """Seconds, or None for the backend's default."""
    session: Session | None = None
    """The session this query belongs to; None: any connection will do."""
    origin: str = ""
    """The plugin that asks; "" is the application."""
    record_class: type | None = None
    stale_ok: float | None = None
    """Seconds: an answer that stopped being current at most so long ago will do (see `Facade.fetch`)."""

    def with_(self, **changes: Any) -> Query:
        """A copy with `changes`; payloads themselves never change."""
        return msgspec.structs.replace(self, **changes)


class Computed(Query, frozen=True, gc=False, kw_only=True):
    """A computed value: `sql` is its key, `load` makes it, `depends_on` names the tables it was made from."""

    load: Callable[[], Awaitable[Any]]
    depends_on: tuple[str, ...] = ()
    ttl: float | None = None
    """Seconds to keep it at most; None is the cache's own default."""
    shared: bool = False
    """True: callers promise not to change the value, so it is handed out without a copy."""


class Driven(Query, frozen=True, gc=False, kw_only=True):
    """What only the driver can run: a prepared statement, a cursor, COPY.

    Its answer's one record is what `call` gave.
    """

    call: Callable[[], Awaitable[Any]]


class Rows(msgspec.Struct, frozen=True):
    """An answer. `records` belongs to whoever made it: read it, never change it."""

    records: Sequence[Any] = ()
    """Of "rows": the driver's records, or `Row`s where a plugin makes the answer. The kernel does not look at them."""
    status: str = ""
    """The command tag, for example "INSERT 0 1"; only "status" queries have one."""
    keep: bool = True
    """False: right for this caller only, not to be kept for others; the names of a write may mean other tables."""


class Metric(msgspec.Struct, frozen=True):
    """What is measured, named by OpenTelemetry's conventions. Make it once, at import; record often."""

    name: str
    kind: Literal["counter", "gauge", "histogram"] = "counter"
    unit: str = "1"
    attributes: tuple[tuple[str, str], ...] = ()


class Level(IntEnum):
    """How short memory is."""

    NORMAL = 0
    ELEVATED = 1
    HIGH = 2
    CRITICAL = 3


class MemoryPressure(msgspec.Struct, frozen=True):
    level: Level
    bytes_over: int = 0
    """Bytes above the level's threshold, as far as they are known."""


class Freed(msgspec.Struct, frozen=True):
    bytes: int
    what: str = ""

    @classmethod
    def total(cls, parts: Iterable[Freed]) -> Freed:
        """The sum, with what each part was."""
        parts = [part for part in parts if part.bytes]
        return cls(sum(part.bytes for part in parts), ", ".join(part.what for part in parts if part.what))
