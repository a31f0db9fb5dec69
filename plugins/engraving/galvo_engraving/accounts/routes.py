"""Signing in and out."""

from __future__ import annotations

from typing import Any

import asyncpg
from fastapi import APIRouter, Request, Response

from galvo_engraving.accounts import passwords, tokens
from galvo_engraving.accounts.models import Account, AccountChange, Leave, Registration, Session, SignIn
from galvo_engraving.accounts.tokens import COOKIE, SignedIn
from galvo_engraving.changing import changes, update
from galvo_engraving.database import Queries
from galvo_engraving.jobs import dots
from galvo_engraving.problems import Conflict, Forbidden, Strange, answers
from galvo_engraving.shop import Db, InShop, Shop

router = APIRouter(tags=["accounts"])

ONE = "select id, email, name, studio, role, created_at from engraving.user_account where id = $1"
BY_EMAIL = "select id, password from engraving.user_account where email = $1"
CONFIRM = "select email, password from engraving.user_account where id = $1"
LOCKED = "select password from engraving.user_account where id = $1 for update"
PICTURES = "select digest from engraving.image where user_id = $1"
REMOVE = "delete from engraving.user_account where id = $1"
WRONG = "this is not the account's password"
MAKE = """
insert into engraving.user_account (email, name, studio, password, created_at) values ($1, $2, $3, $4, now())
returning id, email, name, studio, role, created_at"""


@router.post("/users", status_code=201, responses=answers(403, 409, 422, 429, 503))
async def register(asked: Registration, shop: InShop, request: Request) -> Account:
    """Make an account."""
    if not shop.settings.registration:
        raise Forbidden("accounts are made by the shop's staff: ask them")
    shop.throttle.register(address_of(request))
    password = await passwords.hashed(asked.password)
    try:
        row = await shop.db.fetchrow(MAKE, asked.email, asked.name, asked.studio, password)
    except asyncpg.UniqueViolationError:
        raise Conflict("there is an account with this email already: sign in, or take another one") from None
    return account(row, shop)


@router.post("/sessions", status_code=201, responses=answers(401, 422, 429, 503))
async def sign_in(asked: SignIn, shop: InShop, request: Request, response: Response) -> Session:
    """A token for `Authorization: Bearer`, and the same as a cookie for browsers."""
    address = address_of(request)
    with shop.throttle.trying(asked.email, address):
        row: Any = await shop.db.fetchrow(BY_EMAIL, asked.email)
        if not await passwords.matches(asked.password, row and row["password"]) or row is None:
            raise Strange("email or password are wrong")
    shop.throttle.right(asked.email, address)
    token, until = await tokens.give(shop.db, row["id"], shop.settings.token_days, row["password"])
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
async def me(who: SignedIn, shop: InShop) -> Account:
    """Who has signed in."""
    return account(await shop.db.fetchrow(ONE, who.id), shop)


@router.patch("/me", responses=answers(401, 403, 422, 429, 503))
async def change(asked: AccountChange, who: SignedIn, shop: InShop, request: Request) -> Account:
    """What is given; a new password ends all other sessions."""
    values = changes(asked, "old_password")
    kept = None
    if "password" in values:
        kept = await confirm(shop, request, who.id, asked.old_password)
        values["password"] = await passwords.hashed(asked.password)
    async with shop.db.transaction() as tx:
        if "password" in values:
            await still(tx, request, who.id, kept)
        row = await update(tx, "user_account", who.id, values, "id, email, name, studio, role, created_at")
        if "password" in values:
            await tokens.take_others(tx, who.id, tokens.token_of(request))
    return account(row, shop)


@router.delete("/me", status_code=204, responses=answers(401, 403, 422, 429, 503))
async def leave(asked: Leave, who: SignedIn, shop: InShop, request: Request, response: Response) -> None:
    """The account, and with it all projects, pictures and dots of them that nobody else has."""
    kept = await confirm(shop, request, who.id, asked.password)
    async with shop.db.transaction() as tx:
        await still(tx, request, who.id, kept)
        digests = [row["digest"] for row in await tx.fetch(PICTURES, who.id)]
        await tx.execute(REMOVE, who.id)
        await dots.forget(tx, *digests)
    response.delete_cookie(COOKIE)


async def confirm(shop: Shop, request: Request, user: int, password: str) -> str | None:
    """The hash that it fits. Raises Forbidden, TooMany, Busy: it is not this user's, or cannot be looked at now."""
    row: Any = await shop.db.fetchrow(CONFIRM, user)
    if row is None:
        raise tokens.nobody()
    address = address_of(request)
    with shop.throttle.trying(row["email"], address):
        if not await passwords.matches(password, row["password"]):
            raise Forbidden(WRONG)
    shop.throttle.right(row["email"], address)
    kept: str | None = row["password"]
    return kept


async def still(tx: Queries, request: Request, user: int, kept: str | None) -> None:
    """Locks the account. Raises Strange, Forbidden: session or password have ended since the password was looked at."""
    now = await tx.fetchval(LOCKED, user)
    if not await tokens.held(tx, tokens.token_of(request)):
        raise tokens.nobody()
    if now != kept:
        raise Forbidden(WRONG)


def account(row: Any, shop: Shop) -> Account:
    """Raises Strange: somebody else has signed in as the same user, and deleted the account."""
    if row is None:
        raise tokens.nobody()
    return Account(**row, dashboard=shop.kernel is not None and row["role"] == "staff")


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""
