"""Signed in: a random token in the client's hands, its hash in the database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request

from galvo_engraving.database import Database, Queries
from galvo_engraving.problems import Forbidden, Strange
from galvo_engraving.shop import shop

COOKIE = "engraving_session"
LONGEST = 100
"""Characters of what may be a token."""
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# The expiry is compared here: a statement with now() in it could not be answered from the cache.
WHO = """
select u.id, u.role, t.expires_at from engraving.access_token t
join engraving.user_account u on u.id = t.user_id where t.digest = $1"""
# Locks the account: who changes its password at the same time finds this token and ends it, or comes first.
GIVE = """
insert into engraving.access_token (digest, user_id, expires_at)
select $1, id, $3 from engraving.user_account where id = $2 and ($4::text is null or password = $4) for share"""
# Locks it against who signs out or is signed out; and a locked row is never the cache's.
HELD = "select user_id from engraving.access_token where digest = $1 for share"
TAKE = "delete from engraving.access_token where digest = $1"
TAKE_OTHERS = "delete from engraving.access_token where user_id = $1 and digest <> $2"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever has signed in."""

    id: int
    role: str

    @property
    def staff(self) -> bool:
        return self.role == "staff"


async def give(db: Queries, user: int, days: float, password: str | None = None) -> tuple[str, datetime]:
    """A new token, and when it ends. Raises Strange: the account has gone, or its `password` (hashed) has changed."""
    token, until = secrets.token_urlsafe(32), datetime.now(UTC) + timedelta(days=days)
    done = await db.execute(GIVE, _digest(token), user, until, password)
    if not done.endswith(" 1"):
        raise Strange("the account was changed meanwhile: sign in again")
    return token, until


async def held(tx: Queries, token: str) -> bool:
    """Whether it is still somebody's, until the transaction ends."""
    return await tx.fetchval(HELD, _digest(token)) is not None


async def take(db: Queries, token: str) -> None:
    """It admits nobody any more, in no process."""
    await db.execute(TAKE, _digest(token))


async def take_others(db: Queries, user: int, token: str) -> None:
    """Only this one admits the user from now on."""
    await db.execute(TAKE_OTHERS, user, _digest(token))


async def admitted(db: Database, token: str) -> Visitor | None:
    if not 0 < len(token) <= LONGEST:
        return None
    row: Any = await db.fetchrow(WHO, _digest(token))
    if row is None or row["expires_at"] <= datetime.now(UTC):
        return None
    return Visitor(row["id"], row["role"])


def token_of(request: Request) -> str:
    """Of a header, which only a program sets, else the browser's cookie; "" if there is neither."""
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return told.strip()
    if request.method in UNSAFE and request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return ""  # another site's page has the browser write
    return request.cookies.get(COOKIE, "")


async def visitor(request: Request) -> Visitor:
    """Raises Strange."""
    found = await admitted(shop(request).db, token_of(request))
    if found is None:
        raise nobody()
    return found


def nobody() -> Strange:
    return Strange("nobody has signed in: POST /api/sessions with email and password")


async def staff(who: Annotated[Visitor, Depends(visitor)]) -> Visitor:
    """Raises Strange, Forbidden."""
    if not who.staff:
        raise Forbidden("only the shop's staff may change this")
    return who


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


SignedIn = Annotated[Visitor, Depends(visitor)]
Staff = Annotated[Visitor, Depends(staff)]
