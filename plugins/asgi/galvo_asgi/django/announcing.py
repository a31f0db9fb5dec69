"""What a Django connection writes, told to the kernel's cache at the moment when others can see it.

In autocommit that is each statement, in a transaction its COMMIT. Around it the caches of all processes give
nothing away that is about to change, as around galvo's own writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from galvo import leave_open
from galvo_asgi.django.texts import UNKNOWN, numbered
from galvo_asgi.telling import announced, verdict

MOST = 500
"""Different statements of a transaction that are remembered; after more it may have changed anything."""


SAVEPOINTS = ("SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO SAVEPOINT ")


class Announcing:
    """Mixin for a DatabaseWrapper of Django's PostgreSQL backend, before the class that it goes with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        this: Any = self
        self._unsaid: dict[str, None] = {}
        this.execute_wrappers.append(self._run)

    def _run(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        run = partial(execute, sql, params, many, context)
        if isinstance(sql, str) and sql.startswith(SAVEPOINTS) and ";" not in sql:
            return run()  # each has a name of its own, which nobody needs to remember
        return self.write(numbered(sql, params=params is not None), run)

    def write(self, sql: str, run: Callable[[], Any]) -> Any:
        """Run what `sql` says."""
        does = verdict(sql)
        if does == "reads":
            return run()
        this: Any = self
        if not this.get_autocommit():
            self._note(sql)
            if does == "writes":
                return run()
            # It may hold a COMMIT.
        return announced([sql], partial(self._marked, run))

    def _note(self, sql: str) -> None:
        if len(self._unsaid) < MOST:
            self._unsaid[sql] = None
        else:
            self._unsaid = {UNKNOWN: None}

    def _commit(self) -> None:
        above: Any = super()
        if self._unsaid:
            statements, self._unsaid = [*self._unsaid], {}
            announced(statements, partial(self._marked, above._commit))
        else:
            above._commit()

    def _rollback(self) -> None:
        above: Any = super()
        self._unsaid = {}
        above._rollback()

    def _close(self) -> None:
        above: Any = super()
        self._unsaid = {}
        above._close()

    def _marked(self, write: Callable[[], Any]) -> Any:
        """Of a connection that is lost nobody knows what it has done."""
        try:
            return write()
        except BaseException as error:
            lost = getattr(self, "connection", None)
            if lost is None or lost.closed or not isinstance(error, Exception):
                leave_open(error)
            raise

    def make_cursor(self, cursor: Any) -> Any:
        above: Any = super()
        return self._also(above.make_cursor(cursor))

    def make_debug_cursor(self, cursor: Any) -> Any:
        above: Any = super()
        return self._also(above.make_debug_cursor(cursor))

    def _also(self, cursor: Any) -> Any:
        """What Django's wrappers of `execute` do not see."""
        call, copy = cursor.callproc, getattr(cursor, "copy", None)
        cursor.callproc = lambda *args, **kwargs: self.write(UNKNOWN, partial(call, *args, **kwargs))
        if copy is not None:  # psycopg 3
            cursor.copy = partial(self._copied, copy)
        return cursor

    @contextmanager
    def _copied(self, copy: Callable[..., Any], statement: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        """The rows of a COPY are there when its block ends."""
        copying = copy(statement, *(() if params is None else (params,)), **options)
        sql = numbered(statement, params=params is not None)
        inner = copying.__enter__()
        try:
            yield inner
        except BaseException as error:
            if not self.write(sql, partial(copying.__exit__, type(error), error, error.__traceback__)):
                raise
        else:
            self.write(sql, partial(copying.__exit__, None, None, None))
