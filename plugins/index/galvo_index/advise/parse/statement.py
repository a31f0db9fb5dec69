"""Walks a statement's tree, query by query, each with its scope."""

from __future__ import annotations

from typing import Any

from pglast import ast
from pglast.enums import SortByDir, SortByNulls, SubLinkType
from pglast.parser import ParseError

from galvo_index.advise.catalog.load import Catalog
from galvo_index.advise.parse.conditions import note
from galvo_index.advise.parse.keys import key
from galvo_index.advise.parse.names import quoted
from galvo_index.advise.parse.scope import Derived, Entry, Place, Scope, find, has, plain
from galvo_index.advise.parse.use import Condition, Order, Reading, Use, Write
from galvo_sql import parsed, strings, walk

_DEPTH = 16
"""Views in views."""


def read(sql: str, catalog: Catalog) -> Reading:
    """Raises nothing: `problem` says what is wrong with a text."""
    reading = Reading()
    try:
        trees = parsed(sql)
    except ParseError as error:
        return Reading(problem=str(error.args[0]))
    if len(trees) != 1:
        return Reading(problem="it is not a single statement")
    reading.tree = trees[0].stmt
    reading.parameters = max((node.number or 0 for node in walk(trees) if isinstance(node, ast.ParamRef)), default=0)
    try:
        _Walk(catalog, reading).statement(reading.tree, None)
    except RecursionError:
        return Reading(problem="it is nested too deeply")
    return reading


class _Walk:
    def __init__(self, catalog: Catalog, reading: Reading) -> None:
        self._catalog = catalog
        self._reading = reading
        self._depth = 0

    def statement(self, node: Any, parent: Scope | None) -> Derived:
        match node:
            case ast.SelectStmt():
                return self._select(node, parent)
            case ast.InsertStmt():
                scope = self._with(node, Scope(parent))
                self._write("insert", node.relation, scope, frozenset())
                if node.onConflictClause is not None and node.onConflictClause.targetList:
                    self._write("update", node.relation, scope, _assigned(node.onConflictClause.targetList))
                if node.selectStmt is not None:
                    self._select(node.selectStmt, scope)
            case ast.UpdateStmt() | ast.DeleteStmt():
                self._change(node, self._with(node, Scope(parent)))
            case ast.MergeStmt():
                scope = self._with(node, Scope(parent))
                target = self._relation(node.relation, scope)
                self._from(node.sourceRelation, scope)
                self._whole(target)
                self._where(node.joinCondition, scope)
                for clause in node.mergeWhenClauses or ():
                    self._read(clause, scope)
                    self._write("update", node.relation, scope, _assigned(clause.targetList))
        return Derived()

    def _change(self, node: Any, scope: Scope) -> None:
        target = self._relation(node.relation, scope)
        self._whole(target)
        if isinstance(node, ast.UpdateStmt):
            self._write("update", node.relation, scope, _assigned(node.targetList))
        else:
            self._write("delete", node.relation, scope, frozenset())
        for item in (node.fromClause if isinstance(node, ast.UpdateStmt) else node.usingClause) or ():
            self._from(item, scope)
        self._where(node.whereClause, scope)
        self._read(getattr(node, "targetList", None), scope)

    def _whole(self, entry: Entry | None) -> None:
        if isinstance(entry, Use):
            entry.whole = True

    def _write(self, verb: Any, relation: Any, scope: Scope, columns: frozenset[str]) -> None:
        table = self._catalog.find(quoted(relation.schemaname, relation.relname))
        if table is not None:
            self._reading.writes.append(Write(verb, table, columns))

    def _with(self, node: Any, scope: Scope) -> Scope:
        clause = node.withClause
        for item in (clause.ctes or ()) if clause is not None else ():
            if clause.recursive:
                scope.queries[item.ctename] = Derived()
            made = self.statement(item.ctequery, scope)
            names = strings(item.aliascolnames)
            scope.queries[item.ctename] = _renamed(made, names)
        return scope

    def _select(self, node: Any, parent: Scope | None) -> Derived:
        scope = self._with(node, Scope(parent))
        if node.larg is not None:
            left = self._select(node.larg, scope)
            self._select(node.rarg, scope)
            return Derived(dict.fromkeys(left.columns))
        for values in node.valuesLists or ():
            self._read(values, scope)
        for item in node.fromClause or ():
            self._from(item, scope)
        outputs: dict[str, Place | None] = {}
        for target in node.targetList or ():
            self._output(target, scope, outputs)
        self._where(node.whereClause, scope)
        self._read(node.havingClause, scope)
        self._read(node.groupClause, scope)
        self._read(node.windowClause, scope)
        self._grouping(node, scope)
        self._ordering(node, scope)
        return Derived(outputs)

    def _output(self, target: ast.ResTarget, scope: Scope, outputs: dict[str, Place | None]) -> None:
        value = target.val
        self._read(value, scope)
        if isinstance(value, ast.ColumnRef) and isinstance((value.fields or ())[-1], ast.A_Star):
            chosen = [scope.entries[name] for name in strings(value.fields)[-1:] if name in scope.entries]
            for entry in chosen or scope.entries.values():
                names = entry.table.columns if isinstance(entry, Use) else entry.columns
                outputs |= {name: find(entry, name) for name in names}
            return
        place = scope.resolve(strings(value.fields)) if isinstance(value, ast.ColumnRef) else None
        call = strings(value.funcname)[-1] if isinstance(value, ast.FuncCall) else ""
        name = target.name or (strings(value.fields)[-1] if isinstance(value, ast.ColumnRef) else call or "?column?")
        outputs[name] = place
        scope.outputs[name] = value

    def _from(self, item: Any, scope: Scope) -> list[Entry]:
        """Adds what it names to the scope."""
        match item:
            case ast.RangeVar():
                entry = self._relation(item, scope)
                return [entry] if entry is not None else []
            case ast.RangeSubselect():
                made = self.statement(item.subquery, scope if item.lateral else scope.parent or _with_queries(scope))
                names = strings(item.alias.colnames) if item.alias else []
                entry = _renamed(made, names)
                scope.entries[(item.alias and item.alias.aliasname) or f"?{len(scope.entries)}"] = entry
                return [entry]
            case ast.JoinExpr():
                left, right = self._from(item.larg, scope), self._from(item.rarg, scope)
                self._using(item, left, right)
                self._where(item.quals, scope)
                return left + right
            case ast.RangeTableSample():
                return self._from(item.relation, scope)
            case ast.Node():
                self._read(item, scope)
        return []

    def _using(self, item: ast.JoinExpr, left: list[Entry], right: list[Entry]) -> None:
        names = strings(item.usingClause)
        if item.isNatural:
            names = [name for entry in left for name in _names(entry) if any(has(other, name) for other in right)]
        for name in names:
            places = [next((find(entry, name) for entry in side if has(entry, name)), None) for side in (left, right)]
            if places[0] and places[1]:
                for one, other in ((places[0], places[1]), (places[1], places[0])):
                    one[0].columns.add(one[1])
                    one[0].conditions.append(
                        Condition(plain(one), "join", operator="=", other=(other[0], plain(other)))
                    )

    def _relation(self, item: Any, scope: Scope) -> Entry | None:
        entry: Entry | None = scope.query(item.relname or "") if not item.schemaname else None
        name = item.alias.aliasname if item.alias else item.relname
        if entry is None:
            table = self._catalog.find(quoted(item.schemaname, item.relname))
            if table is None:
                return None
            if table.view and self._depth < _DEPTH:
                self._depth += 1
                entry = self._view(table.view)
                self._depth -= 1
            else:
                entry = Use(table)
                self._reading.uses.append(entry)
        scope.entries[name] = entry
        return entry

    def _view(self, text: str) -> Derived:
        try:
            return self.statement(parsed(text)[0].stmt, None)
        except ParseError:  # of a newer server
            return Derived()

    def _where(self, node: Any, scope: Scope) -> None:
        if node is not None:
            self._read(node, scope)
            note(node, scope)

    def _read(self, node: Any, scope: Scope) -> None:
        """Notes the columns that are read, and goes into subqueries."""
        if isinstance(node, tuple):
            for part in node:
                self._read(part, scope)
        elif isinstance(node, ast.SubLink):
            self._sublink(node, scope)
        elif isinstance(node, ast.ColumnRef):
            self._column(node, scope)
        elif isinstance(node, ast.Node):
            for slot in node:
                self._read(getattr(node, slot), scope)

    def _column(self, node: ast.ColumnRef, scope: Scope) -> None:
        names = strings(node.fields)
        if isinstance((node.fields or ())[-1], ast.A_Star):
            chosen = [scope.entries[name] for name in names[-1:] if name in scope.entries]
            for entry in chosen or scope.entries.values():
                self._whole(entry)
            return
        place = scope.resolve(names)
        if place:
            place[0].columns.add(place[1])
        elif len(names) == 1 and names[0] in scope.entries:
            self._whole(scope.entries[names[0]])  # a row as a value

    def _sublink(self, node: ast.SubLink, scope: Scope) -> None:
        self._read(node.testexpr, scope)
        query = node.subselect
        if node.subLinkType == SubLinkType.EXISTS_SUBLINK and isinstance(query, ast.SelectStmt) and query.targetList:
            before, query.targetList = query.targetList, None
            self._select(query, scope)
            query.targetList = before
            return
        made = self.statement(query, scope)
        outer = key(node.testexpr, scope) if node.testexpr is not None else None
        places = list(made.columns.values())
        if node.subLinkType == SubLinkType.ANY_SUBLINK and places and places[0]:
            place = places[0]
            place[0].conditions.append(Condition(plain(place), "join", operator="=", other=outer))

    def _grouping(self, node: Any, scope: Scope) -> None:
        """GROUP BY, DISTINCT, and min or max, when a single table has all of it."""
        parts: list[Any] = list(node.groupClause or ())
        if node.distinctClause:
            chosen = [part for part in node.distinctClause if part is not None]
            parts = chosen or [target.val for target in node.targetList or ()]
        elif not parts and len(node.targetList or ()) == 1:
            value = node.targetList[0].val
            if isinstance(value, ast.FuncCall) and strings(value.funcname)[-1] in ("min", "max"):
                parts = list(value.args or ())
        found = [key(self._meant(part, scope), scope) for part in parts]
        for one in found:
            if one is None or one[0] is not (found[0] or (None,))[0]:
                continue
            if one[1] not in one[0].group:
                one[0].group.append(one[1])

    def _ordering(self, node: Any, scope: Scope) -> None:
        orders: list[tuple[Use, Order]] = []
        for item in node.sortClause or ():
            meant = self._meant(item.node, scope, outputs_first=True)
            self._read(meant, scope)
            found = key(meant, scope)
            if found is None or (orders and found[0] is not orders[0][0]):
                break
            nulls = {SortByNulls.SORTBY_NULLS_FIRST: "first", SortByNulls.SORTBY_NULLS_LAST: "last"}
            order = Order(found[1], item.sortby_dir == SortByDir.SORTBY_DESC, nulls.get(item.sortby_nulls, ""))
            orders.append((found[0], order))
        for use, order in orders:
            use.order.append(order)

    def _meant(self, node: Any, scope: Scope, outputs_first: bool = False) -> Any:
        """What a number or an output's name in GROUP BY and ORDER BY stands for."""
        if isinstance(node, ast.A_Const) and isinstance(node.val, ast.Integer):
            values = list(scope.outputs.values())
            number = node.val.ival or 0
            return values[number - 1] if 0 < number <= len(values) else node
        if isinstance(node, ast.ColumnRef):
            names = strings(node.fields)
            output = scope.outputs.get(names[0]) if len(names) == 1 else None
            if output is not None and (outputs_first or scope.resolve(names) is None):
                return output
        return node


def _assigned(targets: Any) -> frozenset[str]:
    return frozenset(target.name or "" for target in targets or () if isinstance(target, ast.ResTarget))


def _renamed(made: Derived, names: list[str]) -> Derived:
    if not names:
        return made
    return Derived(dict(zip([*names, *list(made.columns)[len(names) :]], made.columns.values(), strict=False)))


def _names(entry: Entry) -> list[str]:
    return list(entry.table.columns if isinstance(entry, Use) else entry.columns)


def _with_queries(scope: Scope) -> Scope:
    """A scope with the same common table expressions, and nothing else."""
    return Scope(queries=scope.queries)
