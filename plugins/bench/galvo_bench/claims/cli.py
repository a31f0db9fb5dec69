"""`galvo bench claims`: each promise of the mission, measured here and now, with plain beside and a verdict."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from galvo_bench.claims.claim import Claim
from galvo_bench.claims.judging import judged
from galvo_bench.claims.listed import CLAIMS, chosen
from galvo_bench.reports import table
from galvo_bench.reports.claims import show
from galvo_bench.results.model import Run, Section
from galvo_bench.running.carry import begun, carry_out
from galvo_bench.running.options import add_options, checked
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
    options = checked(made, argv)
    try:
        claims = chosen(options.names)
    except ValueError as unknown:
        made.error(str(unknown))
    rounds = options.rounds or (QUICK if options.quick else ROUNDS)
    run = begun(options, ["claims", *argv], [claim.name for claim in claims], rounds)
    return carry_out(options, run, [Row(claim, run) for claim in claims], lambda _: None, closing)


def closing(run: Run) -> None:
    if run.claims:
        show(run.claims)
    table.closing(run)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="galvo bench claims", description=__doc__)
    made.add_argument("names", nargs="*", metavar="CLAIM", help=", ".join(CLAIMS))
    made.add_argument("--quick", action="store_true", help=f"{QUICK} rounds: five minutes for all")
    add_options(made, f"default {ROUNDS}")
    return made
