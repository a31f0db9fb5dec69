"""A real replica: it is asked with HypoPG, and without it nothing is made there."""

from __future__ import annotations

import asyncio
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from galvo_index.advise import consult
from galvo_index.workload import Statement
from tests.conftest import execute
from tests.plugins.index import debian

WANTED = "GALVO_INDEX_STANDBY" in os.environ  # five seconds for two servers

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not WANTED, reason="GALVO_INDEX_STANDBY is not set")]


@pytest.fixture
def standby_dsn() -> Iterator[str]:
    with debian.server() as dsn:
        folder = Path(dsn.rpartition("=")[2])
        asyncio.run(
            execute(dsn, "create table t as select i, i % 2000 as a, repeat('x', 60) from generate_series(1, 20000) i")
        )
        asyncio.run(execute(dsn, "create extension hypopg; analyze"))
        (folder / "socket").mkdir()
        account = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
        os.chown(folder / "socket", account.pw_uid, account.pw_gid)

        def run(program: str, *arguments: object) -> None:
            command = [str(part) for part in (debian.programs() / program, *arguments)]
            subprocess.run(command, check=True, user=account.pw_uid, cwd=folder, stdout=subprocess.DEVNULL)

        copy = folder / "standby"
        run("pg_basebackup", "-h", folder, "-U", "postgres", "-D", copy, "-R", "-c", "fast")
        options = f"-c unix_socket_directories={folder}/socket"
        run("pg_ctl", "-w", "-D", copy, "-l", folder / "standby.log", "-o", options, "start")
        try:
            yield f"{dsn}/socket"
        finally:
            run("pg_ctl", "-w", "-D", copy, "-m", "immediate", "stop")


async def test_a_standby(standby_dsn: str) -> None:
    connection = await asyncpg.connect(standby_dsn)
    try:
        assert await connection.fetchval("select pg_is_in_recovery()")
        report = await consult(connection, [Statement("select * from t where a = 7")])
        assert [one.verified for one in report.advice] == ["hypopg"]
        await execute(standby_dsn.removesuffix("/socket"), "drop extension hypopg")
        while await connection.fetchval("select count(*) from pg_extension where extname = 'hypopg'"):
            await connection.execute("select pg_sleep(0.01)")
        report = await consult(connection, [Statement("select * from t where a = 7")])
        assert [one.verified for one in report.advice] == ["no"]
        assert "On a replica" in report.note
    finally:
        await connection.close()
