"""Ways to plan that somebody has forbidden."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case


def find(case: Case) -> Iterator[Finding]:
    for name, value in sorted(case.plan.settings.items()):
        if name.startswith("enable_") and value == "off":
            yield Finding(
                "disabled-method",
                name,
                f"{name} is off, so the planner must avoid what may be the best plan.",
                "Set it to its default, and correct what it was to work around.",
                f"reset {name}",
                evidence={"setting": name},
            )
