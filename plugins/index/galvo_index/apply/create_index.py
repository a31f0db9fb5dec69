"""CREATE INDEX statements, read into definitions."""

from __future__ import annotations

from typing import Any

import pglast
from pglast import ast
from pglast.stream import RawStream

from galvo_index.definition import Definition


class NotAnIndex(ValueError):
    """A statement is no CREATE INDEX that galvo builds; the text says why."""


def parsed(sql: str) -> list[Definition]:
    """Of all statements in `sql`. Raises NotAnIndex, also when it is no SQL."""
    try:
        statements = pglast.parse_sql(sql)
    except pglast.parser.ParseError as error:
        raise NotAnIndex(f"the SQL does not parse: {error.args[0]}") from None
    return [_definition(statement.stmt, number) for number, statement in enumerate(statements, 1)]


def _definition(statement: Any, number: int) -> Definition:
    where = f"statement {number}"
    if not isinstance(statement, ast.IndexStmt):
        raise NotAnIndex(f"{where} is no CREATE INDEX")
    made: Any = statement  # what the grammar demands is optional in its types
    if made.unique:
        raise NotAnIndex(
            f"{where} is a UNIQUE index, which is a rule for the data and not only faster: create it yourself"
        )
    unset = {"WITH (...)": made.options, "TABLESPACE": made.tableSpace, "a database": made.relation.catalogname}
    for what, value in unset.items():
        if value:
            raise NotAnIndex(f"{where} names {what}, which galvo does not set")
    if not made.relation.inh:
        raise NotAnIndex(f"{where} is ON ONLY a partitioned table: create that one yourself")
    return Definition(
        schema=_quoted(made.relation.schemaname or "public"),
        table=_quoted(made.relation.relname),
        keys=tuple(_key(element) for element in made.indexParams),
        include=tuple(_quoted(element.name) for element in made.indexIncludingParams or ()),
        where=_text(made.whereClause) if made.whereClause else "",
        method=_quoted(made.accessMethod) if made.accessMethod else "btree",
    )


def _key(element: Any) -> str:
    """The deparser writes an expression, its collation, operator class and direction."""
    return _text(element)


def _quoted(name: str) -> str:
    return _text(ast.ColumnRef(fields=(ast.String(sval=name),)))


def _text(node: Any) -> str:
    return str(RawStream()(node))
