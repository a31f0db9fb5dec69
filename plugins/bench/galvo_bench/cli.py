"""`galvo bench`: galvo side by side with its peers, in one run, with the machine's noise beside."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
from collections.abc import Awaitable, Callable
from textwrap import wrap
from typing import Any

import msgspec

from galvo_bench import (
    buffers,
    chunks,
    codec,
    eviction,
    hot_path,
    images,
    invalidation,
    l2,
    monitoring,
    pooling,
    recording,
    resting,
    sizing,
    watching,
)  # fmt: skip
from galvo_bench.app import measure as app
from galvo_bench.indexing import cli as indexing_cli
from galvo_bench.report import Section, environment, show
from galvo_bench.stand import Stand, alone
from galvo_bench.tasks import broker, priorities, publishing, worker

Measure = Callable[[Stand], Awaitable[list[Section]]]
SUBJECTS: dict[str, Measure] = {
    "hit": hot_path.hit,
    "uncached": hot_path.uncached,
    "l2": l2.measure,
    "codec": codec.measure,
    "invalidation": invalidation.measure,
    "pool": pooling.measure,
    "sizing": sizing.measure,
    "watching": watching.measure,
    "recording": recording.measure,
    "resting": resting.measure,
    "monitoring": monitoring.measure,
    "images": images.measure,
    "chunks": chunks.measure,
    "buffers": buffers.measure,
    "priorities": priorities.measure,
    "broker": broker.measure,
    "worker": worker.measure,
    "publishing": publishing.measure,
    "app": app.measure,
    "eviction": eviction.measure,  # last: theine starts a thread
}


def main(argv: list[str]) -> int:
    """Exit code 0; a peer that is missing is a row that says so. `index` has options of its own."""
    if argv[:1] == ["index"]:
        with alone():
            return indexing_cli.main(argv[1:])
    parser = argparse.ArgumentParser(prog="galvo bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--rounds", type=int, default=21, help="rounds; every round runs each candidate once")
    parser.add_argument("--uvloop", action="store_true", help="on uvloop instead of asyncio's own loop")
    parser.add_argument("--url", default="", help="a PostgreSQL to use instead of the embedded one")
    parser.add_argument("--amqp", default="", help="a RabbitMQ to use instead of a private one of Debian's package")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    chosen = [name for name in SUBJECTS if not options.only or name in options.only]
    with alone():
        return run(Stand(options.url, options.rounds, options.amqp), chosen, as_json=options.json, fast=options.uvloop)


def run(stand: Stand, chosen: list[str], *, as_json: bool, fast: bool = False) -> int:
    """Measure and print; the stand is closed at the end. `fast`: on uvloop."""
    where = environment("uvloop" if fast else "asyncio's own loop")
    loop: Any = importlib.import_module("uvloop").new_event_loop if fast else None
    if not as_json:
        print(*wrap(where, 80), sep="\n", end="\n\n")
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            sections = runner.run(measure(stand, chosen, (lambda _: None) if as_json else show))
    finally:
        stand.close()
    if as_json:
        print(json.dumps({"environment": where, "sections": msgspec.to_builtins(sections)}))
    return 0


async def measure(stand: Stand, subjects: list[str], each: Callable[[Section], None]) -> list[Section]:
    """All sections of `subjects`, each also given to `each` as soon as it is known."""
    sections: list[Section] = []
    for name in subjects:
        stand.begin(name)
        found = await SUBJECTS[name](stand)
        stand.end()
        for section in found:
            each(section)
        sections += found
    return sections
