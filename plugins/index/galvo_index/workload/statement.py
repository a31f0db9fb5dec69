"""A statement of a workload, with what it costs."""

from __future__ import annotations

from typing import Any

import msgspec


class Statement(msgspec.Struct, frozen=True):
    sql: str
    """Its text; `$1` stands for arguments."""
    calls: float = 1
    """In the time that was watched, or relative to each other when no time is known."""
    seconds: float = 0.0
    """Of all calls together; 0: not measured."""
    rows: float = 0.0
    """Of all calls together."""
    arguments: tuple[tuple[Any, ...], ...] = ()
    """Some of those it was really called with; empty: literals, or not known."""

    def __repr__(self) -> str:
        """Without text and arguments: they are values of somebody's data, and this goes into logs and tracebacks."""
        return f"<Statement of {len(self.sql)} characters, {self.calls:g} calls, {len(self.arguments)} arguments>"
