from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.plugins.tasks.stand import PROJECT
from tests.thorough import THOROUGH

FORKS = 300 if THOROUGH else 16


def test_no_child_hangs_and_the_loop_goes_on(tmp_path: Path) -> None:
    """What the loop holds at the fork, and its epoll, are no child's: see forking.py."""
    (tmp_path / "settings").mkdir()
    off = "".join(f"[{name}]\non = false\n" for name in ("embedded", "monitor"))
    (tmp_path / "settings" / "galvo.toml").write_text(off)
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.plugins.tasks.scaling.forking", str(FORKS)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=115,
    )
    assert found.stdout.splitlines()[:1] == [f"codes {{0: {FORKS}}} late 0 lives True"], found.stderr[-2000:]
