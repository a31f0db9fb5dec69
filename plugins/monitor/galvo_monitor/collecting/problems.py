"""What the monitor itself could not do, told among the insights: a number that is missing is never a good one."""

from __future__ import annotations

from collections.abc import Iterable

from galvo_monitor.view import Insight


class Problems:
    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def told(self, at: float, sentences: Iterable[str | None]) -> list[Insight]:
        """`sentences` hold now, at `at` (seconds since the epoch); what held the last time has begun then."""
        self._since = {sentence: self._since.get(sentence, at) for sentence in sentences if sentence}
        return [Insight(sentence, "", since, 1.0) for sentence, since in self._since.items()]
