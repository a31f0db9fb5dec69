"""What `galvo doctor` says of the monitor."""

from __future__ import annotations

from collections.abc import Iterable

from galvo import Finding
from galvo_monitor.settings import MonitorSettings


def checkup(settings: MonitorSettings, rules: int, problems: Iterable[str]) -> list[Finding]:
    """`problems`: sentences, of what could not be looked at."""
    told = [name for name in ("webhook", "alertmanager") if getattr(settings, name).get_secret_value()]
    where = f"told to the {' and the '.join(told)}" if told else "told nobody (webhook, alertmanager under [monitor])"
    kept = "in the database too" if settings.history else "in this process only"
    shared = "added up with other processes" if settings.redis.get_secret_value() else "of this process alone"
    return [
        Finding("alerts", f"{rules} rules, {where}"),
        Finding("figures", f"{shared}, kept {kept}"),
        *(Finding("not seen", problem, "advice", "see `galvo status`") for problem in problems if problem),
    ]
