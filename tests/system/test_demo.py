"""`galvo run demo` as people run it: to the end, interrupted, killed, and again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import reachable_folder

COMMAND = [
    str(Path(sys.executable).parent / "galvo"),
    "run",
    "demo",
    "--seconds",
    "1",
    "--scale",
    "0.05",
    "--serve",
    "0",
]


@pytest.fixture(scope="module")
def shop() -> Iterator[Path]:
    """One working directory for all of them, so that each starts from what the last one left."""
    with reachable_folder() as folder:
        yield folder


def start(shop: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, *arguments], cwd=shop, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_then_again(shop: Path) -> None:
    """`kill -9` in the middle leaves nothing to clean by hand, and nothing running."""
    victim = start(shop)
    wait_for_workers(victim)
    children = psutil.Process(victim.pid).children(recursive=True)
    victim.kill()
    victim.communicate()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive

    again = start(shop, "--json")
    out, err = again.communicate(timeout=100)
    assert again.returncode == 0, err
    result = json.loads(out)
    assert result["wrong_answers"] == 0
    assert result["checked_hits"] > 100
    assert result["errors"] == 0
    plain, again_, pool, full = (mode["database_queries_per_request"] for mode in result["modes"])
    assert plain == pytest.approx(pool, rel=0.05)
    assert plain == pytest.approx(again_, rel=0.05)
    assert full < plain / 2
    check_jobs(result["jobs"])


def check_jobs(told: dict[str, Any]) -> None:
    assert "error" not in told, told
    assert told["submitted"]["jobs"] == 24
    assert told["urgent"]["bulk_ended_meanwhile"] <= 1, "urgent jobs wait for one that runs already, for no other"
    assert told["urgent"]["bulk_left"] > 0
    assert told["estimates"]
    assert told["cancelled"]["state"] == "cancelled"
    assert told["cancelled"]["waiting"] > 0
    assert told["progress"][-1] == 1.0
    assert (told["result"]["width"], told["result"]["height"]) == (5_000, 3_333)


def test_interrupted(shop: Path) -> None:
    """Ctrl-C: one line, exit code 130, nothing left."""
    victim = start(shop)
    wait_for_workers(victim)
    children = psutil.Process(victim.pid).children(recursive=True)
    victim.send_signal(signal.SIGINT)
    _, err = victim.communicate(timeout=30)
    assert victim.returncode == 130
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def wait_for_workers(demo: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while sum("galvo_engraving.worker" in words(child) for child in psutil.Process(demo.pid).children()) < 2:
        assert demo.poll() is None, demo.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.05)


def words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def test_all_it_says_fits_80_columns_and_then_the_shop_is_served(shop: Path, project: Path) -> None:
    shutil.copy(project / "entrypoints.toml", shop)
    done = subprocess.run(
        [*COMMAND, "--seconds", "0.2", "--serve", "0.5"],
        cwd=shop,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("galvo: ")]  # others are the log's
    assert max(map(len, [*done.stdout.splitlines(), *told])) <= 80
    assert "engraving is on http://127.0.0.1:" in done.stderr
    assert done.stderr.endswith("stopped; nothing is left running\n")
    for words in (
        "plain asyncpg",
        "pool + cache",
        "hit ratio",
        "peak RSS MiB",
        "wrong answers: 0 of",
        "jobs on one worker",
        "  result  ",
    ):
        assert words in done.stdout
