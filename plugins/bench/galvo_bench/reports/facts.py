"""What a run was: in facts, and how it is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from galvo_bench.reports.units import duration, number
from galvo_bench.results.machine import Machine
from galvo_bench.results.model import Run

METHOD = (
    "Everything is compared in the same run: in each round all candidates take short turns, in changing order.",
    "A ratio is the median of the turns' ratios to the baseline, the first row; its interval is 95 % sure (bootstrap).",
    "The baseline is there twice. What the two differ by is the machine's noise (A/A).",
    "Of time less is better, of speed and throughput more. What is counted is the same in every run.",
    "A peer that is not installed, or does not work here, is a row that says so.",
)
NAMES = {"cpu": "CPU", "postgres": "PostgreSQL", "postgresql": "PostgreSQL", "loop": "event loop", "python": "Python"}
"""Of the machine's fields; others are named as they are."""


def title(run: Run) -> str:
    return f"galvo, measured{' in part' if run.partial else ''}"


def headline(run: Run) -> str:
    """What a run says, in a sentence."""
    if not run.claims:
        subjects = len(run.done)
        return f"{subjects} subject{'s' * (subjects != 1)}, measured side by side"
    kinds = Counter(claim.verdict for claim in run.claims)
    held = kinds["beyond"] + kinds["met"]
    beyond = f", {kinds['beyond']} beyond our own goals" if kinds["beyond"] else ""
    return f"{held} of the mission's {len(run.claims)} claims hold{beyond}"


def left(run: Run) -> list[str]:
    """Subjects that are not measured and did not fail either."""
    failed = {problem.subject for problem in run.problems}
    return [name for name in run.chosen if name not in run.done and name not in failed]


def partial(run: Run) -> str:
    """What is missing, as a sentence; empty if nothing is."""
    if not run.partial:
        return ""
    waiting = left(run)
    found = f"{len(run.done)} of {len(run.chosen)} subjects are measured"
    return f"{found}; the run ended before {', '.join(waiting)}." if waiting else f"{found}."


def facts(run: Run) -> dict[str, str]:
    """When, how long and on what, without the libraries' versions."""
    found = {"began": run.began.replace("T", " ").replace("+00:00", " UTC"), "took": duration(run.seconds)}
    found["rounds"] = str(run.rounds)
    return found | {
        NAMES.get(name, name.replace("_", " ")): _text(value) for name, value in _fields(run.machine) if value
    }


def _fields(machine: Machine) -> Iterable[tuple[str, object]]:
    return ((name, value) for name, value in msgspec.structs.asdict(machine).items() if name != "libraries")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes"
    return number(value) if isinstance(value, int | float) else str(value)
