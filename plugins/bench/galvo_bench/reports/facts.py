"""What a run was: in facts, and how it is measured."""

from __future__ import annotations

from collections import Counter

from galvo_bench.reports.units import duration, number
from galvo_bench.results.model import Run

METHOD = (
    "Everything is compared in the same run: in each round all candidates take short turns, in changing order.",
    "A ratio is the median of the turns' ratios to the baseline, the first row; its interval is 95 % sure (bootstrap).",
    "The baseline is there twice; what the two differ by is noise (A/A). Unsure: that, or few rounds, leave it open.",
    "Of time less is better, of speed and throughput more. What an exact table counts is the same in every run.",
    "A peer that is not installed, or does not work here, is a row that says so.",
)
NAMES = {
    "cpu": "CPU", "cores": "cores", "memory": "memory", "system": "system", "python": "Python", "loop": "event loop",
    "postgres": "PostgreSQL", "redis": "Redis", "commit": "commit", "settings": "settings", "load": "load before",
}  # fmt: skip
"""Of the machine's fields, in this order."""


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
    for field, name in NAMES.items():
        if value := getattr(run.machine, field):
            found[name] = value if isinstance(value, str) else number(value)
    return found
