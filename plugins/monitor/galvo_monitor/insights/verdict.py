"""One sentence to read first, and a status."""

from __future__ import annotations

from collections.abc import Sequence

from galvo_monitor.view import Alert, Insight, Status

ORDER = {"critical": 0, "warning": 1, "info": 2}


def verdict(alerts: Sequence[Alert], insights: Sequence[Insight]) -> tuple[Status, str]:
    """Alerts decide on the status, insights never do: they are right most of the time. Silenced alerts count as none.

    The sentence is the worst alert's, the oldest first, with what else is known.
    """
    firing = [alert for alert in alerts if alert.state == "firing" and not alert.silenced]
    firing.sort(key=lambda alert: (ORDER[alert.severity], alert.since))
    known = insights[0].sentence if insights else ""
    if not firing:
        return "ok", f"No alert is firing. {_begun(known)}" if known else "No alert is firing."
    worst = firing[0]
    sentence = _begun(worst.sentence)
    if len(firing) > 1:
        others = len(firing) - 1
        sentence += f" {others} more {'alert is' if others == 1 else 'alerts are'} firing."
    if known:
        sentence += f" {_begun(known)}"
    status: Status = worst.severity if worst.severity != "info" else "ok"
    return status, sentence


def _begun(sentence: str) -> str:
    """As a sentence of its own."""
    begun = sentence[:1].upper() + sentence[1:]
    return begun if begun.endswith((".", "!", "?")) else f"{begun}."
