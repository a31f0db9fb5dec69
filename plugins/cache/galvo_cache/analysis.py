"""From a statement's text to its effect: proven cacheable, known to write, or feared to do anything.

The analysis is right by refusing. It never raises; what it does not understand invalidates everything.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pglast import ast
from pglast.enums import TransactionStmtKind
from pglast.parser import ParseError, parse_sql

from galvo_cache import rows
from galvo_cache.allowed import is_session_call
from galvo_cache.catalog import BACKSLASHES, Catalog
from galvo_cache.effects import ANY_SETTING, Control, Effect, Everything, Read, Refused, Write
from galvo_cache.folding import folded
from galvo_cache.reads import judge, mentioned, named_once
from galvo_cache.tree import collect
from galvo_cache.writes import called, calls_declared, hidden_effects, narrowed, refreshed, written
from galvo_sql import parsable

__all__ = ["Control", "Effect", "Everything", "Read", "Refused", "Write", "analyse"]

TOKENS = 2048
"""Of longer statements only is asked what they change: all that is known of 2048 tokens takes 100 ms at worst."""
LISTED = 8192
"""As many if they are lists of constants, which nest no deeper than one of their elements: 0.2 s at worst."""
GLANCED = 4 * 1024 * 1024
"""Characters of a text that a pattern is tried on: 0.1 s."""
# It is one INSERT, UPDATE, DELETE or MERGE, or nothing at all, and names no system catalog.
_MANIPULATION = re.compile(
    r"(?:\s|--[^\n\r]*+[\n\r])*+(?:insert|update|delete|merge)\s(?![^;]*?(?:pg_|information_|u&\"))[^;]*+;?\s*+",
    re.ASCII | re.IGNORECASE,
)

_TRANSACTION: dict[object, str] = {
    TransactionStmtKind.TRANS_STMT_BEGIN: "begin",
    TransactionStmtKind.TRANS_STMT_START: "begin",
    TransactionStmtKind.TRANS_STMT_COMMIT: "commit",
    TransactionStmtKind.TRANS_STMT_ROLLBACK: "rollback",
    TransactionStmtKind.TRANS_STMT_SAVEPOINT: "savepoint",
    TransactionStmtKind.TRANS_STMT_ROLLBACK_TO: "rollback_to",
    TransactionStmtKind.TRANS_STMT_RELEASE: "release",
}
_SESSION = (
    ast.VariableShowStmt,
    ast.ListenStmt,
    ast.UnlistenStmt,
    ast.NotifyStmt,
    ast.PrepareStmt,
    ast.DeallocateStmt,
    ast.ClosePortalStmt,
    ast.LockStmt,
    ast.CheckPointStmt,
)
# These run code that is not in their text.
_OPAQUE = {
    ast.CallStmt: "call",
    ast.DoStmt: "do",
    ast.ExecuteStmt: "execute",
    ast.FetchStmt: "fetch",
    ast.ConstraintsSetStmt: "set_constraints",
}


def analyse(sql: str, catalog: Catalog) -> Effect:
    """Say what a statement does, as far as its text and the catalog prove it."""
    if "\0" in sql or (catalog.encoding != "UTF8" and not sql.isascii()):
        # the parser stops at NUL; servers in other encodings fold and cut names differently
        return Everything("unparsable", ddl=True)
    if catalog.hazard == BACKSLASHES and "\\" in sql:
        return Everything(BACKSLASHES, ddl=True)  # the parser ends literals elsewhere
    text, fully = _bearable(sql)
    if text is None:
        manipulates = len(sql) <= GLANCED and _MANIPULATION.fullmatch(sql) is not None
        return Everything("too_long", not manipulates, "it stays long without its lists of values")
    try:
        statements = [raw.stmt for raw in parse_sql(text)]
        if len(statements) == 1:
            return _statement(statements[0], catalog, fully)
        return _combine([_statement(statement, catalog, fully) for statement in statements])
    except ParseError:
        return Everything("unparsable", ddl=True)
    except Exception as error:  # noqa: BLE001 - a fault of the analysis must not become a stale answer
        return Everything("internal", ddl=True, detail=type(error).__name__)


def _bearable(sql: str) -> tuple[str | None, bool]:
    """What to parse for `sql`, and whether all may be asked of that."""
    if parsable(sql, TOKENS):
        return sql, True
    short = folded(sql)
    if short is not None and ";" not in short.rstrip("; ") and parsable(short, TOKENS) and parsable(sql, LISTED):
        return sql, True
    return sql if parsable(sql) else short, False


def _combine(effects: list[Effect]) -> Effect:
    if not effects:
        return Refused("empty")
    fears = [effect for effect in effects if isinstance(effect, Everything)]
    if fears:
        return next((fear for fear in fears if fear.ddl), fears[0])
    controls = [effect for effect in effects if isinstance(effect, Control)]
    writes = [effect for effect in effects if isinstance(effect, Write)]
    if any(control.kind != "session" for control in controls) or (controls and writes):
        return Everything("mixed_control")
    if controls:
        return Control("session", settings=frozenset[str]().union(*(control.settings for control in controls)))
    if writes:
        # which rows each changed is not followed through a sequence of statements
        return Write(frozenset[int]().union(*(write.tables for write in writes)))
    return Refused("multiple_statements")


def _statement(statement: object, catalog: Catalog, fully: bool) -> Effect:
    """`fully` or only what it may change: not which rows, and not whether its answer may be kept."""
    match statement:
        case ast.SelectStmt():
            return _select(statement, catalog, fully)
        case ast.InsertStmt() | ast.UpdateStmt() | ast.DeleteStmt() | ast.MergeStmt() | ast.TruncateStmt():
            return _written(statement, catalog, fully)
        case ast.CopyStmt():
            return _copy(statement, catalog, fully)
        case ast.RefreshMatViewStmt():
            return refreshed(statement, catalog)
        case ast.TransactionStmt():
            kind = _TRANSACTION.get(statement.kind)
            return Control(kind, bool(statement.chain)) if kind else Everything("two_phase")
        case ast.ExplainStmt():
            return _explain(statement, catalog, fully)
        case ast.DeclareCursorStmt():
            effect = _statement(statement.query, catalog, fully)
            # WITH HOLD it runs at COMMIT
            return effect if isinstance(effect, Everything | Write | Control) else Refused("cursor")
        case ast.VariableSetStmt():
            return Control("session", settings=frozenset({(statement.name or ANY_SETTING).lower()}))
        case ast.DiscardStmt():
            return Control("session", settings=frozenset({ANY_SETTING}))
        case _ if isinstance(statement, _SESSION):
            return Control("session")
        case _ if type(statement) in _OPAQUE:
            return Everything(_OPAQUE[type(statement)])
        case ast.Node():
            temporary = collect(statement).temporary
            return Everything("temporary_ddl" if temporary else "ddl", True, type(statement).__name__)
        case _:
            return Everything("unparsable", ddl=True)


def _written(statement: ast.Node, catalog: Catalog, fully: bool) -> Effect:
    facts = collect(statement)
    effect = written(facts, catalog)
    return narrowed(effect, statement, facts, catalog) if fully and isinstance(effect, Write) else effect


def _select(statement: ast.SelectStmt, catalog: Catalog, fully: bool) -> Effect:
    facts = collect(statement)
    if "IntoClause" in facts.nodes:
        return Everything("temporary_ddl" if facts.temporary else "ddl", True, "IntoClause")
    if facts.targets:
        return written(facts, catalog)
    if hidden := hidden_effects(facts, catalog):
        return hidden
    if any(is_session_call(call.name) for call in facts.calls):
        if calls_declared(facts, catalog):
            return Everything("session_function")
        return Control("session", settings=frozenset(facts.settings))
    if calls_declared(facts, catalog):
        return Everything(catalog.hazard) if catalog.hazard else Write(called(facts, catalog))
    if not fully:
        return Refused("too_long")
    effect = judge(facts, catalog)
    if isinstance(effect, Refused):
        return effect
    slices, proves = rows.slices(statement, catalog, effect.tables)
    once = named_once(facts, catalog)
    return replace(
        effect,
        slices=tuple(part for part in slices if part.table in once),
        proves=proves,
        columns=mentioned(facts, catalog, effect),
        shown=rows.shown(statement, catalog, effect.tables),
    )


def _copy(statement: ast.CopyStmt, catalog: Catalog, fully: bool) -> Effect:
    if statement.is_program:
        return Everything("copy_program")
    if statement.is_from:
        return written(collect(statement), catalog)
    if statement.query is not None:
        effect = _statement(statement.query, catalog, fully)
        return _within("copy", effect) if isinstance(effect, Read | Refused) else effect
    facts = collect(statement)
    unknown = any(catalog.resolve(schema, name) is None for schema, name in facts.relations)
    return hidden_effects(facts, catalog) or Refused("copy", more=frozenset({"unknown_relation"} if unknown else ()))


def _within(reason: str, effect: Effect) -> Refused:
    return Refused(reason, more=effect.reasons if isinstance(effect, Refused) else frozenset())


def _explain(statement: ast.ExplainStmt, catalog: Catalog, fully: bool) -> Effect:
    effect = _statement(statement.query, catalog, fully)
    names = [option.defname for option in statement.options or () if isinstance(option, ast.DefElem)]
    # planning runs functions, too
    if isinstance(effect, Everything) or (isinstance(effect, Write) and isinstance(statement.query, ast.SelectStmt)):
        return effect
    if "analyze" in names and isinstance(effect, Write | Control):
        return effect
    return _within("explain", effect)
