"""What the server makes of a statement that it parses and does not run."""

from __future__ import annotations

from typing import Any

import asyncpg

LOCKS = "set lock_timeout = '200ms'"
"""Parsing waits for whoever changes a table."""


async def parsed(connection: asyncpg.Connection, sql: str) -> dict[str, Any]:
    """The types of its parameters and columns, or the "problem" that the server has with it."""
    try:
        await connection.execute(LOCKS)
        statement = await connection.prepare(sql)
    except asyncpg.LockNotAvailableError:
        return {"parameters": "unknown: somebody changes a table that it uses"}
    except asyncpg.PostgresError as error:
        if isinstance(error, asyncpg.PostgresSyntaxError) and "multiple commands" in str(error):
            return {"statements": "several: the server parses them one by one when they run"}
        return {"problem": f"the database refuses it: {error}"}
    except UnicodeEncodeError:
        return {"problem": "it holds half of a character, which cannot be sent"}
    return {
        "parameters": [kind.name for kind in statement.get_parameters()],
        "result": [f"{one.name} {one.type.name}" for one in statement.get_attributes()],
    }
