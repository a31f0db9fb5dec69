"""The file of what saved most: what is carried from one process to the next, and what is not believed."""

from __future__ import annotations

import datetime as dt
import logging
import os
import stat
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from galvo import Kernel
from galvo_cache import CachePlugin, warm_file, warming
from galvo_cache.favourites import Favourite
from galvo_cache.keys import key_of
from galvo_pool import PoolPlugin
from tests.plugins.cache.situations.situation import until
from tests.plugins.cache.stand import ALL, LOG, PRICE, standing
from tests.plugins.cache.test_warming import again, read, warmed

pytestmark = pytest.mark.anyio
BERLIN = dt.timezone(dt.timedelta(hours=2))
VALUES: list[Any] = [
    None, True, 0, -(2**63), 2**64 - 1, 0.5, -0.0, "a", "ä\0", "", b"\0\xff", Decimal("1.00"), Decimal("NaN"),
    dt.date(2024, 1, 1), dt.datetime.fromisoformat("2024-01-01T02:03:04.000005"),
    dt.datetime(2024, 1, 1, 2, tzinfo=BERLIN), dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.time(1, 2, 3),
    dt.time(1, tzinfo=BERLIN), dt.timedelta(days=-1, microseconds=1), uuid.UUID(int=7), [], [1, [None, "x"]], (1, "a"),
]  # fmt: skip
NOT_CARRIED: list[Any] = [2**64, "\ud800", dt.datetime.fromisoformat("2024-01-01").replace(fold=1), object(), {"a": 1}]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "SETTLE", 0.01)
    monkeypatch.setattr(warming, "GAP", 0.01)


def favourite(sql: str = PRICE, args: tuple[Any, ...] = (1,), saved: float = 1.0) -> Favourite:
    return Favourite(sql, args, 0, saved)


# -- the file itself ----------------------------------------------------------------------------------


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "warm"
    saved = [favourite(args=(value, [value])) for value in VALUES]
    warm_file.save(path, saved)
    found = warm_file.load(path)
    assert [(one.sql, one.limit, one.saved) for one in found] == [(PRICE, 0, 1.0)] * len(VALUES)
    assert [key_of(one.args) for one in found] == [key_of(one.args) for one in saved]
    assert [type(one.args[0]) for one in found] == [type(value) for value in VALUES]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["warm"], "nothing is left beside it"


@pytest.mark.parametrize("value", NOT_CARRIED, ids=lambda value: type(value).__name__)
def test_what_cannot_be_carried_is_left_out(value: Any, tmp_path: Path) -> None:
    warm_file.save(tmp_path / "warm", [favourite(args=(value,)), favourite()])
    assert warm_file.load(tmp_path / "warm") == [favourite()]


def test_it_does_not_write_more_than_it_reads(tmp_path: Path) -> None:
    big = [favourite(args=("x" * 100_000, number)) for number in range(30)]
    warm_file.save(tmp_path / "warm", big)
    assert warm_file.load(tmp_path / "warm") == big[:10]


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "warm"
    warm_file.save(path, [favourite()])

    def full(source: Any, target: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        warm_file.save(path, [])
    assert warm_file.load(path) == [favourite()]
    assert os.listdir(tmp_path) == ["warm"]


def test_there_is_none(tmp_path: Path) -> None:
    assert warm_file.load(tmp_path / "warm") == []


# -- what is not believed -----------------------------------------------------------------------------


def written(path: Path, data: bytes, mode: int = 0o600) -> None:
    path.write_bytes(data)
    path.chmod(mode)


def packed(*items: Any, version: Any = 1) -> bytes:
    return msgspec.msgpack.encode({"version": version, "items": items})


GOOD = packed([PRICE, 0, 1.0, [["int", 1]]])
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "garbage": (lambda path: written(path, b"\x00\xff garbage"), "something else"),
    "empty": (lambda path: written(path, b""), "something else"),
    "cut off": (lambda path: written(path, GOOD[:-1]), "something else"),
    "endless list": (lambda path: written(path, b"\x91" * 100_000), "something else"),
    "another version": (lambda path: written(path, packed(version=2)), "version 2"),
    "no text": (lambda path: written(path, packed([1, 0, 1.0, []])), "something else"),
    "limit": (lambda path: written(path, packed([PRICE, 2, 1.0, []])), "something else"),
    "nan": (lambda path: written(path, packed([PRICE, 0, float("nan"), []])), "something else"),
    "infinity": (lambda path: written(path, packed([PRICE, 0, float("inf"), []])), "something else"),
    "type": (lambda path: written(path, packed([PRICE, 0, 1.0, [["object", 1]]])), "something else"),
    "other type": (lambda path: written(path, packed([PRICE, 0, 1.0, [["int", "1"]]])), "something else"),
    "no number": (lambda path: written(path, packed([PRICE, 0, 1.0, [["Decimal", "x"]]])), "something else"),
    "no date": (lambda path: written(path, packed([PRICE, 0, 1.0, [["date", "2024-99-01"]]])), "something else"),
    "long ago": (lambda path: written(path, packed([PRICE, 0, 1.0, [["timedelta", "9" * 30]]])), "something else"),
    "too large": (lambda path: written(path, GOOD + b"\0" * warm_file.MAX_BYTES), "more than 1048576 bytes"),
    "group may write": (lambda path: written(path, GOOD, 0o620), "chmod 600"),
    "all may write": (lambda path: written(path, GOOD, 0o602), "chmod 600"),
    "a folder": (lambda path: path.mkdir(), "Is a directory"),
    "a pipe": (lambda path: os.mkfifo(path), "no regular file"),
    "a link": (lambda path: (written(path.with_name("real"), GOOD), path.symlink_to("real")), "symbolic links"),
}


@pytest.mark.parametrize("what", BAD)
async def test_it_is_ignored_with_one_line(
    dsn: str, what: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "warm"
    make, why = BAD[what]
    make(path)
    caplog.set_level(logging.WARNING)
    async with standing(dsn, {"warm_file": str(path)}) as stand:
        assert (await stand.kernel.fetch(PRICE, 1))[0]["price"] == Decimal("1.50")
        assert again(stand) == []
        lines = [record.getMessage() for record in caplog.records]
        assert len(lines) == 1
        assert lines[0].startswith(f"warm_file {path} under [cache] is ignored: ")
        assert why in lines[0]


async def test_that_of_another_user_is_neither_read_nor_replaced(
    dsn: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "warm"
    written(path, GOOD)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    async with standing(dsn, {"warm_file": str(path)}) as stand:
        await read(stand, ALL, times=3)
    assert again(stand) == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        f"warm_file {path} under [cache] is ignored: it belongs to another user"
    ]
    assert path.read_bytes() == GOOD


async def test_a_tampered_file_runs_reads_only(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "warm"
    bad = [
        "delete from material", "update material set price = 0", "drop table log", "select nextval('log_id_seq')",
        "insert into log (line) values ('x') returning id", "do $$ begin delete from material; end $$",
        "with gone as (delete from material returning id) select id from gone", "select evil()", "begin",
        "truncate log", "select id from material; delete from material", "set search_path = evil", "", "not sql",
        "copy material to program 'x'", "select id into stolen from material", "select id from material for update",
    ]  # fmt: skip
    setup = "create function evil() returns int language sql as 'insert into log (line) values (''x'') returning id'"
    warm_file.save(path, [*(favourite(sql, ()) for sql in bad), favourite(saved=0.5)])
    async with standing(dsn, {"warm_file": str(path)}, setup=setup) as stand:
        await warmed(stand, 1)
        assert again(stand) == [(PRICE, (1,), 0)]
        assert not {query.sql for query in stand.gate.seen} & set(bad)
        assert await stand.truth("select count(*) from material") == 5
        assert await stand.truth(LOG) == 0
        assert await stand.truth("select is_called from log_id_seq") is False
        assert stand["writes"] == 0


async def test_arguments_that_do_not_fit_are_a_failed_read(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "warm"
    warm_file.save(path, [favourite(args=("x",)), favourite(args=()), favourite(args=(2,), saved=0.5)])
    async with standing(dsn, {"warm_file": str(path)}) as stand:
        await until(lambda: has(stand["warmed"] == 1 and stand["warm_failed"] == 2))
        assert stand.kernel.plugins()[0]["faults"] == 0


# -- from one start to the next -----------------------------------------------------------------------


async def test_the_next_instance_begins_with_it(dsn: str, tmp_path: Path) -> None:
    """Nobody waits for what the last one read most."""
    path = tmp_path / "warm"
    some = "select name from material where name = any($1) and price > $2 and $3 > timestamptz '2020-01-01 00:00+00'"
    args = (["m1", "m2"], Decimal("1.00"), dt.datetime(2024, 1, 1, 2, tzinfo=BERLIN))
    async with standing(dsn, {"warm_file": str(path), "warm": 2}) as stand:
        for number, times in ((1, 3), (2, 9), (3, 1)):
            await read(stand, PRICE, number, times=times)
        await read(stand, some, *args, times=30)
        stand.plan(PRICE).cost.value = stand.plan(some).cost.value = 0.001
        assert not path.exists()
        await stand.kernel.disable("cache")
        assert path.exists()
        stand.gate.seen.clear()
        await stand.kernel.enable("cache")
        await warmed(stand, 2)
        assert [key_of(args) for _, args, _ in again(stand)] == [key_of(args), key_of((2,))]
        await read(stand, PRICE, 2)
        await read(stand, some, *args)
        assert (stand["hits"], stand["misses"], stand.ran(PRICE) + stand.ran(some)) == (2, 0, 0)


class SlowPool(PoolPlugin):
    """Others can find it before it answers."""

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with super().lifespan():
            await anyio.sleep(0.2)  # of those who do not wait nothing is heard
            yield


async def test_the_pool_starts_later(dsn: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "warm"
    warm_file.save(path, [favourite("select 6 * 7", ())])
    caplog.set_level(logging.DEBUG, "galvo.cache")
    async with Kernel.of({CachePlugin: {"warm_file": str(path)}, SlowPool: {"url": dsn}}) as kernel:
        await until(lambda: has(kernel.plugin_stats("cache")["warmed"] == 1))
        assert await kernel.fetchval("select 6 * 7") == 42
        assert "failed" not in caplog.text


async def test_it_is_written_while_the_process_runs(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "SAVE", 0.01)
    path = tmp_path / "warm"
    async with standing(dsn, {"warm_file": str(path)}) as stand:
        await read(stand, PRICE, 1, times=3)
        await until(lambda: has(path.exists()))
        assert [(one.sql, one.args) for one in warm_file.load(path)] == [(PRICE, (1,))]


async def test_a_short_process_does_not_forget(dsn: str, tmp_path: Path) -> None:
    """`galvo explain` starts the plugins, too."""
    path = tmp_path / "warm"
    warm_file.save(path, [favourite(saved=9.0)])
    async with standing(dsn, {"warm_file": str(path)}):
        pass
    (one,) = warm_file.load(path)
    assert (one.sql, one.args) == (PRICE, (1,))
    assert 8.9 < one.saved <= 9.0


async def test_a_folder_that_is_not_there(dsn: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "none" / "warm"
    async with standing(dsn, {"warm_file": str(path)}) as stand:
        await read(stand, PRICE, 1, times=3)
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert lines == [f"warm_file {path} under [cache] cannot be written: No such file or directory"]


async def has(value: bool) -> bool:
    return value
