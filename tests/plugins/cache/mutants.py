"""Rules of the row analysis, each taken out of its source: tests must notice."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

import galvo_cache
from galvo_cache import rows, writes

MODULES = ("joins", "pins", "row_reads", "row_facts", "row_writes")
Mutant = tuple[str, str, str]
"""Of a module, the text that is replaced, and by what."""

FOUND: dict[str, Mutant] = {
    "ON of an outer join filters both sides":
        ("joins", "self._filter(join.quals, right)", "self._filter(join.quals, left | right)"),
    "OR is AND": ("joins", "BoolExpr(boolop=BoolExprType.AND_EXPR, args=args)", "BoolExpr(args=args)"),
    "every operator is an equality": ("pins", "strings(node.name) not in (", "strings(node.name) in ([],"),
    "a parameter may be used elsewhere": ("pins", "len(kinds) == self._total[source.index + 1] and", ""),
    "a key on the nullable side is there": ("row_reads", "(proves and item.present)", "proves"),
    "an empty aggregate proves": ("row_reads", "return not statement.havingClause and", "return True or"),
    "a table is mentioned twice": ("row_reads", "if count == 1", "if count"),
    "every row is an anchor": ("row_reads", "if part.unique}", "}"),
    "an update leaves what it sets": ("row_writes", "if pin[0] not in columns", ""),
    "generated columns stay": ("row_writes", "| relation.generated", ""),
    "the last of several rows":
        ("row_writes", "sources.pop() if len(sources) == 1 else None", "sources.pop() if sources else None"),
    "the user's value of an identity is used":
        ("row_writes", "or statement.override != OverridingKind.OVERRIDING_NOT_SET", ""),
}  # fmt: skip
"""Mutants that random statements show to be wrong."""

SHOWN: dict[str, Mutant] = {
    "a key that a condition names is there": ("row_facts", "(self._joins.items[number].present or ", "(True or "),
    "an equality holds for all items": ("row_facts", "and near.item in filters", ""),
    "any equality will do": ("row_facts", "near == column and near.item in filters and", ""),
    "every lane is a key": ("row_facts", "if unique and others", "if others"),
    "grouping sets leave rows whole":
        ("row_reads", "return not any(isinstance(node, ast.G", "return True or any(isinstance(node, ast.G"),
    "ON of an outer join holds for both sides":
        ("joins", "self._filter(join.quals, right)", "self._filter(join.quals, left | right)"),
}  # fmt: skip
"""Mutants whose answers do not show what is said of them."""

LISTED: dict[str, Mutant] = {
    "ON of a full join filters":
        ("joins", "self._filter(join.quals, frozenset())", "self._filter(join.quals, left | right)"),
    "a name means the first that has it": ("joins", "if len(found) != 1:", "if not found:"),
    "subselects have no other names": ("joins", "any(item.relation is None for item in self.items)", "False"),
    "names of columns are never replaced": ("joins", "None if alias.colnames else relation", "relation"),
    "joins have no alias": ("joins", "ast.JoinExpr(alias=None, join_using_alias=None)", "ast.JoinExpr()"),
    "merged columns are counted twice": ("joins", "len(names) > 1 or (not names and self._merges)", "len(names) > 1"),
    "a composite is one column": ("joins", "case ast.A_Indirection(indirection=(*_, ast.A_Star())):", "case str():"),
    "functions are their own affair": ("joins", "any(call.name in catalog.functions for call in facts.calls)", "False"),
    "a common table expression is a table": ("joins", "or name not in self._ctes", "or True"),
    "IN and IS NOT DISTINCT are equalities": ("pins", "node.kind != A_Expr_Kind.AEXPR_OP", "False"),
    "numerics are exact": ("pins", '20: "integer",', '20: "integer", 1700: "integer",'),
    "a parameter may have several kinds": ("pins", "and len(set(kinds)) == 1", ""),
    "every collation is deterministic": ("pins", "column not in relation.lanes or", ""),
    "casts do not cut": ("pins", "name.typmods or", ""),
    "views are tables": ("row_reads", "if not is_ordinary(relation):", "if False:"),
    "grouping sets prove":
        ("row_reads", "return not any(isinstance(node, ast.G", "return True or any(isinstance(node, ast.G"),
    "outputs are counted from the last star":
        ("row_reads", "setdefault(column, position + offset)", "setdefault(column, offset)"),
    "what conflicts is inserted":
        ("row_writes", "conflict is not None and conflict.action != OnConflictAction.ONCONFLICT_NOTHING", "False"),
    "varchar stores what it is given": ("row_writes", "and relation.columns[name] != VARCHAR", ""),
    "sorted rows are assigned": ("row_writes", "not (select.sortClause or", "not (False or"),
    "one statement has one target": ("row_writes", "or len(facts.targets) != 1", ""),
}  # fmt: skip
"""Mutants that the tables of test_rows.py show to be wrong."""


def mutate(patch: pytest.MonkeyPatch, module: str, old: str, new: str) -> None:
    """Let the analysis use modules with `old` replaced by `new` in one of them."""
    for name in MODULES:
        source = Path(galvo_cache.__file__).with_name(f"{name}.py").read_text()
        if name == module:
            assert source.count(old) == 1, f"{old!r} is not once in {name}.py"
            source = source.replace(old, new)
        made = ModuleType(f"galvo_cache.{name}")
        patch.setitem(sys.modules, made.__name__, made)
        exec(compile(source, f"mutated {name}.py", "exec"), made.__dict__)  # noqa: S102
    patch.setattr(rows, "slices", sys.modules["galvo_cache.row_reads"].slices)
    patch.setattr(rows, "shown", sys.modules["galvo_cache.row_facts"].shown)
    patch.setattr(writes, "changes", sys.modules["galvo_cache.row_writes"].changes)
