"""The connection behind a session."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from galvo import Query, Rows
from galvo_pool.connection import finish, literals_of, run, run_to_the_end

if TYPE_CHECKING:
    from galvo_pool.holder import Holder
    from galvo_pool.runner import Runner


class Pinned:
    """Kept by a session from its first statement to its end; that of a lent connection goes back with it."""

    __slots__ = ("_forgets", "_holder", "_lent", "_literals", "_raw", "_runner")

    def __init__(self, runner: Runner, holder: Holder, raw: Any, *, lent: bool = False) -> None:
        """`lent`: somebody else gives the holder back."""
        self._runner = runner
        self._holder = holder
        self._raw = raw
        self._lent = lent
        self._forgets = False
        self._literals = literals_of(self._raw)

    @property
    def connection(self) -> Any:
        """asyncpg's, past the chain."""
        return self._raw

    @property
    def in_transaction(self) -> bool:
        return not self.lost and bool(self._raw.is_in_transaction())

    @property
    def lost(self) -> bool:
        return bool(self._raw.is_closed())

    async def run(self, query: Query) -> Rows:
        runner, raw = self._runner, self._raw
        runner.count()
        if self.lost:
            return await run(raw, query)  # raises: it is not even sent, so its outcome is not open
        if not self._holder.dirty:
            self._holder.dirty = runner.leaves_trace(query)
        holder, began = self._holder, perf_counter()
        queue = holder._pool._queue
        queue.begins(holder)
        loggers = raw._query_loggers
        if query.origin and loggers:  # they are the application's, and see its statements only
            raw._query_loggers = set()
        try:
            rows = await run_to_the_end(raw, query, minded=runner.minds(holder, query, lent=self._lent))
        finally:
            raw._query_loggers = loggers
            queue.ends(holder)
            runner.ended(query)
        runner.timed(query.sql, perf_counter() - began)
        return runner.kept(holder, rows)

    def strayed(self) -> bool:
        before, self._literals = self._literals, literals_of(self._raw)
        return before != self._literals

    def forget_prepared(self) -> None:
        self._raw._drop_local_statement_cache()
        self._forgets = True

    def part(self) -> None:
        """The session is over."""
        if self._forgets and not self.lost:  # what it has prepared must not be the next one's
            self._raw._drop_local_statement_cache()

    async def release(self) -> None:
        self.part()
        if not self._lent:
            await finish(self._runner.give(self._holder, self._raw))
