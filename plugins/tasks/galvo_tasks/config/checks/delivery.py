"""Whether a task is lost, held back or run twice on its way."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_tasks.config.checks.case import Case
from galvo_tasks.config.trap import Trap

KOMBU_VISIBILITY = 3600.0
"""Seconds after which kombu's own Redis transport gives a task to another worker though the first still has it."""


def acknowledgement(case: Case) -> Iterator[Trap]:
    if not case.conf.task_acks_late:
        text = "False acknowledges a task before it runs, so that it is lost with its worker: set it to True"
        yield Trap("task_acks_late", text)
    elif early := [name for name, task in case.tasks.items() if not task.acks_late]:
        text = "acks_late=False acknowledges it before it runs, so that it is lost with its worker: leave it out"
        yield from (Trap(name, text) for name in early)
    if case.conf.worker_cancel_long_running_tasks_on_connection_loss:
        text = "True ends tasks that run whenever the broker's connection drops: set it to False"
        yield Trap("worker_cancel_long_running_tasks_on_connection_loss", text)


def prefetch(case: Case) -> Iterator[Trap]:
    number = case.conf.worker_prefetch_multiplier
    if number != 1:
        held = "all that wait" if not number else f"{number} tasks per process"
        text = f"{number} takes {held} before they can run, and nothing more urgent overtakes those: set it to 1"
        yield Trap("worker_prefetch_multiplier", text)
    if case.kind == "redis" and not case.conf.worker_disable_prefetch:
        text = "False takes a task from Redis before a process is free for it: set it to True"
        yield Trap("worker_disable_prefetch", text, fatal=False)


def visibility(case: Case) -> Iterator[Trap]:
    """A lease is renewed while its worker lives; the visibility timeout of kombu's own transport is not."""
    if case.kind != "redis":
        return
    name, given = "broker_transport_options", case.options.get("visibility_timeout")
    if case.leased:
        if given is not None:
            text = "visibility_timeout does nothing here: set lease under [tasks]"
            yield Trap(name, text, fatal=False)
        return
    text = "kombu's own transport of Redis loses a task whose worker dies just as it takes it: leave it out"
    yield Trap("broker_read_url", text)
    timeout = float(given or KOMBU_VISIBILITY)
    longest = max((one.time_limit for one in case.settings.classes.values()), default=0.0)
    if longest >= timeout:
        text = (
            f"visibility_timeout {timeout:g} s gives a task to a second worker while the first still runs it, which it "
            f"may for {longest:g} s (time_limit): set it to {2 * longest:g} or more"
        )
        yield Trap(name, text)


def timeouts(case: Case) -> Iterator[Trap]:
    """Without them, whoever publishes to a server that accepts and says nothing waits for ever."""
    needed = ("socket_timeout", "socket_connect_timeout") if case.kind == "redis" else ("read_timeout", "write_timeout")
    if missing := [name for name in needed if not case.options.get(name)]:
        text = f"without {' and '.join(missing)} a broker that is silent stops whoever publishes: set seconds"
        yield Trap("broker_transport_options", text, fatal=False)
    if case.kind == "amqp" and not case.options.get("confirm_publish"):
        text = "without confirm_publish RabbitMQ may refuse a task and nobody is told: set it to True"
        yield Trap("broker_transport_options", text)
    if not case.conf.broker_pool_limit:
        text = f"{case.conf.broker_pool_limit} opens a connection for each task that is published: set it to 10"
        yield Trap("broker_pool_limit", text, fatal=False)
