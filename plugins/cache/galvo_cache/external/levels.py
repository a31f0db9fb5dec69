"""How soon an outside write to each table is noticed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Literal

from galvo_cache.external.triggers import INTACT, OURS, PREFIX

Level = Literal["ttl", "statistics", "trigger"]

# A write to a parent changes rows of its children and fires the parent's statement triggers only.
INSTALLED: Final = f"""
with recursive ours as materialized ({OURS}), above(oid, ancestor) as (
  select tgrelid, tgrelid from pg_catalog.pg_trigger where starts_with(tgname, '{PREFIX}') and not tgisinternal
  union select a.oid, i.inhparent from above a join pg_catalog.pg_inherits i on i.inhrelid = a.ancestor
)
select a.oid::int8, null as name from above a join pg_catalog.pg_class c on c.oid = a.ancestor
group by a.oid having bool_and({INTACT})
union all
select to_regclass(name)::oid::int8, name from unnest($1::text[]) name
"""  # noqa: S608 - built from our own constants


def always() -> bool:
    return True


class Levels:
    """The level of every table, from the settings and from what is installed in the database."""

    def __init__(
        self,
        wanted: Mapping[str, Level],
        default: Level = "statistics",
        *,
        listening: Callable[[], bool] = always,
        counting: Callable[[], bool] = always,
    ) -> None:
        """`wanted`: names as in SQL. `listening` and `counting` say whether the listener and the statistics work now.

        A table that is not named has the level `trigger` if it has triggers of ours, else `default`.
        """
        self._wanted = dict(wanted)
        self._default: Level = default
        self._listening = listening
        self._counting = counting
        self._named: dict[int, Level] = {}
        self._installed: frozenset[int] = frozenset()
        self.problems: tuple[str, ...] = ()
        """What the settings want and the database has not: one sentence each."""

    async def load(self, fetch: Callable[..., Awaitable[Sequence[Any]]]) -> None:
        """Look at the database; again after each DDL. Raises what `fetch(sql, *args)` raises."""
        rows = await fetch(INSTALLED, list(self._wanted))
        self._installed = frozenset(row["oid"] for row in rows if row["name"] is None)
        found = {row["name"]: row["oid"] for row in rows if row["name"] is not None}
        self._named = {oid: self._wanted[name] for name, oid in found.items() if oid is not None}
        self.problems = tuple(problem for name, oid in found.items() if (problem := self._problem(name, oid)))

    def _problem(self, name: str, oid: int | None) -> str:
        if oid is None:
            return f"external names {name!r}, and there is no such table"
        if self._wanted[name] == "trigger" and oid not in self._installed:
            return f"{name} has no working triggers: run `galvo cache watch {name}`"
        return ""

    @property
    def watched(self) -> bool:
        """Whether any table has triggers of ours."""
        return bool(self._installed)

    def level(self, table: int) -> Level:
        """The level of a table by OID; what does not work now falls to the next weaker level."""
        installed = table in self._installed
        level = self._named.get(table) or ("trigger" if installed else self._default)
        if level == "trigger" and not (installed and self._listening()):
            level = "statistics"
        if level == "statistics" and not self._counting():
            level = "ttl"
        return level
