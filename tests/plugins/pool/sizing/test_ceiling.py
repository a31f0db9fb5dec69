"""The ceiling: from a row to a number and a sentence, and the row from a real server."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from galvo_pool.sizing import CEILING_SQL, ceiling, named, start_size

ROW = {
    "most": 100, "superuser": 3, "reserved": 0, "total": 1, "own": 1, "ours": 1, "workers": 1, "of_user": 1,
    "of_database": 1, "user_limit": -1, "database_limit": -1,
}  # fmt: skip


def row(**values: int) -> dict[str, int]:
    return ROW | values


@pytest.mark.parametrize(
    "values, options, most",
    [
        ({}, {}, 82),  # 85 % of 97
        ({}, {"most": 20}, 20),
        ({"reserved": 10}, {}, 73),
        ({"total": 41}, {}, 42),  # 40 are others'
        ({"total": 41, "ours": 11, "workers": 2}, {}, 26),  # half of 52
        ({"total": 41, "ours": 11, "workers": 2}, {"workers": 4}, 13),
        ({"workers": 0, "ours": 0, "own": 0, "total": 0}, {}, 82),  # behind a proxy nobody has our name
        ({"workers": 0, "ours": 0, "own": 0, "total": 31}, {"has": 31}, 82),
        ({"total": 83, "ours": 83, "own": 1, "workers": 2}, {}, 15),  # the other has yet to give back
        ({"total": 97, "ours": 97, "own": 48, "workers": 2}, {}, 41),  # over 85 %: both give back
        ({"total": 95, "own": 10, "ours": 10}, {}, 1),  # others have nearly all
        ({"user_limit": 20}, {}, 17),
        ({"database_limit": 10, "of_database": 6}, {}, 3),
        ({"user_limit": 0}, {}, 1),
        ({}, {"memory": 300 * 2**20}, 30),
        ({"workers": 3, "ours": 3}, {"memory": 300 * 2**20}, 10),
    ],
)
def test_number(values: dict[str, int], options: dict[str, Any], most: int) -> None:
    assert ceiling(row(**values), **{"most": None} | options).most == most


@pytest.mark.parametrize(
    "values, options, why",
    [
        ({"total": 41}, {}, "at most 42 connections: the server has room for 97 in all, others use 40"),
        ({"total": 41, "ours": 11, "workers": 2}, {}, "others use 30, shared by 2 processes"),
        ({}, {"most": 1}, "at most 1 connection: max_size is 1"),
        ({"user_limit": 20}, {}, "the user (CONNECTION LIMIT) has room for 20 in all"),
        ({}, {"memory": 300 * 2**20}, "memory has room for 30 backends"),
    ],
)
def test_sentence(values: dict[str, int], options: dict[str, Any], why: str) -> None:
    assert why in ceiling(row(**values), **{"most": None} | options).why


@pytest.mark.parametrize("workers", range(1, 9))
@pytest.mark.parametrize("others", [0, 7, 60])
def test_all_together_leave_room(workers: int, others: int) -> None:
    """However many share, in the end they and the others fill the server to 85 %, and no less by more than one each."""
    sizes = [0] * workers
    for _ in range(10):
        for number in range(workers):
            ours = sum(sizes)
            found = row(total=others + ours, ours=ours, own=sizes[number], workers=workers)
            sizes[number] = ceiling(found, most=None).most
            assert others + sum(sizes) <= 97
    assert max(sizes) - min(sizes) == 0
    assert 0.85 * 97 - workers - 1 < others + sum(sizes) <= 0.85 * 97


@pytest.mark.parametrize(
    "name, expected",
    [
        ("", "galvo/00000abc"),
        ("shop", "shop galvo/00000abc"),
        ("shop galvo/12345678", "shop galvo/00000abc"),
        ("x" * 100, "x" * 48 + " galvo/00000abc"),
        ("é" * 100, "é" * 24 + " galvo/00000abc"),
    ],
)
def test_name(name: str, expected: str) -> None:
    assert named(name, 0xABC) == expected
    assert len(expected.encode()) <= 63


def test_start() -> None:
    assert start_size(2, local=True) == 5
    assert start_size(64, local=False) == 8


async def connect(dsn: str, name: str, **options: Any) -> asyncpg.Connection:
    return await asyncpg.connect(dsn, server_settings={"application_name": name}, **options)


@pytest.mark.anyio
async def test_what_the_server_says(dsn: str) -> None:
    mine, again, peer, other, stranger = [
        await connect(dsn, name)
        for name in (named("shop", 1), named("shop", 1), named("shop", 2), named("forge", 3), "shop")
    ]
    try:
        found = dict(await mine.fetchrow(CEILING_SQL))
        assert found["most"] == int(await mine.fetchval("show max_connections"))
        assert found["superuser"] == int(await mine.fetchval("show superuser_reserved_connections"))
        assert (found["own"], found["ours"], found["workers"]) == (2, 3, 2)
        assert found["of_database"] == 5
        assert found["total"] >= 5
        assert (found["user_limit"], found["database_limit"]) == (-1, -1)
        found = dict(await stranger.fetchrow(CEILING_SQL))
        assert (found["own"], found["ours"], found["workers"]) == (0, 0, 0), "it has no token"
    finally:
        for connection in (mine, again, peer, other, stranger):
            await connection.close()


@pytest.mark.anyio
async def test_a_user_without_privileges_counts_the_others_too(dsn: str) -> None:
    owner = await connect(dsn, "owner")
    await owner.execute("create role plain_sizing login connection limit 7")
    try:
        mine = await connect(dsn, named("shop", 1), user="plain_sizing")
        try:
            found = dict(await mine.fetchrow(CEILING_SQL))
            assert (found["own"], found["ours"], found["workers"], found["of_user"]) == (1, 1, 1, 1)
            assert found["of_database"] == 2
            assert found["user_limit"] == 7
            assert "CONNECTION LIMIT" in ceiling(found, most=50).why
        finally:
            await mine.close()
    finally:
        await owner.execute("drop role plain_sizing")
        await owner.close()
