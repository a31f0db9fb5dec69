"""A process that leaks, or does not: 20 minutes by a clock of its own, with its real memory. Prints what is said.

A look every 30 s. `python leaking_child.py list|nothing`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable

import anyio

from galvo import Context, Kernel
from galvo_memory import MemoryPlugin
from galvo_memory.signals import Sample, Sampler
from galvo_monitor.insights import Gathering, Insights
from tests.plugins.monitor.insights.stand import NOW, Numbers

KEPT: list[list[int]] = []
LOOK = 6
"""Samples, 5 s apart."""


def a_list() -> None:
    KEPT.extend([number] for number in range(1000))


def nothing() -> None:
    [[number] for number in range(1000)]


LEAKS: dict[str, Callable[[], None]] = {"list": a_list, "nothing": nothing}


async def main(leak: Callable[[], None]) -> None:
    settings = {"interval": 3600, "trace": 0, "answer": False, "tune_gc": False}
    async with Kernel.of({MemoryPlugin: settings}) as kernel:
        leaks = kernel.find_capability("memory")._watcher.leaks
        gathering, insights, sampler = Gathering(Context(kernel, "monitor")), Insights(interval=30.0), Sampler()
        known, said = None, []
        for number in range(240):
            leak()
            await asyncio.sleep(0)
            sample = sampler.sample()
            leaks.add(Sample(sample.rss, sample.limit, sample.used, 0.0, sample.blocks, number * 5.0))
            if known is None and leaks.verdict.kind != "none":
                known = number
            if number % LOOK == 0:
                found = insights.look(NOW + number * 5.0, Numbers(), gathering.facts())
                said += [(number, one.sentence, one.evidence, one.confidence) for one in found]
        print(json.dumps({"known": known, "said": said}))


if __name__ == "__main__":
    anyio.run(main, LEAKS[sys.argv[1]])
