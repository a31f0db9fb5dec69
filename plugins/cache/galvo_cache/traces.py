"""Which statements leave no trace in the session that runs them: after them alone, its connection needs no reset.

A trace is what PostgreSQL's RESET ALL, UNLISTEN, CLOSE ALL, DISCARD TEMP and pg_advisory_unlock_all would undo.
"""

from __future__ import annotations

import re

from galvo import Query
from galvo_cache.effects import Control, Effect, Read, Refused, Write
from galvo_cache.plans import Plan, Plans
from galvo_cache.texts import stripped

# Refused as reads, and yet all that they may run is known, if there is no other reason.
QUIET = frozenset({
    "volatile_function", "stable_function", "clock_literal", "system_column", "system_catalog", "locking",
    "tablesample", "sql_value_function", "copy", "explain", "empty",
})  # fmt: skip


# Refused because the answer is of one moment; a standby gives it as well.
OF_A_MOMENT = frozenset({"stable_function", "sql_value_function", "clock_literal", "tablesample", "cast"})
OF_ONE_SERVER = re.compile(
    r"pg_\w+\s*\(|U&\"|nextval|setval|currval|lastval|txid_|inet_server|\blo_|version\s*\(", re.I
)
"""What may mean another thing on another server, or cannot run there."""


def anywhere(effect: Effect, sql: str) -> bool:
    """Whether a standby may answer a read that no cache may keep."""
    return isinstance(effect, Refused) and effect.reason in OF_A_MOMENT and not OF_ONE_SERVER.search(sql)


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


class Traces:
    """What a pool asks about a statement that has just passed the cache.

    By what it means in a session in which no setting was changed.
    """

    def __init__(self, plans: Plans, name: str) -> None:
        """`name`: whose own statements are known."""
        self._plans = plans
        self._name = name

    def _plan(self, query: Query) -> Plan | None:
        return self._plans.get(query.sql) or self._plans.get(stripped(query.sql))

    def traceless(self, query: Query) -> bool:
        """Whether it is known to leave nothing behind in its session."""
        if query.origin == self._name:
            return True
        plan = self._plan(query)
        return plan is not None and plan.traceless

    def only_reads(self, query: Query) -> bool:
        """Whether it is known to change no table."""
        if query.origin == self._name:
            return True
        plan = self._plan(query)
        return plan is not None and isinstance(plan.effect, Read | Refused)

    def anywhere(self, query: Query) -> bool:
        """Whether a standby may answer it: it is a read, and one that cannot be kept."""
        plan = self._plan(query)
        return plan is not None and anywhere(plan.effect, query.sql)
