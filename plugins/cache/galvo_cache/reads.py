"""What may be cached: reads proven to depend on the rows of plain tables and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from pglast import ast

from galvo_cache.allowed import (
    CAST_TYPES,
    CLOCK_TYPES,
    DATE_OIDS,
    FIELD_CALLS,
    READ_NODES,
    STABLE_CALLS,
    SYSTEM_COLUMNS,
    SYSTEM_SCHEMAS,
)
from galvo_cache.catalog import Catalog, Relation
from galvo_cache.effects import Read, Refused
from galvo_cache.scopes import Scope
from galvo_cache.tree import Call, Facts
from galvo_sql import strings

_NODE_REASONS = {
    "LockingClause": "locking",
    "RangeTableSample": "tablesample",
    "SQLValueFunction": "sql_value_function",
}


def judge(facts: Facts, catalog: Catalog) -> Read | Refused:
    """Judge a SELECT that is known to change no table."""
    relations: dict[str, Relation] = {}
    scopes: dict[str, Scope] = {}
    refusals = list(_refusals(facts, catalog, relations, scopes))
    if refusals:
        return replace(refusals[0], more=frozenset(refusal.reason for refusal in refusals[1:]))
    tables = frozenset[int]().union(*(scope.tables for scope in scopes.values()))
    inputs = sorted({name for scope in scopes.values() for name in scope.inputs})
    declared = any(catalog.reads(call.schema, call.name) is not None for call in facts.calls)
    return Read(tables, inputs=tuple(inputs), declared=declared or any(scope.declared for scope in scopes.values()))


def named_once(facts: Facts, catalog: Catalog) -> frozenset[int]:
    """Of a cacheable read: the tables that it reads by one name, and not through a view or a function as well."""
    relations = [catalog.resolve(schema, name) for schema, name in facts.relations]
    counts = Counter(
        table
        for relation in relations
        if relation is not None
        for table in catalog.scope(relation.oid).tables | {relation.oid}
    )
    for call in facts.calls:
        for table in catalog.reads(call.schema, call.name) or ():
            counts.update(catalog.scope(table).tables)
    return frozenset(oid for oid, count in counts.items() if count == 1)


def _refusals(
    facts: Facts, catalog: Catalog, relations: dict[str, Relation], scopes: dict[str, Scope]
) -> Iterator[Refused]:
    if catalog.hazard:
        yield Refused(catalog.hazard)
    for node in sorted(facts.nodes - READ_NODES):
        yield Refused(_NODE_REASONS.get(node, "unsupported_node"), node)
    if facts.clock_literal:
        yield Refused("clock_literal", facts.clock_literal)
    if facts.qualified_operator:
        yield Refused("qualified_operator", facts.qualified_operator)
    for name in sorted(facts.columns & SYSTEM_COLUMNS | facts.fields & SYSTEM_COLUMNS):
        yield Refused("system_column", name)
    for name in sorted(facts.fields & FIELD_CALLS):
        yield Refused("stable_function", f".{name}")
    yield from _relations(facts, catalog, relations, scopes)
    for call in sorted(facts.calls, key=repr):
        if why := _call(call, facts, catalog, relations):
            yield Refused(why, f"{call.name}()")
        for table in catalog.reads(call.schema, call.name) or ():
            scopes[f"{call.name}() {table}"] = scope = catalog.scope(table)
            if scope.reason:
                yield Refused(scope.reason, f"{call.name}()")
    for arg, kind in facts.casts:
        if why := _cast(arg, kind, facts, catalog, relations):
            yield Refused(why, strings(kind.names)[-1])


def _relations(
    facts: Facts, catalog: Catalog, relations: dict[str, Relation], scopes: dict[str, Scope]
) -> Iterator[Refused]:
    for schema, name in sorted(facts.relations, key=str):
        relation = catalog.resolve(schema, name)
        if relation is not None:
            scope = catalog.scope(relation.oid, only=(schema, name) not in facts.inherited)
            if scope.reason:
                yield Refused(scope.reason, scope.detail if ":" in scope.reason else name)
            relations[f"{schema}.{name}"] = relation
            scopes[f"{schema}.{name}"] = scope
        elif schema in SYSTEM_SCHEMAS:
            yield Refused("system_catalog", name)
        elif schema is not None or name not in facts.ctes:
            yield Refused("temporary_table" if schema == "pg_temp" else "unknown_relation", name)


def _call(call: Call, facts: Facts, catalog: Catalog, relations: dict[str, Relation]) -> str:
    if call.name in catalog.functions:
        if catalog.reads(call.schema, call.name) is None:
            return "extension_function"
        if call.name not in catalog.builtins:
            return ""
    if call.args == 1 and (call.name in CLOCK_TYPES or catalog.user_type(call.name)):
        return "cast"  # f(x) is x::f when f is a type
    if call.name in catalog.immutable or call.name in STABLE_CALLS:
        return ""
    if call.name == "age" and call.args == 2:
        return ""  # with one argument, it counts from today
    if call.name == "timezone" and not _mentions_time(facts, catalog, relations):
        return ""
    return "volatile_function" if call.name in catalog.volatile else "stable_function"


def _mentions_time(facts: Facts, catalog: Catalog, relations: dict[str, Relation]) -> bool:
    """`time AT TIME ZONE` asks the clock whether it is summer; every other type does not."""
    return (
        any(not catalog.time_types.isdisjoint(relation.columns.values()) for relation in relations.values())
        or any(strings(kind.names)[-1].lstrip("_") == "time" for kind in facts.types)
        or any(call.name in ("make_time", "time") for call in facts.calls)
    )


def _cast(arg: object, kind: ast.TypeName, facts: Facts, catalog: Catalog, relations: dict[str, Relation]) -> str:
    *schema, name = strings(kind.names)
    user = catalog.user_type(name)
    if user == "enum" and name not in CAST_TYPES:
        return ""
    if user or name.removeprefix("_") not in CAST_TYPES or schema not in ([], ["pg_catalog"]):
        return "cast"
    if name.removeprefix("_") not in CLOCK_TYPES or isinstance(arg, ast.ParamRef | ast.A_Const):
        return ""
    # Text in the data may say 'now': only what is certainly a date already may become one.
    if not facts.derived and isinstance(arg, ast.ColumnRef):
        column = (strings(arg.fields) or [""])[-1]
        types = {relation.columns[column] for relation in relations.values() if column in relation.columns}
        if types and types <= DATE_OIDS:
            return ""
    return "cast"


def mentioned(facts: Facts, catalog: Catalog, effect: Read) -> frozenset[str] | None:
    """The names of all columns that a cacheable read can see; None when it may see any.

    By name alone, whatever table they belong to. A row as a whole, a column under another name, or a table that
    the text does not name itself is any column.
    """
    ordinary = all(
        relation.plain and relation.kind == "r" if relation else name in facts.ctes
        for relation, name in ((catalog.resolve(schema, name), name) for schema, name in facts.relations)
    )
    names = facts.columns | facts.fields
    whole = facts.aliases | facts.ctes | {name for _, name in facts.relations}
    if (
        effect.inputs
        or not ordinary
        or any(call.name in catalog.functions for call in facts.calls)
        or facts.natural
        or facts.renamed
        or "A_Star" in facts.nodes
        or not names.isdisjoint(whole)
    ):
        return None
    return frozenset(names)
