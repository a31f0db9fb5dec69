"""The demo's worker ends with the demo, however that ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from galvo import GalvoError
from galvo_engraving.demo.hand import hand
from tests.plugins.cache.coherence.own_redis import OwnRedis

DEMO = """
import asyncio, sys
from pathlib import Path
from galvo_engraving.demo.hand import hand
async def main():
    async with hand(Path(sys.argv[1]), sys.argv[2], "postgresql:///nowhere") as worker:
        print(worker.process.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def test_it_ends_when_the_demo_is_killed(tmp_path: Path, own_redis: OwnRedis) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DEMO, str(tmp_path), own_redis.url], stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        worker = psutil.Process(int(demo.stdout.readline()))
        while not (processes := worker.children(recursive=True)):
            assert worker.is_running()
        demo.kill()
    _, alive = psutil.wait_procs([worker, *processes], timeout=20)
    assert not alive


@pytest.mark.anyio
async def test_one_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(GalvoError, match=r"the worker for jobs has ended: galvo: .*broker"):
        async with hand(tmp_path, "", "postgresql:///nowhere") as worker:
            await worker.during(asyncio.Event().wait())
