"""What `galvo doctor` says of the application's tasks and their broker."""

from __future__ import annotations

from typing import Any

from celery import Celery

from galvo import Finding
from galvo_tasks.config.check import check
from galvo_tasks.config.server import server
from galvo_tasks.errors import NoBroker


def checkup(app: Celery[Any] | None) -> list[Finding]:
    """As `galvo tasks check` does. Blocks for some seconds at most."""
    if app is None:
        return [Finding("tasks", "none: app or broker under [tasks] is empty")]
    try:
        said = server(str(app.conf.broker_url))
    except NoBroker as error:
        return [Finding("broker", "does not answer", "problem", str(error)), *_traps(app, None)]
    connected = "" if said.connected is None else f", {said.connected} of {said.most or '?'} connections"
    policy = f", maxmemory-policy {said.policy}" if said.policy else ""
    return [Finding("broker", f"{said.title}{policy}{connected}"), *_traps(app, said)]


def _traps(app: Celery[Any], said: Any) -> list[Finding]:
    return [
        Finding(trap.name, "no worker would start" if trap.fatal else "goes wrong",
                "problem" if trap.fatal else "advice", trap.text)
        for trap in check(app, said)
    ]  # fmt: skip
