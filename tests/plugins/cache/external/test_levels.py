"""The level of a table: what is wished for, as far as it is there and works."""

from __future__ import annotations

import asyncpg
import pytest

from galvo_cache.external import Levels
from tests.plugins.cache.external.outside import connected, oid, watch

pytestmark = pytest.mark.anyio

SHOP = """
create table item(id int); create table free(id int); create schema other; create table other."It em"(id int);
create table sale(id int) partition by range (id);
create table sale_1 partition of sale for values from (1) to (10);
"""


async def level(levels: Levels, connection: asyncpg.Connection, name: str) -> str:
    await levels.load(connection.fetch)
    return levels.level(await oid(connection, name))


async def test_installed_triggers_make_the_level(dsn: str) -> None:
    async with connected(dsn) as other:
        await other.execute(SHOP)
        levels = Levels({})
        assert await level(levels, other, "item") == "statistics"
        await watch(other, "item", "sale")
        assert await level(levels, other, "item") == "trigger"
        assert await level(levels, other, "sale_1") == "trigger"
        assert await level(levels, other, "free") == "statistics"
        assert not levels.problems


@pytest.mark.parametrize(
    "damage",
    [
        "drop trigger galvo_watch_write on item",
        "drop trigger galvo_watch_row on item",
        "alter table item disable trigger galvo_watch_write",
        "alter table item disable trigger all",
        "alter table item disable trigger all; alter table item enable trigger all",
        "create or replace trigger galvo_watch_write after insert on item execute function galvo.galvo_notify()",
        "create or replace function galvo.galvo_notify() returns trigger language plpgsql as 'begin return null; end'",
        "create function f() returns trigger language plpgsql as 'begin return null; end';"
        " create or replace trigger galvo_watch_row after insert or update or delete on item"
        " for each row execute function f(); alter table item enable replica trigger galvo_watch_row",
    ],
)
async def test_damaged_triggers_do_not(dsn: str, damage: str) -> None:
    async with connected(dsn) as other:
        await other.execute(SHOP)
        await watch(other, "item")
        levels = Levels({"item": "trigger"})
        assert await level(levels, other, "item") == "trigger"
        await other.execute(damage)
        assert await level(levels, other, "item") == "statistics"
        assert levels.problems == ("item has no working triggers: run `galvo cache watch item`",)
        await watch(other, "item")
        assert await level(levels, other, "item") == "trigger"


async def test_a_child_needs_the_triggers_of_its_parents(dsn: str) -> None:
    async with connected(dsn) as other:
        await other.execute(SHOP)
        await watch(other, "sale_1")
        await other.execute("create table sale_2 partition of sale for values from (10) to (20)")
        levels = Levels({})
        assert await level(levels, other, "sale") == "trigger"
        assert await level(levels, other, "sale_1") == "trigger"
        assert await level(levels, other, "sale_2") == "statistics", "a new partition has no triggers"
        await other.execute("drop trigger galvo_watch_write on sale")
        assert await level(levels, other, "sale_1") == "statistics"


async def test_settings_and_what_works_now(dsn: str) -> None:
    async with connected(dsn) as other:
        await other.execute(SHOP)
        await watch(other, "item")
        works = {"listening": True, "counting": True}
        wanted = {"public.item": "trigger", 'other."It em"': "ttl", "free": "statistics", "nowhere.x": "ttl"}
        levels = Levels(
            wanted,  # type: ignore[arg-type]
            "ttl",
            listening=lambda: works["listening"],
            counting=lambda: works["counting"],
        )
        assert await level(levels, other, "item") == "trigger"
        assert await level(levels, other, 'other."It em"') == "ttl"
        assert await level(levels, other, "free") == "statistics"
        assert await level(levels, other, "sale") == "ttl", "the default"
        assert levels.problems == ("external names 'nowhere.x', and there is no such table",)
        works["listening"] = False
        assert await level(levels, other, "item") == "statistics"
        works["counting"] = False
        assert await level(levels, other, "item") == "ttl"
        assert await level(levels, other, "free") == "ttl"


async def test_a_wish_for_less_is_granted(dsn: str) -> None:
    async with connected(dsn) as other:
        await other.execute(SHOP)
        await watch(other, "item")
        assert await level(Levels({"item": "ttl"}), other, "item") == "ttl"
