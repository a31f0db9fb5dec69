"""Ways to ask for "urgent before bulk": those that are common, those that are wrong, and galvo's."""

from __future__ import annotations

from typing import Any

import msgspec

from galvo_bench.tasks.workers import Way
from galvo_tasks import Priority

Ask = dict[str, Any]
"""Arguments of `apply_async`, or Celery's settings."""
NONE: Ask = {}


class Trap(msgspec.Struct, frozen=True):
    """A worker, and how tasks of both kinds are asked for."""

    way: Way
    bulk: Ask = {}
    urgent: Ask = {}


def _plain(
    name: str, bulk: Ask | int | None, urgent: Ask | int | None, settings: Ask = NONE, words: tuple[str, ...] = ()
) -> Trap:
    asks = [{} if ask is None else {"priority": ask} if isinstance(ask, int) else ask for ask in (bulk, urgent)]
    return Trap(Way(name, dict(settings), words), *asks)


SERIAL: Ask = {"worker_prefetch_multiplier": 1}
LATE: Ask = {**SERIAL, "task_acks_late": True}
NO_PREFETCH: Ask = {"worker_disable_prefetch": True}
EVERY: Ask = {"broker_transport_options": {"priority_steps": list(range(10))}}
IN_ORDER: Ask = {"broker_transport_options": {"queue_order_strategy": "priority"}}
IN_TURN: Ask = {"broker_transport_options": {"queue_order_strategy": "round_robin"}}
ORDER = ("-Q", "urgent,bulk")
CLASSES = ("--class", "quick", "--class", "bulk")
TWO: tuple[Ask, Ask] = ({"queue": "bulk"}, {"queue": "urgent"})
OURS = (
    Trap(Way("galvo", galvo=True), {"priority": Priority.BULK}, {"priority": Priority.URGENT}),
    Trap(Way("galvo, bulk without priority", galvo=True), {}, {"priority": Priority.URGENT}),
)

REDIS = (
    *OURS,
    Trap(Way("galvo, two classes in one worker", words=CLASSES, galvo=True), {"queue": "{name}.bulk"}),
    _plain("no priorities", None, None),
    _plain("bulk 9, urgent 0", 9, 0),
    _plain("the same, prefetch 1", 9, 0, SERIAL),
    _plain("the same, prefetch 1, late ack", 9, 0, LATE),
    _plain("the same, worker_disable_prefetch", 9, 0, NO_PREFETCH),
    _plain("bulk 0, urgent 9 (RabbitMQ's habit)", 0, 9, LATE),
    _plain("bulk without priority, urgent 0", None, 0, LATE),
    _plain("the same, task_default_priority 6", None, 0, LATE | {"task_default_priority": 6}),
    _plain("bulk 2, urgent 0, steps 0 3 6 9", 2, 0, LATE),
    _plain("the same, steps 0 to 9", 2, 0, LATE | EVERY),
    _plain("two queues", *TWO, NONE, ORDER),
    _plain("two queues in turn, no prefetch", *TWO, NO_PREFETCH | IN_TURN, ORDER),
    _plain("two queues in order, no prefetch", *TWO, NO_PREFETCH | IN_ORDER, ORDER),
    _plain("the same, -Q bulk,urgent", *TWO, NO_PREFETCH | IN_ORDER, ("-Q", "bulk,urgent")),
)  # fmt: skip
"""Of Redis' lists, 0 is the most urgent one."""

RANKED: Ask = {"task_queue_max_priority": 9}
RABBITMQ = (
    *OURS,
    _plain("bulk 0, urgent 9, no x-max-priority", 0, 9, LATE),
    _plain("bulk 0, urgent 9", 0, 9, RANKED),
    _plain("the same, prefetch 1", 0, 9, RANKED | SERIAL),
    _plain("the same, prefetch 1, late ack", 0, 9, RANKED | LATE),
    _plain("bulk 9, urgent 0 (Redis' habit)", 9, 0, RANKED | LATE),
    _plain("bulk without priority, urgent 0", None, 0, RANKED | LATE),
)
"""Of its messages, those of priority 9 are the most urgent."""
