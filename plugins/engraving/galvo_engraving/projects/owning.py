"""Whose a project is: here, and nowhere else, is decided who may see or change it and what hangs on it."""

from __future__ import annotations

from typing import Any

from galvo_engraving.accounts.tokens import Visitor
from galvo_engraving.database import Queries
from galvo_engraving.problems import Unknown

# A project never changes its owner: what this found holds in a transaction that follows.
OWNER = "select id, user_id from engraving.project where id = $1"
LOCKED = """
select id, user_id, template_id, material_id, machine_id, thickness_mm, name, status, parameters, revision
from engraving.project where id = $1 for update"""


def owned(row: Any, who: Visitor, what: str = "project") -> Any:
    """`row`, which has `user_id`. Another user's is answered as one that is not there. Raises Unknown."""
    if row is None or row["user_id"] != who.id:
        raise Unknown(f"you have no {what} of this number")
    return row


async def check(db: Queries, who: Visitor, project: int) -> None:
    """Raises Unknown."""
    owned(await db.fetchrow(OWNER, project), who)


async def locked(tx: Queries, who: Visitor, project: int) -> Any:
    """Its row, which nobody else changes until the transaction ends. Raises Unknown."""
    return owned(await tx.fetchrow(LOCKED, project), who)
