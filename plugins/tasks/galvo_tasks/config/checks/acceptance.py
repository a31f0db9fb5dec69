"""What a worker makes objects from."""

from __future__ import annotations

from collections.abc import Iterator

from kombu.serialization import registry  # type: ignore[attr-defined]  # the stubs leave it out

from galvo_tasks.config.checks.case import Case
from galvo_tasks.config.trap import Trap

UNSAFE = {"pickle", "application/x-python-serialize", "yaml", "application/x-yaml"}
"""By name and by content type: whoever can write to the broker has code of theirs run by a worker that takes them."""
SETTINGS = ("accept_content", "result_accept_content", "task_serializer", "result_serializer")


def formats(case: Case) -> Iterator[Trap]:
    for name in SETTINGS:
        value = case.conf[name] or ()
        found = sorted({value} & UNSAFE if isinstance(value, str) else set(value) & UNSAFE)
        if found:
            text = f"{found[0]} runs the code of whoever can write to the broker: only json is accepted"
            yield Trap(name, text)
    for name in case.conf.accept_content or ():
        if name not in UNSAFE and name not in registry.type_to_name and name not in registry.name_to_type:
            yield Trap("accept_content", f"{name!r} is no format that kombu knows: write json")
