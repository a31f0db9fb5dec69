"""What is asked of a running application, and the answers: JSON both."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from operator import attrgetter
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import msgspec

from galvo import Change, GalvoError, PluginError
from galvo.operating import Operations
from galvo_live.explaining import explained
from galvo_live.kernels import Answer, together, within
from galvo_local import asker, named

NAME = "live"
"""By which the process is asked."""
AT_ONCE, LOOKS = 16, 4
"""Questions that are answered at once, and how many of them may be looks: changes are not to wait for these."""
MARGIN = 1.0
"""Seconds by which the answers of several kernels are told before the asker gives up."""
DAY = 86_400.0


class Questions:
    """`{"do": "disable", "name": "cache", "why": "..."}`; the answer has a "problem" when it was refused.

    Where several kernels are asked, the answer has "kernels", of each what it alone would answer: see `together`.
    """

    _all: ClassVar[list[Questions]] = []
    """Those of all kernels here, which share the process's name: whichever is asked answers for all."""
    _numbers: ClassVar[WeakKeyDictionary[Operations, int]] = WeakKeyDictionary()
    """Of the kernels here, in the order of their start."""
    _count: ClassVar[count[int]] = count(1)

    def __init__(self, control: Operations) -> None:
        self._control = control
        self._looks = 0
        self._loop = asyncio.get_running_loop()
        self._number = self._numbers.get(control) or self._numbers.setdefault(control, next(self._count))
        self._kernel = f"kernel {self._number} (thread {threading.current_thread().name})"
        self._answers: dict[str, Callable[[dict[str, Any]], Coroutine[Any, Any, Answer]]] = {
            "enable": self._enable,
            "disable": self._disable,
            "reload": self._reload,
            "changes": self._changes,
            "plugins": self._plugins,
            "explain": self._explain,
        }

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While its plugin runs."""
        self._all.append(self)
        try:
            yield
        finally:
            self._all.remove(self)

    def _asked(self, name: str) -> list[Questions]:
        """Of each kernel that lists plugin `name`, if it is one's; else the own one, which refuses it."""
        running = [one for one in [*self._all] if one._loop.is_running()]
        found = {one._control: one for one in (*running, self)}  # a reload has two plugins of one kernel for a moment
        listing = [one for one in found.values() if not name or name in one._names()]
        return sorted(listing, key=attrgetter("_number")) or [self]

    def _names(self) -> set[str]:
        return {info["name"] for info in self._control.plugins()}

    async def __call__(self, asked: bytes) -> bytes | None:
        """None for what is no question."""
        try:
            question = json.loads(asked)
            do = question["do"]
            self._answers[do]
        except (ValueError, TypeError, KeyError):
            return None
        question["who"] = named(asker.get()[1])  # by the kernel's word, not by the asker's
        kernels = self._asked(_text(question, "name") if do in ("enable", "disable") else "")
        answers = {one._kernel: partial(one._answer, question) for one in kernels}
        try:
            if len(kernels) > 1:
                told = await together(answers, _patience(question))
            else:
                told = await kernels[0]._answer(question)
        except GalvoError as error:
            told = {"problem": str(error)}
        return json.dumps(told, default=str).encode()

    async def _answer(self, question: dict[str, Any]) -> Answer:
        """This kernel's, in its own loop."""
        return await within(self._loop, self._answers[question["do"]](question))

    async def _enable(self, question: dict[str, Any]) -> Answer:
        return _told(await self._control.enable(_text(question, "name"), **_words(question)))

    async def _disable(self, question: dict[str, Any]) -> Answer:
        name, words = _text(question, "name"), _words(question)
        if name == NAME:
            problem = "nobody could ask it to come back: write `on = false` under [live] and `galvo reload`"
            self._control.refuse("disable", name, **words, problem=PluginError(NAME, problem))
        return _told(await self._control.disable(name, **words))

    async def _reload(self, question: dict[str, Any]) -> Answer:
        return _told(await self._control.reload(**_words(question)))

    async def _changes(self, question: dict[str, Any]) -> Answer:
        return {"changes": [*map(_told, self._control.changes)], "pending": [*map(_told, self._control.pending)]}

    async def _explain(self, question: dict[str, Any]) -> Answer:
        if self._looks >= LOOKS:
            raise GalvoError(f"{LOOKS} others look already: try again when they have seen it")
        self._looks += 1
        try:
            return await explained(self._control, question)
        finally:
            self._looks -= 1

    async def _plugins(self, question: dict[str, Any]) -> Answer:
        return {"plugins": self._control.plugins()}


def _told(change: Change) -> Answer:
    told: Answer = msgspec.to_builtins(change)
    return told


def _text(question: dict[str, Any], key: str) -> str:
    return str(question.get(key) or "")


def _words(question: dict[str, Any]) -> dict[str, str]:
    return {key: _text(question, key) for key in ("who", "why")}


def _patience(question: dict[str, Any]) -> float | None:
    """Seconds in which several kernels have to answer; None when the asker does not say how long it waits."""
    seconds = question.get("patience")
    return max(0.0, min(DAY, seconds) - MARGIN) if isinstance(seconds, int | float) else None
