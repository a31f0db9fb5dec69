"""The database as the application needs it: the embedded one is made, another one is only looked at."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg

from galvo import GalvoError
from galvo_engraving.accounts import passwords
from galvo_engraving.demo.databases import with_database
from galvo_engraving.demo.options import redacted
from galvo_engraving.load import load
from galvo_engraving.migrate import migrate, missing

NAME = "galvo_engraving"
SCALE = 0.2
"""Of the shop that is put into an empty one."""
SECONDS = 10
EMAIL = "demo@example.com"
PASSWORD = "engraving-password"  # noqa: S105  # a file's name
ACCOUNT = """
insert into engraving.user_account (email, name, studio, role, password, created_at)
values ($1, 'Demo', 'The shop', 'staff', $2, now())
on conflict (email) do update set role = 'staff', password = excluded.password"""
FAILURES = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def agreed(url: str) -> None:
    """A database of somebody else's is ready. Raises GalvoError; nothing is changed in it."""
    connection = await _connected(url)
    try:
        lacking = await missing(connection)
    finally:
        await connection.close(timeout=SECONDS)
    if lacking:
        raise GalvoError(
            f"{redacted(url)} lacks {len(lacking)} migrations of the shop: run `galvo run migrate --url ...` first"
        )


async def own(url: str, data: Path, say: Callable[[str], None]) -> str:
    """The URL of the shop's database on the embedded server `url`: made, migrated, filled when it was empty, with an
    account of the staff's. Raises GalvoError.
    """
    server = await _connected(url)
    try:
        if not await server.fetchval("select true from pg_database where datname = $1", NAME):
            await server.execute(f"create database {NAME}")
    except asyncpg.DuplicateDatabaseError:  # another one has just made it
        pass
    finally:
        await server.close(timeout=SECONDS)
    shop = with_database(url, NAME)
    connection = await _connected(shop)
    try:
        await migrate(connection)
        if not await connection.fetchval("select exists (select from engraving.generation)"):
            say(f"loading a small shop into {NAME}")
            await load(connection, SCALE)
        await _account(connection, data / PASSWORD)
    except asyncpg.PostgresError as error:
        raise GalvoError(f"cannot prepare the database {NAME}: {error}") from None
    finally:
        await connection.close(timeout=SECONDS)
    return shop


async def _account(connection: Any, file: Path) -> None:
    """Its password is the one in `file`."""
    kept = await connection.fetchval("select password from engraving.user_account where email = $1", EMAIL)
    password = _password(file)
    if kept is None or not await passwords.matches(password, kept):
        await connection.execute(ACCOUNT, EMAIL, await passwords.hashed(password))


def _password(file: Path) -> str:
    """Which only its user may read. Raises GalvoError."""
    try:
        with suppress(FileExistsError):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="ascii") as new:
                new.write(secrets.token_urlsafe(15) + "\n")
        found = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise GalvoError(f"{file}, the password of {EMAIL}, cannot be read: {error}: delete it") from None
    if not found:
        raise GalvoError(f"{file}, the password of {EMAIL}, is empty: delete it")
    return found


async def _connected(url: str) -> Any:
    try:
        return await asyncpg.connect(url, timeout=SECONDS)
    except FAILURES as error:
        reason = str(error) or f"no answer within {SECONDS} s"
        raise GalvoError(f"cannot connect to {redacted(url)}: {reason.splitlines()[0]}") from None
