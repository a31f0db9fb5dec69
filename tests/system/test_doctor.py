"""`galvo doctor` beside real servers, and beside none."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import forking

PLUGINS = ("cache", "embedded", "pool", "index", "memory", "monitor", "tasks")


def doctor(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return forking.galvo("doctor", *words, folder=folder, **variables)


def told(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """Findings by section and subject."""
    return {
        part["about"]: {one["subject"]: one for one in part["findings"]} for part in json.loads(done.stdout)["sections"]
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of an application that lists the plugins of this repository."""
    lines = [f'[[plugin]]\nname = "{name}"\ntarget = "galvo_{name}:{name.title()}Plugin"\n' for name in PLUGINS]
    (tmp_path / "entrypoints.toml").write_text("\n".join(lines))
    return tmp_path


@pytest.mark.anyio
async def test_servers_that_are_well(dsn: str, servers: Any, folder: Path) -> None:
    redis = await servers.redis()
    done = doctor(
        folder, "--json", GALVO_POOL__URL=dsn, GALVO_POOL__MIN_SIZE="1", GALVO_CACHE__REDIS=redis,
        GALVO_TASKS__APP="shop:app", GALVO_TASKS__BROKER=redis, PYTHONPATH=str(folder),
    )  # fmt: skip
    assert done.returncode == 1, "shop cannot be imported"
    found = told(done)
    assert found["plugins"]["tasks"]["verdict"] == "problem"
    assert "shop" in found["plugins"]["tasks"]["advice"]
    assert found["versions"]["entrypoints.toml"]["verdict"] == "advice", "it has no versions"
    assert found["pool"]["PostgreSQL"]["verdict"] == "ok"
    assert found["pool"]["connections"]["found"].endswith("max_size = auto")
    assert found["cache"]["Redis"]["verdict"] == "ok"
    assert found["cache"]["way to Redis"]["found"] == "stays on this machine"
    assert "used" in found["memory"]["limit"]["found"]
    assert found["index"]["database"]["found"].endswith("`galvo index health` follows all")
    assert "rules" in found["monitor"]["alerts"]["found"]

    (folder / "shop.py").write_text("from galvo_tasks import celery_app\napp = celery_app('shop')\n")
    done = doctor(
        folder, "--json", GALVO_POOL__URL=dsn, GALVO_POOL__MAX_SIZE="1000",
        GALVO_TASKS__APP="shop:app", GALVO_TASKS__BROKER=redis, PYTHONPATH=str(folder),
    )  # fmt: skip
    found = told(done)
    assert done.returncode == 1, "a pool that the server has no places for"
    assert found["pool"]["connections"]["verdict"] == "problem"
    assert "max_size = 1000 under [pool] can never be reached" in found["pool"]["connections"]["advice"]
    assert found["tasks"]["broker"]["found"].startswith("Redis ")


def test_servers_that_are_away(folder: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    done = doctor(
        folder,
        GALVO_EMBEDDED__ON="false",
        GALVO_POOL__URL=f"postgresql://me:hunter2@127.0.0.1:{port}/shop", GALVO_POOL__REQUIRED="true",
        GALVO_CACHE__REDIS=f"redis://me:hunter2@127.0.0.1:{port}/0",
    )  # fmt: skip
    assert done.returncode == 1
    assert not done.stderr
    assert "hunter2" not in done.stdout
    said = " ".join(done.stdout.split())
    assert (
        f"nothing listens at 127.0.0.1:{port}/shop: set url under [pool] (or GALVO_POOL__URL), or start the server"
        in said
    )
    assert "problem Redis does not answer -> start it, or correct redis under [cache]" in said
    assert "memory ok limit" in said, "the others are told all the same"
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.splitlines()[-1].startswith("2 problems, ")
