"""The loop that keeps tables healthy in the off-peak hours."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import anyio
import asyncpg

from galvo import Context, GalvoError
from galvo_index.hours import hours
from galvo_index.lanes import GONE, Busy
from galvo_index.settings import IndexSettings
from galvo_index.upkeep.work import Memory, Pace, work

PAUSE: Final = 60.0
"""Seconds between two looks."""


async def run(context: Context, settings: IndexSettings) -> None:
    """Never ends. Does nothing unless `upkeep` is on."""
    if not settings.upkeep:
        return
    off_peak, memory, pace = hours(settings.off_peak), Memory(), Pace(pause=settings.upkeep_pause)

    def left() -> float:
        return off_peak.left(datetime.now().astimezone())

    while True:
        try:
            if left() > 0:
                async for done in work(context.capability("pool").connect, pace, memory, left):
                    how = done.text or done.need.sql
                    context.log.log(10 if done.text else 20, "%s: %s; %s", done.need.table, done.need.why, how)
        except Busy as busy:
            context.log.debug("%s", busy)
        except (GalvoError, asyncpg.PostgresError, *GONE) as error:
            context.log.warning("tables are not looked after now: %s", error)
        await anyio.sleep(PAUSE)
