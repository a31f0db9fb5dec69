"""What is asked of a running application, and the answers: JSON both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from itertools import chain
from operator import attrgetter
from typing import Any, ClassVar, TypeVar

import msgspec

from galvo import Change, GalvoError, KernelClosed, PluginError
from galvo.operating import Operations
from galvo_live.explaining import explained
from galvo_local import asker, named

NAME = "live"
"""By which the process is asked."""
AT_ONCE, LOOKS = 16, 4
"""Questions that are answered at once, and how many of them may be looks: changes are not to wait for these."""
Answer = dict[str, Any]
T = TypeVar("T")


class Questions:
    """`{"do": "disable", "name": "cache", "why": "..."}`; the answer has a "problem" when it was refused."""

    _all: ClassVar[list[Questions]] = []
    """Those of all kernels here, which share the process's name: whichever is asked answers for all."""

    def __init__(self, control: Operations) -> None:
        self._control = control
        self._looks = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answers: dict[str, Callable[[dict[str, Any]], Awaitable[Answer]]] = {
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
        self._loop = asyncio.get_running_loop()
        self._all.append(self)
        try:
            yield
        finally:
            self._all.remove(self)

    async def _each(self, ask: Callable[[Operations], Coroutine[Any, Any, T]], name: str = "") -> list[T]:
        """Of each kernel that lists plugin `name`, in its own loop; else of the own one, which refuses it."""
        running = (
            (one._control, one._loop) for one in [*self._all] if one._loop is not None and one._loop.is_running()
        )
        found = {self._control: self._loop, **dict(running)}  # a reload has two plugins of one kernel for a moment
        listing = [one for one in found if not name or name in {info["name"] for info in one.plugins()}]
        return [await _within(found[one], ask(one)) for one in listing or [self._control]]

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
        name, why, who = _text(question, "name"), _text(question, "why"), _who()
        return _all_told(await self._each(lambda one: one.enable(name, who=who, why=why), name))

    async def _disable(self, question: dict[str, Any]) -> Answer:
        name, why, who = _text(question, "name"), _text(question, "why"), _who()
        if name == NAME:
            problem = "nobody could ask it to come back: write `on = false` under [live] and `galvo reload`"
            self._control.refuse("disable", name, who=who, why=why, problem=PluginError(NAME, problem))
        return _all_told(await self._each(lambda one: one.disable(name, who=who, why=why), name))

    async def _reload(self, question: dict[str, Any]) -> Answer:
        why, who = _text(question, "why"), _who()
        return _all_told(await self._each(lambda one: one.reload(who=who, why=why)))

    async def _changes(self, question: dict[str, Any]) -> Answer:
        async def noted(one: Operations) -> tuple[list[Change], list[Change]]:
            return [*one.changes], one.pending

        done, pending = zip(*await self._each(noted), strict=True)
        changes = sorted(chain(*done), key=attrgetter("at"))
        return {"changes": [*map(_told, changes)], "pending": [*map(_told, chain(*pending))]}

    async def _explain(self, question: dict[str, Any]) -> Answer:
        if self._looks >= LOOKS:
            raise GalvoError(f"{LOOKS} others look already: try again when they have seen it")
        self._looks += 1
        try:
            return await explained(self._control, question)
        finally:
            self._looks -= 1

    async def _plugins(self, question: dict[str, Any]) -> Answer:
        async def listed(one: Operations) -> list[dict[str, Any]]:
            return one.plugins()

        return {"plugins": [*chain(*await self._each(listed))]}


async def _within(loop: asyncio.AbstractEventLoop | None, asked: Coroutine[Any, Any, T]) -> T:
    """The answer, from another thread's loop perhaps. Raises KernelClosed when that has just ended."""
    if loop is None or loop is asyncio.get_running_loop():
        return await asked
    try:
        answer = asyncio.run_coroutine_threadsafe(asked, loop)
    except RuntimeError:
        asked.close()
        raise KernelClosed("a kernel of this process has just ended: ask again") from None
    return await asyncio.wrap_future(answer)


def _all_told(changes: list[Change]) -> Answer:
    changed = tuple(dict.fromkeys(name for change in changes for name in change.changed))
    return _told(msgspec.structs.replace(changes[0], changed=changed))


def _told(change: Change) -> Answer:
    told: Answer = msgspec.to_builtins(change)
    return told


def _text(question: dict[str, Any], key: str) -> str:
    return str(question.get(key) or "")


def _who() -> str:
    """By the kernel's word, not by the asker's."""
    return named(asker.get()[1])
