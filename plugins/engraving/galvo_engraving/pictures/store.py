"""Pictures in the database: each user's own, and nobody else finds out what there is."""

from __future__ import annotations

from typing import Any

from galvo_engraving.accounts.tokens import nobody
from galvo_engraving.database import Database, Queries
from galvo_engraving.jobs import dots
from galvo_engraving.params import cursor, start
from galvo_engraving.pictures.checking import Checked
from galvo_engraving.pictures.models import Picture
from galvo_engraving.problems import TooLarge, Unknown

ONE = """
select id, name, media_type, width, height, size, created_at, digest from engraving.image
where id = $1 and user_id = $2"""
CONTENTS = "select contents from engraving.image where id = $1"
SAME = """
select id, name, media_type, width, height, size, created_at from engraving.image
where user_id = $1 and digest = $2"""
ADD = """
insert into engraving.image (user_id, name, media_type, width, height, size, digest, contents)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict on constraint image_once do nothing
returning id, name, media_type, width, height, size, created_at"""
TURN = "select id from engraving.user_account where id = $1 for no key update"
USED = "select coalesce(sum(size), 0) from engraving.image where user_id = $1 and digest <> $2"
LIST = """
select id, name, media_type, width, height, size, created_at from engraving.image
where user_id = $1 and id < $2 order by id desc limit $3"""
DELETE = "delete from engraving.image where id = $1 and user_id = $2 returning digest"
NEWEST = 2**31


async def add(
    db: Database, user: int, name: str, found: Checked, digest: str, contents: bytes, most: int
) -> Picture | None:
    """None: this user has it already. `most`: bytes that all of the user's may have.

    Raises TooLarge; Strange: the account was deleted meanwhile.
    """
    sizes = (found.width, found.height, len(contents))
    async with db.transaction() as tx:
        # Many that are sent at once are counted one after the other.
        if await tx.fetchrow(TURN, user) is None:
            raise nobody()
        if await tx.fetchval(USED, user, digest) + len(contents) > most:
            raise TooLarge(f"your pictures may have {most:,} bytes together: delete some, or compress this one")
        row: Any = await tx.fetchrow(ADD, user, name, found.media_type, *sizes, digest, contents)
    return None if row is None else Picture(**row)


async def same(db: Queries, user: int, digest: str) -> Picture | None:
    """The user's own with these contents."""
    row: Any = await db.fetchrow(SAME, user, digest)
    return None if row is None else Picture(**row)


async def page(db: Queries, user: int, after: str, limit: int) -> tuple[list[Picture], str | None]:
    """The newest first, and where the next page begins."""
    begin = start(after, tuple[int])
    before = min(max(begin[0], 0), NEWEST - 1) if begin else NEWEST - 1
    rows = await db.fetch(LIST, user, before, limit + 1)
    found = [Picture(**row) for row in rows[:limit]]
    return found, cursor([found[-1].id]) if len(rows) > limit else None


async def own(db: Queries, image: int, user: int) -> Any:
    """Its row, without the contents. Raises Unknown."""
    row = await db.fetchrow(ONE, image, user)
    if row is None:
        raise unknown(image)
    return row


async def contents(db: Queries, image: int) -> bytes:
    """Raises Unknown: it may just have been deleted."""
    found: bytes | None = await db.fetchval(CONTENTS, image)
    if found is None:
        raise unknown(image)
    return found


async def delete(db: Database, image: int, user: int) -> None:
    """With its rasters, and the dots that were made of it. Raises Unknown."""
    async with db.transaction() as tx:
        digest = await tx.fetchval(DELETE, image, user)
        if digest is None:
            raise unknown(image)
        await dots.forget(tx, digest)


def unknown(image: int) -> Unknown:
    return Unknown(f"you have no picture {image}: GET /api/images lists yours")
