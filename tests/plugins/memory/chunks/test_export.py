"""Exports are whole or not there, and go no faster than they are taken."""

from __future__ import annotations

import asyncio
import io
import os
import stat
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest

from galvo_memory import export
from galvo_memory.allocator import malloc_trim
from galvo_memory.budgets import MemoryBudgetExceeded, memory_budget
from tests.plugins.memory.chunks.targets import KINDS, kernel_of, reaching
from tests.plugins.memory.chunks.test_chunked import LOST, clean

pytestmark = pytest.mark.anyio
SQL = "select n, repeat('x', 100) as text from generate_series(1, $1::int) n"


@pytest.mark.parametrize("kind", KINDS)
async def test_csv_to_a_path(dsn: str, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out.csv"
    async with reaching(kind, dsn) as target:
        done = await export(
            target, "select n, $2::text as t from generate_series(1, $1::int) n", 2, "a 'b', c", to=path
        )
        assert path.read_text() == "n,t\n1,\"a 'b', c\"\n2,\"a 'b', c\"\n"
        assert (done.rows, done.bytes) == (2, path.stat().st_size)
        await export(target, "select 1 where false", to=str(path), header=False)
        assert path.read_bytes() == b""
        assert await clean(target)
    assert os.listdir(tmp_path) == ["out.csv"]


async def test_formats(dsn: str, tmp_path: Path) -> None:
    async with reaching("kernel", dsn) as target:
        await target.execute("create table t (n int, text text)")
        for format in ("csv", "text", "binary"):
            path = tmp_path / format
            await export(target, SQL, 1000, to=path, format=format, header=False)
            async with reaching("asyncpg connection", dsn) as connection:
                await connection.copy_to_table("t", source=path, format=format)
        assert await target.fetchval("select count(*) from (select n from t group by n having count(*) = 3) q") == 1000
        done = await export(target, "select 1, null", to=tmp_path / "text", format="text", delimiter=";", null="-")
        assert (tmp_path / "text").read_text() == "1;-\n"
        assert done.rows == 1


async def test_other_sinks(dsn: str, tmp_path: Path) -> None:
    parts: list[bytes] = []

    async def sink(data: bytes) -> None:
        parts.append(data)

    async with reaching("galvo pool", dsn) as target:
        file = io.BytesIO()
        await export(target, SQL, 30_000, to=file)
        await export(target, SQL, 30_000, to=sink)
        async with await anyio.open_file(tmp_path / "file", "wb") as opened:
            await export(target, SQL, 30_000, to=opened)
    assert file.getvalue() == b"".join(parts) == (tmp_path / "file").read_bytes()
    assert len(parts) <= 5, "gathered into pieces"
    assert file.getvalue().count(b"\n") == 30_001


class Short(io.BytesIO):
    """An unbuffered file, to a pipe for example."""

    def write(self, data: Any) -> int:
        return super().write(data[:1000])


async def test_a_file_that_takes_less_than_it_is_given(dsn: str) -> None:
    async with reaching("asyncpg pool", dsn) as target:
        file = Short()
        done = await export(target, SQL, 3000, to=file)
    assert done.bytes == len(file.getvalue())


async def test_an_existing_file_is_replaced_only_by_a_whole_one(dsn: str, tmp_path: Path) -> None:
    path, link = tmp_path / "out.csv", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    async with reaching("kernel", dsn) as target:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await export(target, "select 1 / (5000 - n) from generate_series(1, 6000) n", to=link)
        assert path.read_text() == "old"
        assert await clean(target)
        await export(target, "select 1 as n", to=link)
    assert path.read_text() == "n\n1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link", "out.csv"]


@pytest.mark.parametrize("kind", ["kernel", "asyncpg pool"])
async def test_cancelled_it_leaves_no_file(dsn: str, tmp_path: Path, kind: str) -> None:
    async with reaching(kind, dsn) as target:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(
                lambda: export(target, "select pg_sleep(60) from generate_series(1, 9)", to=tmp_path / "out")
            )
            while not os.listdir(tmp_path):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        assert os.listdir(tmp_path) == []
        assert await clean(target)


async def test_the_server_process_is_killed(dsn: str, tmp_path: Path) -> None:
    other = await asyncpg.connect(dsn)
    async with reaching("kernel", dsn) as target:
        pid = await target.fetchval("select pg_backend_pid()")
        taken = 0

        async def sink(data: bytes) -> None:
            nonlocal taken
            if not taken:
                await other.execute("select pg_terminate_backend($1)", pid)
            taken += len(data)

        with pytest.raises(LOST):
            await export(target, SQL, 1_000_000, to=sink)
        assert 0 < taken < 100_000_000
        assert await target.fetchval("select 1") == 1
    await other.close()


async def test_a_sink_that_fails_or_stops_taking(dsn: str) -> None:
    async with reaching("kernel", dsn) as target:

        async def full(data: bytes) -> None:
            raise OSError(28, "No space left on device")

        with pytest.raises(OSError, match="No space left"):
            await export(target, SQL, 1_000_000, to=full)
        assert await clean(target)

        stuck = anyio.Event()

        async def slow(data: bytes) -> None:
            stuck.set()
            await anyio.sleep_forever()

        async with anyio.create_task_group() as tasks, memory_budget("24MiB") as budget:
            tasks.start_soon(lambda: export(target, SQL, 1_000_000, to=slow))
            await stuck.wait()
            await anyio.wait_all_tasks_blocked()
            budget.check()  # not all of the 100 MB have come
            tasks.cancel_scope.cancel()
        assert await clean(target)


async def test_errors_name_the_file(dsn: str, tmp_path: Path) -> None:
    async with reaching("kernel", dsn) as target:
        with pytest.raises(FileNotFoundError, match="nowhere/out"):
            await export(target, "select 1", to=tmp_path / "nowhere" / "out")
        with pytest.raises(ValueError, match="/dev/full is no regular file"):
            await export(target, "select 1", to="/dev/full")
        with pytest.raises(ValueError, match="is no regular file"):
            await export(target, "select 1", to=tmp_path)
        with Path("/dev/full").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):  # noqa: ASYNC230
            await export(target, "select 1", to=file)
        with pytest.raises(ValueError, match="format is csv, text or binary, not 'xlsx'"):
            await export(target, "select 1", to=tmp_path / "out", format="xlsx")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="to is a path"):
            await export(target, "select 1", to=1)
        assert os.listdir(tmp_path) == []


async def test_only_reads_and_is_a_checkpoint(dsn: str, tmp_path: Path) -> None:
    kept: list[Any] = []

    async def keep(data: bytes) -> None:
        kept.append(data)

    if (trim := malloc_trim()) is not None:
        trim(0)  # else what earlier tests have freed is filled first, and RSS does not grow
    async with reaching("kernel", dsn) as target:
        await target.execute("create table t as select 1 as n")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await export(target, "delete from t returning n", to=tmp_path / "out")
        async with memory_budget("16MiB"):
            with pytest.raises(MemoryBudgetExceeded):
                await export(target, SQL, 1_000_000, to=keep)
        assert await clean(target)
    assert sum(map(len, kept)) < 60_000_000


async def test_it_travels_the_chain(dsn: str, tmp_path: Path) -> None:
    async with kernel_of(dsn) as kernel:
        recording = kernel.find_capability("recording")
        await export(kernel, "select $1::int", 7, to=tmp_path / "out")
        seen = [(query.sql, query.kind) for query in recording.seen if not query.origin]
    assert seen == [("BEGIN READ ONLY", "status"), ("COPY (select $1::int) TO STDOUT", "stream"), ("COMMIT", "status")]
