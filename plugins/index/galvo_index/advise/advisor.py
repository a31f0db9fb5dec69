"""From a workload to the indexes that it lacks."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from galvo_index.advise.advice import Advice
from galvo_index.workload import Statement

SECONDS = 30.0
"""How long a search may take by default."""


async def advise(
    connection: asyncpg.Connection,
    statements: Sequence[Statement],
    *,
    budget: int | None = None,
    seconds: float = SECONDS,
) -> list[Advice]:
    """The indexes to create, best first; `budget`: bytes of all together, None: no limit.

    Nothing is created. Raises GalvoError when the database cannot be asked.
    """
    return []
