"""The estimate is an upper bound of what a real process needs, and not a wild one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from galvo_memory.images.vips import vips
from tests.plugins.memory.images.peak import measured
from tests.plugins.memory.images.pictures import PICTURES, made

LONG = bool(os.environ.get("GALVO_MEMORY_LONG"))
SIZE = (4000, 3000) if LONG else (3000, 2000)
SOME = ("jpeg", "jpeg progressive 4:4:4", "png palette")
WANTED = ((100, "jpeg", False), (900, "webp", False), (1600, "png", False), (1600, "", True), (2400, "jpeg", False))


@pytest.mark.timeout(3600 if LONG else 120)
@pytest.mark.parametrize("name", PICTURES if LONG else SOME)
def test_it_holds(name: str, tmp_path: Path, project: Path) -> None:
    (tmp_path / "picture").write_bytes(made(name, *SIZE))
    (tmp_path / "small").write_bytes(made(name, 60, 40))
    routes = ("pillow",) if name[:3] in ("jpe", "gif") or vips() is None else ("pillow", "vips")
    cases = [
        {"path": str(tmp_path / "picture"), "warm": str(tmp_path / "small"), "route": route}
        | {"width": width, "format": output, "grey": grey}
        for route in routes
        for width, output, grey in (WANTED if LONG else WANTED[:4:3])
    ]
    found = [run for case in cases for run in measured([case], project)] if LONG else measured(cases, project)
    for run in found:
        assert 0 < run["peak"] <= run["estimate"], run
        assert run["estimate"] < 3 * run["peak"] + (64 << 20), run


def test_without_pyvips(tmp_path: Path, project: Path) -> None:
    """In a process that cannot import it."""
    (tmp_path / "picture.png").write_bytes(made("png"))
    code = (
        "import sys, asyncio; sys.modules['pyvips'] = None\n"
        "from galvo_memory.images import thumbnail\n"
        f"sys.stdout.buffer.write(asyncio.run(thumbnail({str(tmp_path / 'picture.png')!r}, width=20)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=project)
    assert done.stdout.startswith(b"\xff\xd8")
