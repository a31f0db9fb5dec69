"""What `galvo doctor` says of memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from galvo import Finding
from galvo.sizes import show
from galvo_memory.signals import Sample
from galvo_memory.signals.bound import Bound

HIGH, CRITICAL = 0.85, 0.95
WAITING = 10.0
"""Percent of the last 10 s in which somebody waited for memory."""


def checkup(sample: Sample, problems: Sequence[str]) -> list[Finding]:
    return [*_findings(sample), *(Finding("not seen", problem) for problem in problems)]


def _findings(sample: Sample) -> Iterator[Finding]:
    for bound in sample.bounds:
        yield _of_bound(bound)
    if not sample.bounds:
        yield Finding("limit", "not known", "advice", "set limit under [memory]: without one nobody knows what is near")
    if sample.psi_some10 >= WAITING:
        found = f"somebody waits for memory {sample.psi_some10:.0f} % of the time"
        yield Finding("pressure", found, "advice", "this machine or its control group needs more memory, or less load")


def _of_bound(bound: Bound) -> Finding:
    found = f"{show(bound.used)} of {show(bound.limit)} used ({bound.name})"
    verdict: Literal["ok", "advice", "problem"] = (
        "problem" if bound.share >= CRITICAL else "advice" if bound.share >= HIGH else "ok"
    )
    raised = "raise limit under [memory]" if bound.name == "[memory] limit" else f"free memory, or raise {bound.name}"
    return Finding("limit", found, verdict, "" if verdict == "ok" else raised)
