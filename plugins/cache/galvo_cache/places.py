"""Where an answer depends on single rows: from a plan's slices and the arguments of one read."""

from __future__ import annotations

from typing import Any

from galvo import Rows
from galvo_cache.effects import Const, Output, Param, Slice
from galvo_cache.lane import Place, Value
from galvo_cache.ledger import Ledger
from galvo_cache.plans import Plan
from galvo_cache.touch import token_of


def known_places(plan: Plan, args: tuple[Any, ...], ledger: Ledger) -> list[Place]:
    """What a read is known to depend on before it runs; a value that only its answer shows is left out."""
    return [_place(part, token_for(part, args), ledger) for part in plan.slices if not isinstance(part.source, Output)]


def joining_places(plan: Plan, args: tuple[Any, ...], ledger: Ledger) -> list[Place]:
    """What must not have been touched for another reader to join: more than the answer will depend on.

    Whether the row of a unique slice exists, and which row an output names, is known after the read only.
    """
    return [_place(part, None if part.unique else token_for(part, args), ledger) for part in plan.slices]


def final_places(plan: Plan, args: tuple[Any, ...], rows: Rows, ledger: Ledger) -> list[Place]:
    """What an answer depends on.

    An insert is not said to touch the values of a unique lane: it cannot change an answer that proves that its row
    exists. Every other answer with a unique slice depends on the whole table.
    """
    proven = plan.proves and bool(rows.records)
    return [
        _place(part, token_for(part, args, rows) if proven or _is_certain(part) else None, ledger)
        for part in plan.slices
    ]


def _is_certain(part: Slice) -> bool:
    """Whether an answer without rows depends on this slice alone, too."""
    return not part.unique and not isinstance(part.source, Output)


def token_for(part: Slice, args: tuple[Any, ...], rows: Rows | None = None) -> int | None:
    """The token of a slice, if the arguments or the answer show it."""
    match part.source:
        case Param(index):
            return token_of(args[index]) if index < len(args) else None
        case Const(value):
            return token_of(value)
        case Output(column):
            return token_of(rows.records[0][column]) if rows is not None and rows.records else None


def _place(part: Slice, token: int | None, ledger: Ledger) -> Place:
    table = ledger.table(part.table)
    return table if token is None else Value(table.lane(part.column, ledger.clock), token)
