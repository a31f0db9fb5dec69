"""Known traps, each found by a function that takes a `Case` and gives traps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from galvo_tasks.config.checks import acceptance, delivery, order, results, server, tasks
from galvo_tasks.config.checks.case import Case
from galvo_tasks.config.trap import Trap

__all__ = ["OF_CONFIGURATION", "OF_SERVER", "Case"]

OF_CONFIGURATION: tuple[Callable[[Case], Iterator[Trap]], ...] = (
    acceptance.formats,
    order.default_priority,
    order.steps,
    order.queues,
    delivery.acknowledgement,
    delivery.prefetch,
    delivery.visibility,
    delivery.timeouts,
    results.kept,
    results.wanted,
    results.events,
    tasks.strangers,
    tasks.doubles,
    tasks.classes,
    tasks.priorities,
    tasks.rates,
    tasks.limits,
    tasks.threads,
)
OF_SERVER: tuple[Callable[[Case], Iterator[Trap]], ...] = (server.eviction, server.persistence, server.role)
