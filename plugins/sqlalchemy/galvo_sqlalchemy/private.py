"""SQLAlchemy's classes for asyncpg, which it does not type, and its bridge to coroutines."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import asyncpg as theirs
from sqlalchemy.util import concurrency

Dialect: Any = theirs.PGDialect_asyncpg
Module: Any = theirs.AsyncAdapt_asyncpg_dbapi
Connection: Any = theirs.AsyncAdapt_asyncpg_connection
Cursor: Any = theirs.AsyncAdapt_asyncpg_cursor
StreamCursor: Any = theirs.AsyncAdapt_asyncpg_ss_cursor

await_ = concurrency.await_
in_greenlet = concurrency.in_greenlet
