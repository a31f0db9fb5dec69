"""The query of `/past`."""

from __future__ import annotations

import math

from starlette.datastructures import QueryParams

from galvo_monitor.errors import MonitorProblem

SERIES = 16
"""Of one request, at most."""
POINTS = (10, 500, 1000)
"""Least, default, most."""
LONGEST = 1000
"""Characters of a name."""


class PastQuery:
    """`series=…&series=…&start=…&end=…&points=…`: seconds since the epoch, and how many points to draw."""

    def __init__(self, query: QueryParams) -> None:
        """Raises MonitorProblem."""
        self.series = list(dict.fromkeys(query.getlist("series")))
        if not 0 < len(self.series) <= SERIES or any(len(name) > LONGEST for name in self.series):
            raise MonitorProblem(f"name 1 to {SERIES} series= as /view names them")
        self.start, self.end = _number(query, "start"), _number(query, "end")
        if not self.start < self.end:
            raise MonitorProblem("start= must be before end=")
        least, default, most = POINTS
        self.points = round(min(max(_number(query, "points", default), least), most))


def _number(query: QueryParams, name: str, default: float | None = None) -> float:
    try:
        value = float(query[name]) if default is None or name in query else default
    except (KeyError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise MonitorProblem(f"{name}= must be a number")
    return value
