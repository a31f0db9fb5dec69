"""Transitions as Alertmanager has them: its API v2, and its webhook of version 4."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from galvo_monitor import names
from galvo_monitor.alerts.transition import Transition
from galvo_monitor.insights.words import duration
from galvo_monitor.names import text

NEVER = "0001-01-01T00:00:00Z"
OURS = ("alertname", "severity")
"""A series may have attributes of these names: Prometheus calls such ones "exported_"."""


def posted(told: Sequence[Transition], until: float) -> bytes:
    """For POST /api/v2/alerts. `until`: seconds since the epoch, when what fires is over unless it is told again."""
    return msgspec.json.encode(
        [
            {
                "labels": labels(one),
                "annotations": _annotations(one),
                "startsAt": moment(one.since),
                "endsAt": moment(one.at if one.event == "resolved" else until),
            }
            for one in told
        ]
    )


def webhook(told: Sequence[Transition]) -> bytes:
    """What Alertmanager itself would send to a webhook."""
    alerts = [_alert(one) for one in told]
    firing = any(alert["status"] == "firing" for alert in alerts)
    return msgspec.json.encode(
        {
            "version": "4",
            "groupKey": "{}:{}",
            "truncatedAlerts": 0,
            "status": "firing" if firing else "resolved",
            "receiver": "galvo",
            "groupLabels": {},
            "commonLabels": _common([alert["labels"] for alert in alerts]),
            "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
            "externalURL": "",
            "alerts": alerts,
        }
    )


def labels(one: Transition) -> dict[str, str]:
    made = names.labels(pair for pair in one.labels if pair[1])
    given = {f"exported_{name}" if name in OURS else name: value for name, value in made.items()}
    return {**given, "alertname": one.name, "severity": one.severity}


def moment(at: float) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _alert(one: Transition) -> dict[str, Any]:
    given = labels(one)
    return {
        "status": "resolved" if one.event == "resolved" else "firing",
        "labels": given,
        "annotations": _annotations(one),
        "startsAt": moment(one.since),
        "endsAt": moment(one.at) if one.event == "resolved" else NEVER,
        "generatorURL": "",
        "fingerprint": hashlib.sha256(msgspec.json.encode(sorted(given.items()))).hexdigest()[:16],
    }


def _annotations(one: Transition) -> dict[str, str]:
    made = {"summary": text(one.sentence)}
    if one.value is not None:
        made["value"] = f"{one.value:g}"
    if one.event == "resolved":
        made["duration"] = duration(max(0.0, one.at - one.since))
    if one.peak is not None:
        made["peak"] = f"{one.peak:g}"
    return made


def _common(all_of_them: Sequence[dict[str, str]]) -> dict[str, str]:
    if not all_of_them:
        return {}
    return dict(sorted(set.intersection(*(set(one.items()) for one in all_of_them))))
