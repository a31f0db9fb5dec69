"""Signing in and out."""

from __future__ import annotations

from typing import Any

import asyncpg
from fastapi import APIRouter, Request, Response

from galvo_engraving.accounts import passwords, tokens
from galvo_engraving.accounts.models import Account, Registration, Session, SignIn
from galvo_engraving.accounts.tokens import COOKIE, SignedIn
from galvo_engraving.problems import Conflict, Forbidden, Strange, answers
from galvo_engraving.shop import Db, InShop

router = APIRouter(tags=["accounts"])

ONE = "select id, email, name, studio, role, created_at from engraving.user_account where id = $1"
BY_EMAIL = "select id, password from engraving.user_account where email = $1"
MAKE = """
insert into engraving.user_account (email, name, studio, password, created_at) values ($1, $2, $3, $4, now())
returning id, email, name, studio, role, created_at"""


@router.post("/users", status_code=201, responses=answers(403, 409, 422))
async def register(asked: Registration, shop: InShop) -> Account:
    """Make an account."""
    if not shop.settings.registration:
        raise Forbidden("accounts are made by the shop's staff: ask them")
    password = await passwords.hashed(asked.password)
    try:
        row = await shop.db.fetchrow(MAKE, asked.email, asked.name, asked.studio, password)
    except asyncpg.UniqueViolationError:
        raise Conflict("there is an account with this email already: sign in, or take another one") from None
    return Account(**row)


@router.post("/sessions", status_code=201, responses=answers(401, 422))
async def sign_in(asked: SignIn, shop: InShop, request: Request, response: Response) -> Session:
    """A token for `Authorization: Bearer`, and the same as a cookie for browsers."""
    row: Any = await shop.db.fetchrow(BY_EMAIL, asked.email)
    if not await passwords.matches(asked.password, row and row["password"]) or row is None:
        raise Strange("email or password are wrong")
    token, until = await tokens.give(shop.db, row["id"], shop.settings.token_days)
    lasts = int(shop.settings.token_days * 86_400)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, lasts, secure=secure, httponly=True, samesite="strict")
    return Session(token=token, expires_at=until)


@router.delete("/sessions/current", status_code=204, responses=answers(401))
async def sign_out(who: SignedIn, db: Db, request: Request, response: Response) -> None:
    """The token is worth nothing any more, in any process."""
    await tokens.take(db, tokens.token_of(request))
    response.delete_cookie(COOKIE)


@router.get("/me", responses=answers(401))
async def me(who: SignedIn, db: Db) -> Account:
    """Who has signed in."""
    return Account(**await db.fetchrow(ONE, who.id))
