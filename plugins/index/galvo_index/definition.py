"""An index as one would create it."""

from __future__ import annotations

import hashlib
import re

import msgspec

OURS = "galvo_"
"""Names of indexes that galvo made begin with this."""
NAME_BYTES = 63
"""PostgreSQL cuts longer names."""


class Definition(msgspec.Struct, frozen=True):
    """All names and expressions are as in SQL: quoted where they have to be."""

    schema: str
    table: str
    keys: tuple[str, ...]
    """Columns or `(expressions)`, in order, each with its operator class or direction where it has one."""
    include: tuple[str, ...] = ()
    where: str = ""
    """The predicate of a partial index."""
    method: str = "btree"

    @property
    def relation(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def name(self) -> str:
        """The same for the same index, different for different ones; needs no quotes."""
        words = "_".join(re.findall(r"[a-z0-9]+", " ".join((self.table, *self.keys)).lower()))
        tail = hashlib.sha256(self.sql("").encode()).hexdigest()[:8]
        return f"{OURS}{words[: NAME_BYTES - len(OURS) - len(tail) - 1]}_{tail}"

    def sql(self, name: str | None = None, *, concurrently: bool = False) -> str:
        """CREATE INDEX, under `name` or its own ("": none)."""
        parts = ["create index", *(["concurrently"] if concurrently else [])]
        parts += [part for part in [self.name if name is None else name] if part]
        parts += [f"on {self.relation}", *([f"using {self.method}"] if self.method != "btree" else [])]
        parts.append(f"({', '.join(self.keys)})")
        if self.include:
            parts.append(f"include ({', '.join(self.include)})")
        if self.where:
            parts.append(f"where {self.where}")
        return " ".join(parts)
