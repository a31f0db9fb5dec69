"""Settings that change at random under load, by SIGHUP, by the socket and by the kernel: nothing is lost or wrong."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import asyncpg

from galvo_embedded import Servers
from tests.thorough import THOROUGH

CHANGES = 1000 if THOROUGH else 20


def test_random_reloads_under_load(dsn: str, servers: Servers, project: Path, tmp_path: Path) -> None:
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings/galvo.toml").write_text(
        f'[tasks]\non = false\n[embedded]\non = false\n[pool]\nurl = "{dsn}"\n'
    )
    shutil.copy(project / "entrypoints.toml", tmp_path)
    redis = asyncio.run(servers.redis())
    with (tmp_path / "log").open("w") as log:
        done = subprocess.run(
            [sys.executable, "-W", "default", "-m", "tests.system.processes.reloaded", tmp_path, str(CHANGES), "1"],
            # A short lease: what is in Redis counts only one lease after each join, and the next change comes soon.
            # And short waits for writes whose end nobody knows, as of those that are cancelled beside a shadow.
            env=os.environ
            | {"DATABASE_URL": dsn, "PYTHONPATH": str(project)}
            | {"GALVO_CACHE__REDIS": redis, "GALVO_CACHE__LEASE": "0.2", "GALVO_CACHE__UNKNOWN_OUTCOME": "0.5"},
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    log_text = (tmp_path / "log").read_text()
    assert done.returncode == 0, log_text
    told = json.loads(done.stdout)
    print(json.dumps(told, indent=1))
    assert told["lost"] == []
    assert told["wrong"] == []
    assert told["surprises"] == []
    assert told["faults"] == {}
    assert told["changes"]["done"] + told["changes"]["refused"] == CHANGES
    assert min(told["changes"]["done"], told["changes"]["refused"]) >= CHANGES / 10
    assert told["hits"] > told["asked"] / 10
    assert told["after"]["pending_remote"] == 0
    for what in ("tasks", "threads", "fds", "connections"):
        assert told["after"][what] <= told["before"][what], what
    assert told["left"] == []
    assert told["tasks left"] == 0
    for alarm in ("Traceback", "never retrieved", "never awaited", "ResourceWarning", "was a wrong"):
        assert alarm not in log_text, log_text
    assert asyncio.run(connections(dsn)) == 0


async def connections(dsn: str) -> int:
    """Of galvo's, once its process has ended."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(
            await connection.fetchval("select count(*) from pg_stat_activity where application_name like 'galvo%'")
        )
    finally:
        await connection.close()
