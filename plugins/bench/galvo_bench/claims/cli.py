"""`galvo bench claims`: each promise of the mission, measured here and now, with plain beside and a verdict."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from shlex import join

import msgspec

from galvo_bench.claims.claim import Claim
from galvo_bench.claims.judging import judged
from galvo_bench.claims.listed import CLAIMS, chosen
from galvo_bench.reports.claims import show
from galvo_bench.results.machine import machine
from galvo_bench.results.model import Run, Section
from galvo_bench.running.run import measure
from galvo_bench.running.stand import Stand
from galvo_bench.running.subjects import Measure

ROUNDS, QUICK = 21, 7


class Row:
    """A claim as a run knows its subjects: its verdict is added to the run's as soon as it is known."""

    def __init__(self, claim: Claim, run: Run) -> None:
        self.name, self.disk = claim.name, claim.disk
        self._claim, self._run = claim, run

    def measure(self) -> Measure:
        async def measured(stand: Stand) -> list[Section]:
            found = await self._claim.measure()(stand)
            self._run.claims.append(judged(self._claim, found))
            return found.sections

        return measured


def main(argv: Sequence[str]) -> int:
    """1: a claim is missed, or could not be measured."""
    made = parser()
    options = made.parse_args(argv)
    try:
        claims = chosen(options.names)
    except ValueError as unknown:
        made.error(str(unknown))
    rounds = options.rounds or (QUICK if options.quick else ROUNDS)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    run = Run(join(["galvo", "bench", "claims", *argv]), began, machine(), rounds, [claim.name for claim in claims])
    stand = Stand(options.url, rounds)
    try:
        asyncio.run(measure(run, stand, [Row(claim, run) for claim in claims], lambda _: None))
    finally:
        stand.close()
    if options.json:
        print(msgspec.json.encode(run).decode())
    else:
        show(run.claims)
    return 1 if run.problems or any(claim.verdict == "missed" for claim in run.claims) else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="galvo bench claims", description=__doc__)
    made.add_argument("names", nargs="*", metavar="CLAIM", help=", ".join(CLAIMS))
    made.add_argument("--quick", action="store_true", help=f"{QUICK} rounds, five minutes in all")
    made.add_argument("--rounds", type=int, default=0, help=f"rounds of each (default {ROUNDS})")
    made.add_argument("--url", default="", help="a PostgreSQL to use instead of the embedded one")
    made.add_argument("--json", action="store_true", help="print JSON")
    return made
