from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from galvo_engraving import schema
from galvo_engraving.generate import Generator, zipf
from galvo_engraving.load import BATCH, load, loaded

pytestmark = pytest.mark.anyio
Checksum = Callable[..., Awaitable[dict[str, str]]]
SCALE = 0.05


async def test_the_schema_can_be_made_twice(con: Any) -> None:
    await schema.create(con)
    await schema.create(con)
    assert await con.fetchval("select count(*) from engraving.project") == 0


async def test_the_same_seed_gives_the_same_rows_and_another_one_others(con: Any, checksum: Checksum) -> None:
    assert await load(con, SCALE, seed=1)
    first = await checksum(con)
    await schema.drop(con)
    assert await load(con, SCALE, seed=1)
    assert await checksum(con) == first
    assert await load(con, SCALE, seed=2)
    other = await checksum(con)
    assert {table for table in other if other[table] != first[table]} >= {"user_account", "project", "job"}


async def test_a_complete_load_is_kept(con: Any) -> None:
    assert not await loaded(con, SCALE, 1)
    assert await load(con, SCALE, seed=1)
    await con.execute("update engraving.project set name = 'mine' where id = 1")
    assert await loaded(con, SCALE, 1)
    assert not await load(con, SCALE, seed=1)
    assert await con.fetchval("select name from engraving.project where id = 1") == "mine"
    assert not await loaded(con, SCALE, 2)
    assert not await loaded(con, 2 * SCALE, 1)


async def test_an_interrupted_load_is_done_again(con: Any, checksum: Checksum) -> None:
    class Interrupted(Exception):
        pass

    async def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        await load(con, SCALE, 1, interrupt)
    assert not await loaded(con, SCALE, 1)
    assert await load(con, SCALE, 1)
    again = await checksum(con)
    await schema.drop(con)
    await load(con, SCALE, 1)
    assert await checksum(con) == again


async def test_progress_goes_up_to_the_announced_total(con: Any) -> None:
    seen: list[tuple[int, int]] = []

    async def watch(done: int, total: int) -> None:
        seen.append((done, total))

    await load(con, SCALE, 1, watch)
    assert all(0 < after[0] - before[0] <= BATCH for before, after in pairwise(seen))
    assert {total for _, total in seen} == {seen[-1][0]} == {sum(Generator(SCALE, 1).counts().values())}


async def test_counts_and_ids_are_as_announced(con: Any) -> None:
    await load(con, SCALE, 1)
    for table, count in Generator(SCALE, 1).counts().items():
        assert await con.fetchval(f"select count(*) from engraving.{table}") == count
        if table != "box_parameter":
            assert await con.fetchval(f"select max(id) from engraving.{table}") == count
    insert = "insert into engraving.user_account (email, name, studio, created_at) values ('a', 'b', 'c', now())"
    assert await con.fetchval(insert + " returning id") == Generator(SCALE, 1).counts()["user_account"] + 1


async def test_every_reference_is_valid_and_indexed(con: Any) -> None:
    await load(con, SCALE, 1)
    references = await con.fetch(
        """select conrelid::regclass::text, confrelid::regclass::text, convalidated, attname
        from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
        where contype = 'f' and connamespace = 'engraving'::regnamespace"""
    )
    assert len(references) == 17
    for child, parent, validated, column in references:
        assert validated
        found = f"select from {parent} p where p.id = c.{column}"
        assert await con.fetchval(f"select count(*) from {child} c where not exists ({found})") == 0
        index = "select true from pg_index where indrelid = $1::text::regclass and indkey[0] = (" + (
            "select attnum from pg_attribute where attrelid = $1::text::regclass and attname = $2)"
        )
        assert await con.fetchval(index, child, column), f"{child}.{column} has no index"


async def test_projects_use_sheets_that_exist(con: Any) -> None:
    await load(con, SCALE, 1)
    assert not await con.fetchval(
        """select count(*) from engraving.project p where not exists (
            select from engraving.laser_setting s
            where s.material_id = p.material_id and s.thickness_mm = p.thickness_mm)"""
    )


def test_larger_scales_have_more_of_everything() -> None:
    small, large = Generator(1, 1).counts(), Generator(4, 1).counts()
    assert all(small[table] < large[table] for table in small)
    assert (small["user_account"], small["project"]) == (2_000, 20_000)


def test_variants_keep_the_order_of_cutting_speeds() -> None:
    speeds: dict[int, list[float]] = {}
    for _, material, _, operation, speed, _, passes, *_ in Generator(4, 7).records("laser_setting"):
        if operation == "cut":
            speeds.setdefault(material, []).append(speed / passes)
    assert all(fast > slow for cuts in speeds.values() for fast, slow in pairwise(cuts))


def test_zipf_is_close_to_its_law() -> None:
    random, count, draws = Random(5), 1_000, 200_000
    seen = [0] * (count + 1)
    for _ in range(draws):
        seen[zipf(random, count)] += 1
    assert seen[0] == 0
    harmonic = sum(1 / rank for rank in range(1, count + 1))
    for first, last in ((1, 3), (4, 15), (16, 63), (64, 255), (256, 1_000)):
        expected = sum(1 / rank for rank in range(first, last + 1)) / harmonic
        assert sum(seen[first : last + 1]) / draws == pytest.approx(expected, rel=0.05)
