"""Under a hard limit a process with the plugin goes on, and one without it ends: the same program, the same load.

By default for longer than the one without has lived, with an export of 100,000 rows; GALVO_MEMORY_LONG=1 is a minute,
and a million.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import pytest

from tests.plugins.memory.relief.host import LIMIT

MINUTE = 60.0
# Read when it is imported: `clean_environment` removes it.
LONG = os.environ.get("GALVO_MEMORY_LONG") == "1"
ROWS = 1_000_000 if LONG else 100_000


def host(
    project: Path, url: str, seconds: float, memory: Literal["with", "without"]
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.plugins.memory.relief.host", url, str(seconds), str(ROWS), memory]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=110)


@pytest.mark.timeout(300)
def test_only_the_plugin_keeps_it_alive(dsn: str, project: Path) -> None:
    began = monotonic()
    without = host(project, dsn, MINUTE, "without")
    lived = monotonic() - began
    assert without.returncode == 1, without.stdout
    assert "MemoryError" in without.stderr

    survivor = host(project, dsn, MINUTE if LONG else lived, "with")
    assert survivor.returncode == 0, survivor.stderr
    assert "MemoryError" not in survivor.stderr
    told: dict[str, Any] = json.loads(survivor.stdout)
    assert told["exported"] >= ROWS
    assert told["reliefs"] >= 1
    assert told["faults"] == 0
    assert 0 < told["budget"] < LIMIT, "what the cache was set to would not have fitted"
    assert told["hits"] > 0, "and it keeps answers all the same"
    print(f"without: {lived:.1f} s; with: {told['requests']:,} requests, {told['exported']:,} rows\n{survivor.stderr}")
