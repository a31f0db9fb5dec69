"""What the cache knows of the database: the catalog, and from it the effect of each statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import anyio

from galvo import Context, GalvoError, Query, Session
from galvo_cache.analysis import analyse
from galvo_cache.catalog import CATALOG_SQL, Catalog, Relation
from galvo_cache.declared import Declared
from galvo_cache.effects import Control, Effect, Everything, Refused
from galvo_cache.touch import Touch

NOTHING = Catalog.load(
    '{"path": [], "session": [], "encoding": "UTF8", "strings": "on", "immutable": [], "stable": [], "volatile": [],'
    ' "functions": [], "operators": [], "casts": false, "families": false, "types": [], "shifty": [],'
    ' "relations": [], "keys": []}'
)
PAUSE = 1.0
"""Seconds until the catalog is asked for again, when it could not be read."""


class Knowledge:
    """Loads the catalog when it is first needed and again after every DDL statement.

    `epoch` counts the reasons to distrust it; an effect found under one epoch says nothing under the next.
    """

    def __init__(self, context: Context, declared: Declared, forget: Callable[[], None]) -> None:
        """`forget` is called when the catalog changed, and drops all that was derived from it."""
        self._context = context
        self._declared = declared
        self._forget = forget
        self._catalog: Catalog | None = None
        self._lock = anyio.Lock()
        self._alone: anyio.Event | None = None
        """Somebody reads it on a connection of its own, so who waits for that waits for no other connection."""
        self._wanted = anyio.Event()
        self._told: set[str] = set()
        self.epoch = 0

    def distrust(self) -> None:
        """DDL is under way or has ended: what is known may be wrong."""
        self.epoch += 1
        self._catalog = None
        self._forget()

    async def effect(self, sql: str, path: tuple[str, ...] | None = None) -> Effect:
        """What `sql` does by the catalog of this moment, under a search_path (None: that of queries without a
        session); Everything when the catalog cannot be read."""
        catalog = self._catalog or await self._load()
        if catalog is None:
            return Everything("catalog_unavailable", ddl=True)
        return analyse(sql, catalog if path is None else catalog.under(path))

    def known(self, sql: str) -> Effect:
        """The same without waiting, while the catalog is `loaded`."""
        return self.guess(sql) if self._catalog is None else analyse(sql, self._catalog)

    @property
    def loaded(self) -> bool:
        return self._catalog is not None

    @property
    def digest(self) -> str:
        """What the schema is like, with what was declared of it; the same in processes that may share answers."""
        return f"{self._catalog.digest if self._catalog else ''}{self._declared!r}"

    def plain(self, path: list[str], session: list[Any]) -> bool:
        """Whether a session of this search_path and state is as one in which nothing was changed."""
        catalog = self._catalog
        return catalog is not None and catalog.search_path == tuple(path) and catalog.session == session

    def guess(self, sql: str) -> Effect:
        """What `sql` does as far as its text alone says it: for who holds a connection, and must not wait for
        the catalog on a second one, which may never come or wait for locks of the first."""
        self._wanted.set()
        effect = analyse(sql, NOTHING)
        return effect if isinstance(effect, Control | Everything) else Everything("catalog_not_loaded")

    async def tables(self, names: Iterable[str]) -> frozenset[int] | Refused:
        """The OIDs of tables named as in SQL, or why a value that depends on them cannot be kept."""
        catalog, epoch = None, -1
        while epoch != self.epoch:
            epoch = self.epoch
            catalog = self._catalog or await self._load()
        if catalog is None:
            return Refused("catalog_unavailable")
        found: set[int] = set()
        for name in names:
            schema, _, table = name.rpartition(".")
            relation = catalog.resolve(schema or None, table)
            if relation is None:
                return Refused("unknown_table", name)
            scope = catalog.scope(relation.oid)
            if scope.reason:
                return Refused(scope.reason, name)
            found |= scope.tables
        return frozenset(found)

    async def refresh(self) -> None:
        """Look for schema changes that were made outside galvo."""
        if self._catalog is None:
            return
        epoch = self.epoch
        try:
            fresh = await self._read()
        except GalvoError:
            return  # without a database there is nothing to look at, and later there is
        if fresh is not None and epoch == self.epoch and self._catalog.digest != fresh.digest:
            self.distrust()
            self._catalog = fresh

    async def supply(self) -> None:
        """Load the catalog for those who must not wait for it."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            try:
                catalog = self._catalog or await self._load()
            except GalvoError:
                catalog = None
            if catalog is None:
                await anyio.sleep(PAUSE)

    async def _load(self) -> Catalog | None:
        async with self._lock:
            while self._catalog is None:
                epoch = self.epoch
                fresh = await self._read()
                if fresh is None:
                    return None
                if epoch == self.epoch:
                    self._catalog = fresh
            return self._catalog

    async def load_on(self, session: Session) -> bool:
        """Read it on the connection of `session`, in which nothing was changed; or wait for another that does so."""
        while self._catalog is None:
            if self._alone is not None:
                await self._alone.wait()
                continue
            self._alone, epoch = anyio.Event(), self.epoch
            try:
                fresh = await self._read(session)
                if fresh is None:
                    return False
                if epoch == self.epoch and self._catalog is None:
                    self._catalog = fresh
            finally:
                self._alone.set()
                self._alone = None
        return True

    async def _read(self, session: Session | None = None) -> Catalog | None:
        query = Query(CATALOG_SQL, (), "rows", 1, None, session, self._context.origin)
        try:
            rows = await (self._context if session is None else session).run(query)
            catalog = Catalog.load(rows.records[0][0], self._declared)
            for mistake in catalog.mistakes:
                if mistake not in self._told:
                    self._told.add(mistake)
                    self._context.log.warning("not believed: %s", mistake)
            return catalog
        except anyio.get_cancelled_exc_class():
            self._wanted.set()  # if all who ask are in a hurry, nobody would ever have it
            raise
        except GalvoError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the database says, the cache must not be in the way
            self._context.log.warning("cannot read the catalog: %s", type(error).__name__)
            return None

    def reach(self, oid: int) -> Touch | None:
        """What an unknown write to a table may have changed; None: anything."""
        if self._catalog is None:
            return None
        found: Touch = {oid: None}
        for verb in ("update", "delete"):
            reach = self._catalog.reach(oid, verb)
            if reach is None:
                return None
            found |= dict.fromkeys(reach)
        return found

    async def touched(self, name: str) -> Touch | None:
        """What an unknown write to the table of this name may have changed; None: anything, {}: there is none."""
        catalog = self._catalog or await self._load()
        if catalog is None:
            return None
        schema, _, table = name.rpartition(".")
        relation = catalog.resolve(schema or None, table)
        return {} if relation is None else self.reach(relation.oid)

    def namesakes(self, tables: Iterable[int]) -> Touch | None:
        """What a write to `tables` touches if its text was read under any search_path; None: anything."""
        if self._catalog is None:
            return None
        found: Touch = dict.fromkeys(tables)
        for other in self._catalog.namesakes(found):
            touch = self.reach(other)
            if touch is None:
                return None
            found |= touch
        return found

    def relation(self, oid: int) -> Relation | None:
        """What the catalog says of it; None while the catalog is not loaded."""
        return self._catalog.relation(oid) if self._catalog else None

    def name_of(self, oid: int) -> str:
        """`schema.table`, for people."""
        relation = self.relation(oid)
        return f"{relation.schema}.{relation.name}" if relation else str(oid)
