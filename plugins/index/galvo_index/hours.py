"""Hours of the day in which the database has little to do."""

from __future__ import annotations

from datetime import datetime, time

import msgspec


class Hours(msgspec.Struct, frozen=True):
    """From `start` to before `end`, over midnight too; the same twice is the whole day."""

    start: time
    end: time

    def now(self, moment: datetime) -> bool:
        """Whether they are at `moment`, by its own clock."""
        at = moment.time()
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def left(self, moment: datetime) -> float:
        """Seconds until they end; 0 outside of them."""
        if not self.now(moment):
            return 0.0
        if self.start == self.end:
            return 86400.0
        at, end = (one.hour * 3600 + one.minute * 60 + one.second for one in (moment.time(), self.end))
        return float((end - at) % 86400)


def hours(text: str) -> Hours:
    """Reads "01:00-05:00". Raises ValueError that says how it is written."""
    try:
        start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise ValueError(f'{text!r} are no hours of the day: write them as "01:00-05:00"') from None
    return Hours(start, end)
