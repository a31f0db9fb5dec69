"""Whether verdicts are to be believed: of the same operation twice, and of the same made 1.2 times as often."""

from __future__ import annotations

from galvo_bench.method.rounds import Candidate, Clock, Operation, compare
from galvo_bench.method.verdict import Verdict, verdicts

COUNTED, MADE = 5, 6
"""A planted slowdown of 20 %: so many operations are made for so many that count."""


async def tried(operation: Operation, repeats: int, rounds: int, clock: Clock) -> tuple[Verdict, Verdict]:
    """What is said of the operation against itself (should be "same"), and against itself slowed down ("slower")."""
    calls = max(1, repeats // COUNTED)
    rows = await compare(
        [
            Candidate("the operation", _times(operation, COUNTED), calls, COUNTED),
            Candidate("itself", _times(operation, COUNTED), calls, COUNTED),
            Candidate("slowed down", _times(operation, MADE), calls, COUNTED),
        ],
        rounds,
        clock,
    )
    said = verdicts(rows)
    return said["itself"], said["slowed down"]


def _times(operation: Operation, number: int) -> Operation:
    async def several() -> None:
        for _ in range(number):
            await operation()

    return several
