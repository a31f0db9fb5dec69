"""SQLAlchemy's classes for asyncpg, which it does not type, and what two of its versions call by different names."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import asyncpg as theirs
from sqlalchemy.util import concurrency

Dialect: Any = theirs.PGDialect_asyncpg
Module: Any = theirs.AsyncAdapt_asyncpg_dbapi
Connection: Any = theirs.AsyncAdapt_asyncpg_connection
Cursor: Any = theirs.AsyncAdapt_asyncpg_cursor
StreamCursor: Any = theirs.AsyncAdapt_asyncpg_ss_cursor

await_: Any = getattr(concurrency, "await_", None) or getattr(concurrency, "await_only")  # noqa: B009  # 2.0 has no other
in_greenlet = concurrency.in_greenlet
