"""`galvo enable`, `disable`, `reload`: a running host's plugins, switched by its own user or root.

A host answers with `tasks.start_soon(toggled(kernel, log, part).run)`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from galvo_local.answering import Answering, asker
from galvo_local.asking import called

NAME = "kernel"
"""By which the host is asked."""


class Switchboard(Protocol):
    """A kernel, or what a host puts before it."""

    async def enable(self, name: str) -> None: ...
    async def disable(self, name: str) -> None: ...
    async def reload(self) -> list[str]: ...


def toggled(
    board: Switchboard, log: logging.Logger, part: Callable[[str], AbstractContextManager[object]]
) -> Answering:
    """What is asked for is done, and logged with who has asked for it."""

    async def answer(asked: bytes) -> bytes | None:
        try:
            question = json.loads(asked)
            what, name = question["do"], str(question.get("name", ""))
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        if what not in ("enable", "disable", "reload"):
            return None
        pid, user = asker.get()
        who = f"process {pid} of {called(user) or 'the same user'}"
        try:
            changed = await _done(board, what, name)
        except Exception as error:  # noqa: BLE001  # whoever asked is told, and the host goes on
            log.warning("%s %s, asked for by %s: refused: %s", what, name, who, error)
            return json.dumps({"problem": str(error) or type(error).__name__}).encode()
        log.warning("%s %s, asked for by %s: done", what, name or ", ".join(changed) or "nothing", who)
        return json.dumps({"changed": changed}).encode()

    return Answering(NAME, answer, part)


async def _done(board: Switchboard, what: str, name: str) -> list[str]:
    if what == "reload":
        return await board.reload()
    do: Callable[[str], Awaitable[Any]] = board.enable if what == "enable" else board.disable
    await do(name)
    return [name]
