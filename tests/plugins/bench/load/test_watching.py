"""Memory over time of a real process."""

from __future__ import annotations

from pathlib import Path

import pytest

from galvo_bench.load import watching
from galvo_bench.load.processes import child
from galvo_bench.load.watching import watched

pytestmark = pytest.mark.anyio
GROWS = "galvo_bench_test_grows"
MIB = 1 << 20


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_a_process_takes_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from galvo_bench.load.lines import say\nimport sys\nsay({'ready': 1})\nsys.stdin.readline()\n"
        "kept = b'x' * (64 << 20)\nsay({'holds': len(kept)})\nsys.stdin.read()\n"
    )
    (tmp_path / f"{GROWS}.py").write_text(code)
    monkeypatch.setattr(watching, "EVERY", 60.0)
    async with child("it", GROWS, env={"PYTHONPATH": str(tmp_path)}) as process:
        await process.hear()
        async with watched({"it": process}) as looks:
            process.tell({"grow": True})
            assert (await process.hear())["holds"] == 64 * MIB
        (began, before), (ended, after) = looks["it"]
        assert 0 <= began <= ended
        assert after - before == pytest.approx(64, abs=2)
        assert process.peak_mib() >= after
