"""What the process answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from galvo_monitor.asking.protocol import Question
from galvo_monitor.view import View


class Answers:
    def __init__(self, view: Callable[[], View], wait: Callable[[float], Awaitable[View]]) -> None:
        """`wait(after)` gives a view made later than that (seconds since the epoch), and makes the next ones sooner."""
        self._view = view
        self._wait = wait

    async def answer(self, asked: bytes) -> bytes | None:
        """JSON to JSON; None to anything else."""
        try:
            question = msgspec.json.decode(asked, type=Question)
        except msgspec.MsgspecError:
            return None
        view = await self._wait(float("-inf")) if question.live else self._view()
        return msgspec.json.encode(view)
