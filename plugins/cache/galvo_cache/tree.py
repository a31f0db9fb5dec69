"""One pass over a parse tree: the names and shapes that the verdicts are built on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from pglast import ast
from pglast.enums import DropBehavior, OnConflictAction

from galvo_cache.allowed import SESSION_CALLS
from galvo_cache.closures import Verb
from galvo_cache.effects import ANY_SETTING
from galvo_sql import strings

Name = tuple[str | None, str]

# PostgreSQL's date parser splits words at anything that is not a letter.
_CLOCK = re.compile(r"(?<![a-z])(?:now|today|tomorrow|yesterday)(?![a-z])", re.IGNORECASE | re.ASCII)


class Call(NamedTuple):
    """A function call as written."""

    schema: str | None
    name: str
    args: int


class Target(NamedTuple):
    """A table that a data-modifying node names.

    `verb`: insert, update (of `columns`), delete, change (both), truncate or truncate_cascade.
    """

    verb: Verb
    schema: str | None
    name: str
    columns: frozenset[str] | None = None


@dataclass(slots=True)
class Facts:
    """What one statement mentions, wherever in its tree."""

    nodes: set[str] = field(default_factory=set)
    relations: set[Name] = field(default_factory=set)
    inherited: set[Name] = field(default_factory=set)
    ctes: set[str] = field(default_factory=set)
    targets: list[Target] = field(default_factory=list)
    calls: set[Call] = field(default_factory=set)
    operators: set[str] = field(default_factory=set)
    qualified_operator: str = ""
    types: list[ast.TypeName] = field(default_factory=list)
    casts: list[tuple[object, ast.TypeName]] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    natural: bool = False
    renamed: bool = False
    fields: set[str] = field(default_factory=set)
    clock_literal: str = ""
    derived: bool = False
    temporary: bool = False
    settings: set[str] = field(default_factory=set)


def collect(root: ast.Node) -> Facts:
    """Gather the facts of a tree, without recursion: hostile texts nest deeply."""
    facts = Facts()
    targets: set[int] = set()
    stack: list[object] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, ast.Node):
            facts.nodes.add(type(item).__name__)
            _note(item, facts, targets)
            if not isinstance(item, ast.LockingClause):  # it names aliases, not tables
                stack.extend(getattr(item, slot) for slot in item)
    return facts


def _note(node: ast.Node, facts: Facts, targets: set[int]) -> None:
    match node:
        case ast.ColumnRef():
            names = strings(node.fields)
            facts.columns.update(names[-1:])
            if len(names) > 1:
                facts.fields.add(names[-1])
        case ast.A_Const():
            if isinstance(node.val, ast.String) and (found := _CLOCK.search(node.val.sval or "")):
                facts.clock_literal = found[0].lower()
        case ast.A_Expr():
            _operator(strings(node.name), facts)
        case ast.SubLink():
            _operator(strings(node.operName), facts)
        case ast.SortBy():
            _operator(strings(node.useOp), facts)
        case ast.FuncCall():
            *schema, name = strings(node.funcname)
            facts.calls.add(Call(schema[-1] if schema else None, name, len(node.args or ())))
            if name in SESSION_CALLS:
                facts.settings.add(_setting(node.args))
        case ast.A_Indirection():
            facts.fields.update(strings(node.indirection))
        case ast.TypeCast():
            if node.typeName is not None:
                facts.casts.append((node.arg, node.typeName))
        case ast.TypeName():
            facts.types.append(node)
        case ast.CommonTableExpr():
            facts.derived = True
            facts.ctes.add(node.ctename or "")
        case ast.RangeSubselect() | ast.RangeFunction() | ast.RangeTableFunc() | ast.JsonTable():
            facts.derived = True
        case ast.Alias():
            facts.derived |= bool(node.colnames)
            facts.renamed |= bool(node.colnames)
            facts.aliases.add(node.aliasname or "")
        case ast.JoinExpr():
            facts.natural |= bool(node.isNatural)
            facts.columns.update(strings(node.usingClause))
        case ast.RangeVar():
            facts.temporary |= node.relpersistence == "t" or node.schemaname == "pg_temp"
            if id(node) not in targets:
                mentioned = (node.schemaname, node.relname or "")
                facts.relations.add(mentioned)
                if node.inh:  # not FROM ONLY
                    facts.inherited.add(mentioned)
        case ast.InsertStmt():
            conflict = node.onConflictClause
            updates = conflict is not None and conflict.action is not OnConflictAction.ONCONFLICT_NOTHING
            _target("change" if updates else "insert", node.relation, facts, targets)
        case ast.UpdateStmt():
            columns = frozenset(item.name or "" for item in node.targetList or () if isinstance(item, ast.ResTarget))
            _target("update", node.relation, facts, targets, columns)
        case ast.DeleteStmt():
            _target("delete", node.relation, facts, targets)
        case ast.MergeStmt():
            _target("change", node.relation, facts, targets)
        case ast.TruncateStmt():
            verb: Verb = "truncate_cascade" if node.behavior is DropBehavior.DROP_CASCADE else "truncate"
            for relation in node.relations or ():
                _target(verb, relation, facts, targets)
        case ast.CopyStmt() if node.is_from:
            _target("insert", node.relation, facts, targets)
        case _:
            pass


def _target(
    verb: Verb, relation: object, facts: Facts, targets: set[int], columns: frozenset[str] | None = None
) -> None:
    if not isinstance(relation, ast.RangeVar):
        raise TypeError(f"a target of type {type(relation).__name__}")
    targets.add(id(relation))
    facts.targets.append(Target(verb, relation.schemaname, relation.relname or "", columns))


def _setting(args: object) -> str:
    """Which setting a call of `set_config` changes."""
    first = args[0] if isinstance(args, tuple) and args else None
    if isinstance(first, ast.A_Const) and isinstance(first.val, ast.String):
        return (first.val.sval or ANY_SETTING).lower()
    return ANY_SETTING


def _operator(names: list[str], facts: Facts) -> None:
    facts.operators.update(names[-1:])
    if len(names) > 1 and names[0] != "pg_catalog":
        facts.qualified_operator = ".".join(names)
