"""What a session has set so far: under which names its statements are read, as far as its statements tell.

A function that changes the search_path by itself is not seen.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec
from pglast import ast, parse_sql
from pglast.enums import TransactionStmtKind, VariableSetKind
from pglast.parser import ParseError

from galvo import Session
from galvo_index.watch.fingerprint import MAX_TEXT
from galvo_sql import parsable

_MAYBE = re.compile(
    r"(^|;|\*/|\n)[ \t\r]*(set|reset|discard|begin|start|commit|end|abort|rollback|do|call)\b"
    r"|set_config|\btemp(orary)?\b",
    re.IGNORECASE,
)
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_.]*")
KEPT = 1000
"""Texts whose effect is remembered."""
BEGINS = (TransactionStmtKind.TRANS_STMT_BEGIN, TransactionStmtKind.TRANS_STMT_START)
ENDS = {
    TransactionStmtKind.TRANS_STMT_COMMIT: "commit",
    TransactionStmtKind.TRANS_STMT_ROLLBACK: "rollback",
    TransactionStmtKind.TRANS_STMT_ROLLBACK_TO: "rollback_to",
}


class Effect(msgspec.Struct, frozen=True):
    kind: Literal["set", "reset", "begin", "commit", "rollback", "rollback_to", "unknown"]
    name: str = ""
    """The setting."""
    local: bool = False
    detail: str = ""
    """What follows SET, to be set again; or why it is unknown."""


LONG = Effect("unknown", detail="the session ran a very long statement")


class Trail:
    """What one session has set; a note of the session."""

    def __init__(self) -> None:
        self.unknown = ""
        """Why nothing is known any more."""
        self.settings: dict[str, str] = {}
        """By name, what follows SET."""
        self._local: set[str] = set()
        self._before: dict[str, str] | None = None
        """The settings when the transaction began; None: outside of one."""

    def follow(self, effect: Effect) -> None:
        kind = effect.kind
        if kind == "unknown":
            self.unknown = effect.detail
        elif kind == "set":
            if self._before is None and effect.local:
                return  # the server warns, and does nothing
            self.settings[effect.name] = effect.detail
            if effect.local:
                self._local.add(effect.name)
        elif kind == "reset":
            self.settings.pop(effect.name, None)
        elif kind == "begin":
            self._before = dict(self.settings)
        elif kind == "rollback_to":
            if self._before is not None and self.settings != self._before:
                self.unknown = "a savepoint was rolled back after a SET"
        else:
            if self._before is not None and kind == "rollback":
                self.settings = self._before
            elif self._before is not None:
                for name in self._local:
                    self.settings.pop(name, None)
                    if name in self._before:
                        self.settings[name] = self._before[name]
            self._local, self._before = set(), None


class Sessions:
    """Follows the statements of sessions."""

    def __init__(self, name: str) -> None:
        """`name`: under which notes are kept."""
        self._name = name
        self._effects: dict[str, Effect | None] = {}

    def saw(self, session: Session, sql: str) -> None:
        """A statement of `session` has ended well."""
        try:
            effect = self._effects[sql] if len(sql) <= MAX_TEXT else LONG
        except KeyError:
            if len(self._effects) >= KEPT:
                self._effects.clear()
            effect = self._effects[sql] = effect_of(sql)
        if effect is not None:
            trail = session.notes.get(self._name)
            if trail is None:
                trail = session.notes[self._name] = Trail()
            trail.follow(effect)

    def settings(self, session: Session | None) -> tuple[str, ...] | str:
        """What to SET to read names as `session` does now; a string says why that is not known."""
        trail: Trail | None = None if session is None else session.notes.get(self._name)
        if trail is None:
            return ()
        return trail.unknown or tuple(trail.settings.values())


def effect_of(sql: str) -> Effect | None:
    """What a statement does to its session's names and settings; None: nothing."""
    if len(sql) > MAX_TEXT or not parsable(sql):
        return LONG
    if not _MAYBE.search(sql):
        return None
    try:
        statements: list[Any] = [raw.stmt for raw in parse_sql(sql)]
    except (ParseError, ValueError):
        return Effect("unknown", detail="a statement of the session cannot be parsed")
    if len(statements) != 1:
        return Effect("unknown", detail="the session ran a script")
    statement = statements[0]
    if isinstance(statement, ast.TransactionStmt):
        if statement.kind in BEGINS:
            return Effect("begin")
        ends = ENDS.get(statement.kind) if statement.kind is not None else None
        return Effect(ends) if ends else None  # type: ignore[arg-type]  # one of the literals
    if isinstance(statement, ast.VariableSetStmt):
        return _setting(statement, sql)
    if "set_config" in sql.lower() or isinstance(statement, ast.DoStmt | ast.CallStmt | ast.DiscardStmt):
        return Effect("unknown", detail="the session ran what may have changed its settings")
    into = getattr(statement, "into", None)
    relation = getattr(into, "rel", None) or getattr(statement, "relation", None) or getattr(statement, "view", None)
    if getattr(relation, "relpersistence", "p") == "t" or getattr(statement, "intoClause", None) is not None:
        return Effect("unknown", detail="the session has a temporary table")
    return None


def _setting(statement: Any, sql: str) -> Effect | None:
    name = statement.name or ""
    if statement.kind == VariableSetKind.VAR_SET_MULTI:
        return None  # SET TRANSACTION
    if statement.kind in (VariableSetKind.VAR_RESET, VariableSetKind.VAR_SET_DEFAULT):
        return Effect("reset", name)
    if statement.kind != VariableSetKind.VAR_SET_VALUE or not _PLAIN_NAME.fullmatch(name):
        return Effect("unknown", detail="the session has reset its settings")
    after = re.sub(r"^\s*set\s+((session|local)\s+(?!authorization))?", "", sql, count=1, flags=re.IGNORECASE)
    if after == sql:
        return Effect("unknown", detail="the session has a setting that cannot be repeated")
    return Effect("set", name, bool(statement.is_local), after.strip().rstrip(";"))
