"""Which statements leave no trace in the session that runs them: after them alone, its connection needs no reset.

A trace is what PostgreSQL's RESET ALL, UNLISTEN, CLOSE ALL, DISCARD TEMP and pg_advisory_unlock_all would undo.
"""

from __future__ import annotations

from galvo_cache.effects import Control, Effect, Read, Refused, Write

# Refused as reads, and yet all that they may run is known, if there is no other reason.
QUIET = frozenset({
    "volatile_function", "stable_function", "clock_literal", "system_column", "system_catalog", "locking",
    "tablesample", "sql_value_function", "copy", "explain", "empty",
})  # fmt: skip


def traceless(effect: Effect, *, declared: bool) -> bool:
    """`declared`: writes may run functions of which is known only what tables they change."""
    match effect:
        case Read():
            return not effect.declared
        case Write():
            return not declared
        case Control():
            return effect.kind != "session" and not effect.settings
        case Refused():
            return effect.reasons <= QUIET
    return False
