"""How many tasks of each class one worker runs at once on this machine."""

from __future__ import annotations

from typing import Any

from celery import Celery

from galvo_tasks.config.memory import Memory
from galvo_tasks.config.processors import processors
from galvo_tasks.scaling.crew import Crew
from galvo_tasks.scaling.plan import PYTHON, Plan, planned


def at_once(app: Celery[Any], runtime: str, room: Memory) -> Plan:
    """If it were the only worker here."""
    crew = Crew(app, [runtime])
    return planned(
        cpus=processors().usable,
        most=crew.most,
        limit=room.limit or None,
        others=room.used,
        each=crew.memory + PYTHON * crew.processes,
    )
