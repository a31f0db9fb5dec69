"""How much the process grows at most, measured in a child of its own. Reads cases from stdin, as JSON."""

from __future__ import annotations

import asyncio
import ctypes
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec


def measured(cases: list[dict[str, Any]], project: Path) -> list[dict[str, Any]]:
    """Each case with `peak` and `estimate` in bytes, or `error`. A case: path, width, route, format, grey."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.plugins.memory.images.peak"],
        input=json.dumps(cases), capture_output=True, text=True, check=False, cwd=project,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def status(field: str) -> int:
    """Bytes of a line of /proc/self/status."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def rested() -> int:
    """RSS in bytes after what is free was given back; from now on a new peak is kept."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


async def measure(case: dict[str, Any]) -> dict[str, Any]:
    from galvo_memory import images
    from galvo_memory.images import plan as planning
    from galvo_memory.images import work

    width, grey = case["width"], case.get("grey", False)
    if case.get("route") == "pillow":
        planning.vips = lambda: None
    estimates: list[int] = []
    original = work.estimate
    work.estimate = lambda *given: estimates.append(original(*given)) or estimates[-1]  # type: ignore[func-returns-value]
    limits = images.Limits(pixels=1 << 28)

    async def run(path: str) -> None:
        if grey:
            await images.raster(path, width_mm=width, dots_per_mm=1, limits=limits)
        else:
            await images.thumbnail(path, width=width, format=case.get("format", "jpeg"), limits=limits)

    try:
        await run(case["warm"])
        before = rested()
        await run(case["path"])
    except images.ImageProblem as error:
        return case | {"error": str(error)}
    finally:
        work.estimate = original
    return case | {"peak": status("VmHWM") - before, "estimate": estimates[-1]}


async def main() -> None:
    cases = json.loads(sys.stdin.read())
    sys.stdout.write(msgspec.json.encode([await measure(case) for case in cases]).decode())


if __name__ == "__main__":
    asyncio.run(main())
