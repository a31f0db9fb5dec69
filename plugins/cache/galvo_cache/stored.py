"""The queries of views and the policies of tables, as the server stores them: resolved to OIDs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from galvo_cache.allowed import EXACT_CASTS, STABLE_CALLS, TREE_NODES, USER_FUNCTIONS
from galvo_cache.declared import Promises

_NODE_REASONS = {"ROWMARKCLAUSE": "locking", "TABLESAMPLECLAUSE": "tablesample"}


class Called(NamedTuple):
    """A function that a stored tree calls."""

    schema: str
    name: str
    volatility: str
    builtin: bool


class Tree:
    """What one stored tree is made of."""

    __slots__ = ("calls", "casts", "constants", "nodes", "operators", "relations", "settings", "system", "types")

    def __init__(self, row: list[Any]) -> None:
        """`row` is of the list `trees` in the answer to CATALOG_SQL."""
        oid, _, nodes, values, calls, operators, settings, names = row
        values = values or {}
        self.nodes = frozenset[str](nodes or ())
        self.calls: list[int] = calls or []
        self.operators: list[int] = operators or []
        self.settings = len(settings or ())
        """How often current_setting() is called."""
        self.constants = [_text(name) for name in names or ()]
        """With which constant names."""
        self.relations = frozenset[int](values.get("relid", ())) - {0, oid}
        self.casts = frozenset[int](values.get("resulttype", ()))
        self.types = self.casts | frozenset(values.get("vartype", ())) | frozenset(values.get("consttype", ()))
        self.system = any(number < 0 for number in values.get("varattno", ()))


class Verdicts:
    """Why a tree's answer may depend on more than the rows of its relations."""

    __slots__ = ("_called", "_castable", "_promises", "_shifty")

    def __init__(
        self, called: Mapping[int, Called], castable: Collection[int], shifty: frozenset[int], promises: Promises
    ) -> None:
        self._called = called
        self._castable = castable
        self._shifty = shifty
        self._promises = promises

    def judge(self, tree: Tree, settings: Collection[str] = ()) -> tuple[str, str]:
        """The reason and its detail, "" for none; `settings` are those that the tree may ask for."""
        admitted = frozenset(name for name, setting in USER_FUNCTIONS.items() if setting in settings)
        for node in sorted(tree.nodes - TREE_NODES - admitted):
            if node.startswith("SQLVALUEFUNCTION"):
                return "sql_value_function", ""
            return _NODE_REASONS.get(node, "unsupported_node"), node
        if tree.system:
            return "system_column", ""
        if not tree.types.isdisjoint(self._shifty):
            return "column_type", ""
        if not tree.nodes.isdisjoint({"COERCEVIAIO", "ARRAYCOERCEEXPR"}) and not tree.casts.issubset(self._castable):
            return "cast", ""
        for oid in tree.calls:
            if why := self._call(oid, tree, settings):
                return why, f"{self._called[oid].name}()" if oid in self._called else ""
        for oid in tree.operators:
            operator = self._called.get(oid)
            if operator is None or operator.volatility == "v" or not (operator.builtin or operator.volatility == "i"):
                return "user_operator", operator.name if operator else ""
        return "", ""

    def reads(self, tree: Tree) -> frozenset[int]:
        """What the declared functions of a tree depend on."""
        found = [self._called[oid] for oid in tree.calls if oid in self._called]
        tables = [self._promises.reads(call.schema, call.name) for call in found if not call.builtin]
        return frozenset[int]().union(*(names for names in tables if names is not None))

    def trusts(self, tree: Tree) -> bool:
        """Whether it calls functions of the user: those that are declared, in a tree without a reason."""
        return any(not call.builtin for oid in tree.calls if (call := self._called.get(oid)) is not None)

    def _call(self, oid: int, tree: Tree, settings: Collection[str]) -> str:
        call = self._called.get(oid)
        if call is None:
            return "unknown_function"
        if not call.builtin:
            known = self._promises.reads(call.schema, call.name) is not None
            return "" if known else "extension_function"
        if call.volatility == "i" or (call.volatility == "s" and call.name in STABLE_CALLS | EXACT_CASTS):
            return ""
        if call.name == "current_setting":
            known = len(tree.constants) == tree.settings and set(tree.constants) <= {name.lower() for name in settings}
            return "" if known else "stable_function"
        return "volatile_function" if call.volatility == "v" else "stable_function"


def _text(constant: str) -> str:
    """A text datum as the server prints it: signed bytes, the first four being its header."""
    return bytes(int(number) % 256 for number in constant.split()[4:]).decode("utf-8", "replace").lower()
