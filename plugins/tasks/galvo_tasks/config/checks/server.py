"""What the broker's server does to tasks; Redis says of itself."""

from __future__ import annotations

from collections.abc import Iterator

from galvo.sizes import show
from galvo_tasks.app import EMBEDDED
from galvo_tasks.config.checks.case import Case
from galvo_tasks.config.trap import Trap


def eviction(case: Case) -> Iterator[Trap]:
    server = case.server
    if server is None or not server.policy or server.policy == "noeviction":
        return
    text = "throws tasks away when memory is full" if server.policy.startswith("allkeys") else (
        "throws results and keys against doubles away when memory is full"
    )  # fmt: skip
    now = f"(at {show(server.maxmemory)})" if server.maxmemory else "(once maxmemory is set)"
    fatal = bool(server.maxmemory) and server.policy.startswith("allkeys")
    yield Trap("maxmemory-policy", f"{server.policy} of Redis {text} {now}: set it to noeviction", fatal=fatal)


def persistence(case: Case) -> Iterator[Trap]:
    server = case.server
    if server is None or server.appendonly is None or server.appendonly:
        return
    if case.settings.broker.get_secret_value() == EMBEDDED:
        return  # it is for trying things out, and its settings are nobody's to change
    what = "the tasks of the last minutes" if server.snapshots else "every task that waits"
    yield Trap("appendonly", f"is off in Redis, so that its end takes {what} with it: set it to yes", fatal=False)


def role(case: Case) -> Iterator[Trap]:
    if case.server is not None and case.server.role not in ("", "master"):
        yield Trap("broker", "this Redis is a replica, which takes no task: name its master")
