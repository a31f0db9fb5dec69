"""What a plugin can see of the others."""

from __future__ import annotations

import pytest

from galvo import Kernel, Plugin

pytestmark = pytest.mark.anyio


class Looks(Plugin):
    name = "looks"
    provides = ("looks",)


class Counts(Plugin):
    name = "counts"

    def stats(self) -> dict[str, float]:
        return {"bytes": 7}


async def test_who_runs_and_what_they_count() -> None:
    async with Kernel.of({Looks: {}, Counts: {}}) as kernel:
        context = kernel.find_capability("looks").context
        assert context.running() == ["looks", "counts"]
        assert context.plugin_stats("counts") == {"bytes": 7}
        await kernel.disable("counts")
        assert context.running() == ["looks"]
        assert context.plugin_stats("counts") == {}
