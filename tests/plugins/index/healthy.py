"""Databases with which nothing is wrong: real schemas, their data, and queries that use what is there."""

from __future__ import annotations

from pathlib import Path

import asyncpg

FOLDER = Path(__file__).parent / "schemas"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sql"))
NEW = "fresh"
"""Its tables are too new to have been analysed."""


def parts(name: str) -> tuple[str, list[str]]:
    """What makes the schema and its data, in one go; the statements of its traffic, one by one."""
    setup, _, traffic = (FOLDER / f"{name}.sql").read_text().partition("-- traffic\n")
    return setup, traffic.strip().removesuffix(";").split(";\n")


async def load(connection: asyncpg.Connection, name: str) -> None:
    """Into a database of its own."""
    await make(connection, name)
    if name != NEW:
        await connection.execute("vacuum (analyze)")
    await use(connection, name)


async def make(connection: asyncpg.Connection, name: str, schema: str = "public") -> None:
    """Tables and data. `schema` is where the tables go that do not say so themselves."""
    setup, _ = parts(name)
    await connection.execute(f"create schema if not exists {schema}; set search_path = {schema}")
    if setup.strip():
        await connection.execute(setup)


async def use(connection: asyncpg.Connection, name: str, schema: str = "public") -> None:
    """The traffic. Tables are small: the planner is kept from reading them whole."""
    await connection.execute(f"set search_path = {schema}; set enable_seqscan = off")
    for statement in parts(name)[1]:
        await connection.execute(statement)
    await connection.execute("reset all")
