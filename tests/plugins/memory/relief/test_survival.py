"""Under a hard limit a process with the plugin goes on, and one without it ends: the same program, the same load.

By default until it has kept more than fits, with an export of 100,000 rows; GALVO_MEMORY_LONG=1 is ten times as much.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.plugins.memory.relief.host import LEAST, LIMIT, USERS

# Read when it is imported: `clean_environment` removes it.
LONG = os.environ.get("GALVO_MEMORY_LONG") == "1"
ROWS = 1_000_000 if LONG else 100_000
IMAGES = LIMIT // LEAST + USERS
"""More than the limit has room for, however small they are."""


def host(project: Path, url: str, images: int, memory: Literal["with", "without"]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.plugins.memory.relief.host", url, str(images), str(ROWS), memory]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=110)


@pytest.mark.timeout(300)
def test_only_the_plugin_keeps_it_alive(dsn: str, project: Path) -> None:
    without = host(project, dsn, IMAGES, "without")
    assert without.returncode == 1, without.stdout
    assert "MemoryError" in without.stderr

    survivor = host(project, dsn, 10 * IMAGES if LONG else IMAGES, "with")
    assert survivor.returncode == 0, survivor.stderr
    assert "MemoryError" not in survivor.stderr
    told: dict[str, Any] = json.loads(survivor.stdout)
    assert told["exported"] >= ROWS
    assert told["reliefs"] >= 1
    assert told["faults"] == 0
    assert 0 < told["budget"] < LIMIT, "what the cache was set to would not have fitted"
    assert told["hits"] > 0, "and it keeps answers all the same"
    print(f"{told['requests']:,} requests, {told['exported']:,} rows\n{survivor.stderr}")
