"""What is asked of a running application, and the answers: JSON both."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from galvo import Change, Control, GalvoError, PluginError
from galvo_live.explaining import explained
from galvo_local import asker, named

NAME = "live"
"""By which the process is asked."""
Answer = dict[str, Any]


class Questions:
    """`{"do": "disable", "name": "cache", "why": "..."}`; the answer has a "problem" when it was refused."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._answers: dict[str, Callable[[dict[str, Any]], Awaitable[Answer]]] = {
            "enable": self._enable,
            "disable": self._disable,
            "reload": self._reload,
            "changes": self._changes,
            "plugins": self._plugins,
            "explain": partial(explained, control),
        }

    async def __call__(self, asked: bytes) -> bytes | None:
        """None for what is no question."""
        try:
            question = json.loads(asked)
            answer = self._answers[question["do"]]
        except (ValueError, TypeError, KeyError):
            return None
        try:
            told = await answer(question)
        except GalvoError as error:
            told = {"problem": str(error)}
        return json.dumps(told, default=str).encode()

    async def _enable(self, question: dict[str, Any]) -> Answer:
        name, why = _text(question, "name"), _text(question, "why")
        return _told(await self._control.enable(name, who=_who(), why=why))

    async def _disable(self, question: dict[str, Any]) -> Answer:
        name, why = _text(question, "name"), _text(question, "why")
        if name == NAME:
            raise PluginError(
                NAME, "nobody could ask it to come back: write `on = false` under [live] and `galvo reload`"
            )
        return _told(await self._control.disable(name, who=_who(), why=why))

    async def _reload(self, question: dict[str, Any]) -> Answer:
        return _told(await self._control.reload(who=_who(), why=_text(question, "why")))

    async def _changes(self, question: dict[str, Any]) -> Answer:
        return {"changes": [_told(change) for change in self._control.changes]}

    async def _plugins(self, question: dict[str, Any]) -> Answer:
        return {"plugins": self._control.plugins()}


def _told(change: Change) -> Answer:
    told: Answer = msgspec.to_builtins(change)
    return told


def _text(question: dict[str, Any], key: str) -> str:
    return str(question.get(key) or "")


def _who() -> str:
    """By the kernel's word, not by the asker's."""
    return named(asker.get()[1])
