"""What a statement may change: proven tables, or everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pglast import ast

from galvo_cache.allowed import (
    CAST_TYPES,
    HARMLESS_CALLS,
    HARMLESS_NODES,
    HARMLESS_PREFIXES,
    NODE_CALLS,
    OTHER_TYPES,
    READ_NODES,
    SESSION_CALLS,
    STABLE_CALLS,
    SYSTEM_SCHEMAS,
    is_session_call,
)
from galvo_cache.catalog import Catalog
from galvo_cache.effects import Everything, Write
from galvo_cache.rows import changes
from galvo_cache.tree import Call, Facts, Target
from galvo_sql import strings


def hidden_effects(facts: Facts, catalog: Catalog) -> Everything | None:
    """Find code in a statement that may change tables which the statement does not name."""
    return next(_hidden(facts, catalog), None)


def written(facts: Facts, catalog: Catalog) -> Write | Everything:
    """Judge a data-modifying statement."""
    if catalog.hazard:
        return Everything(catalog.hazard)
    if hidden := hidden_effects(facts, catalog):
        return hidden
    if session := next((call for call in facts.calls if is_session_call(call.name)), None):
        return Everything("session_function", detail=f"{session.name}()")
    for schema, name in facts.relations:
        if catalog.resolve(schema, name) is None and (schema is not None or name not in facts.ctes):
            return Everything("unknown_relation", detail=name)
    tables = set(called(facts, catalog))
    for target in facts.targets:
        effect = _target(target, catalog)
        if isinstance(effect, Everything):
            return effect
        tables |= effect.tables
    return Write(frozenset(tables))


def called(facts: Facts, catalog: Catalog) -> frozenset[int]:
    """The tables that declared functions change, of a statement without hidden effects."""
    found = (catalog.effects(call.schema, call.name) for call in facts.calls)
    return frozenset[int]().union(*(tables for tables in found if tables is not None))


def calls_declared(facts: Facts, catalog: Catalog) -> bool:
    """Does it call a function of which is declared what it changes, if nothing, but not that it only reads?"""
    return any(
        (tables := catalog.effects(call.schema, call.name)) is not None
        and (tables or catalog.reads(call.schema, call.name) is None)
        for call in facts.calls
    )


def refreshed(statement: ast.RefreshMatViewStmt, catalog: Catalog) -> Write | Everything:
    """Judge REFRESH MATERIALIZED VIEW."""
    view = statement.relation
    relation = catalog.resolve(view.schemaname, view.relname or "") if isinstance(view, ast.RangeVar) else None
    if catalog.hazard or relation is None or not catalog.refreshes(relation.oid):
        return Everything(catalog.hazard or "refresh")
    return Write(frozenset({relation.oid}))


def _target(target: Target, catalog: Catalog) -> Write | Everything:
    relation = catalog.resolve(target.schema, target.name)
    if relation is None:
        return Everything("unknown_relation", ddl=target.schema in SYSTEM_SCHEMAS, detail=target.name)
    closure = catalog.reach(relation.oid, target.verb, target.columns)
    if closure is None:
        why = relation.unknown or "cascade"
        return Everything(why, ddl=relation.reason == "system_catalog", detail=target.name)
    return Write(closure)


def narrowed(effect: Write, statement: ast.Node, facts: Facts, catalog: Catalog) -> Write:
    """Say which rows a single INSERT, UPDATE or DELETE changes, where its text and the catalog prove it."""
    if len(facts.targets) != 1 or not isinstance(statement, ast.InsertStmt | ast.UpdateStmt | ast.DeleteStmt):
        return effect
    target = facts.targets[0]
    relation = catalog.resolve(target.schema, target.name)
    if relation is None or not relation.lanes or target.verb not in ("insert", "update", "delete"):
        return effect
    if calls_declared(facts, catalog) or not catalog.exact(relation.oid, target.verb, target.columns):
        return effect
    return replace(effect, changes=changes(statement, catalog))


def _hidden(facts: Facts, catalog: Catalog) -> Iterator[Everything]:
    for node in sorted(facts.nodes - READ_NODES - HARMLESS_NODES):
        yield Everything("unsupported_node", ddl=True, detail=node)
    for node in facts.nodes & NODE_CALLS.keys():
        for name in NODE_CALLS[node]:
            if name in catalog.functions:
                yield Everything("user_function", detail=f"{name}()")
    for call in sorted(facts.calls, key=repr):
        if why := _call(call, catalog):
            yield Everything(why, detail=f"{call.name}()")
    for name in facts.fields & catalog.fields:
        yield Everything("user_function", detail=f".{name}")
    for name in facts.operators & catalog.operators:
        yield Everything("user_operator", detail=name)
    for kind in facts.types:
        name = strings(kind.names)[-1]
        known = catalog.user_type(name)
        if known == "loud" or (not known and not _is_builtin_type(name)):
            yield Everything("user_type" if known else "unknown_type", detail=name)
    for schema, name in facts.relations:
        if catalog.loud(schema, name):
            yield Everything("user_code", detail=name)


def _call(call: Call, catalog: Catalog) -> str:
    declared = catalog.effects(call.schema, call.name) is not None
    if call.schema not in (None, "pg_catalog"):
        return "" if declared else "user_function"
    if call.name in catalog.functions:
        if not declared and catalog.functions[call.name]:
            return "user_function"
        if call.name not in catalog.builtins:
            return ""
    if call.args == 1 and catalog.user_type(call.name) == "loud":
        return "user_type"  # f(x) is x::f when f is a type
    if call.name in catalog.immutable:
        return ""
    if call.name not in catalog.stable and call.name not in catalog.volatile:
        return "unknown_function"
    known = call.name in HARMLESS_CALLS or call.name in STABLE_CALLS or call.name in SESSION_CALLS
    if known or call.name.startswith(HARMLESS_PREFIXES):
        return ""
    return "side_effects"


def _is_builtin_type(name: str) -> bool:
    # the types of pg_catalog that are no cast targets for the cache, but no danger either
    return name in CAST_TYPES or name in OTHER_TYPES or (name.startswith("_") and name[1:] in CAST_TYPES)
