"""What `galvo explain` says of a statement's plan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import msgspec

from galvo import GalvoError
from galvo_index.plans.analyse import analysed
from galvo_index.plans.explaining import Unexplained


async def told(connect: Callable[[], Awaitable[asyncpg.Connection]], sql: str, timeout: float) -> dict[str, Any]:
    """Its plan, which is not run, what it is expected to cost, and what is wrong with it; or why there is none."""
    try:
        connection = await connect()
    except GalvoError as error:
        return {"plan": f"none: {error}"}
    try:
        found = await analysed(connection, sql, timeout=timeout, guarded=True)
    except Unexplained as why:
        return {"plan": f"none: {why}"}
    finally:
        connection.terminate()
    steps = [
        " ".join(filter(None, (node.type, node.relation[1] and f"on {node.relation[1]}"))) for node in found.plan.root
    ]
    return {"plan": steps, "plan_cost": found.cost, "findings": [msgspec.to_builtins(one) for one in found.findings]}
