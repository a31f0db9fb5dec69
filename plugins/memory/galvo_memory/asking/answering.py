"""What the process answers."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from galvo_memory.asking.protocol import Question, Traced
from galvo_memory.asking.state import State
from galvo_memory.errors import MemoryProblem
from galvo_memory.watching.leaks import Leaks


class Answers:
    def __init__(self, tell: Callable[[], State], leaks: Leaks) -> None:
        self._tell = tell
        self._leaks = leaks

    async def answer(self, asked: bytes) -> bytes | None:
        """JSON to JSON; None to anything else."""
        try:
            question = msgspec.json.decode(asked, type=Question)
        except msgspec.MsgspecError:
            return None
        if question.trace:
            return msgspec.json.encode(await self._traced(question))
        return msgspec.json.encode(self._tell())

    async def _traced(self, question: Question) -> Traced:
        try:
            return Traced((await self._leaks.trace(question.trace, types=question.types)).sentences())
        except MemoryProblem as error:
            return Traced([], str(error))
