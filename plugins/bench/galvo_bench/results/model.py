"""What a run has found: sections of rows and plots, and on which machine."""

from __future__ import annotations

from typing import Literal

import msgspec

from galvo_bench.method.rounds import Result
from galvo_bench.results.machine import Machine

Point = tuple[float, float]


class Values(msgspec.Struct, frozen=True, tag=True):
    """What was counted, or measured by itself."""

    name: str
    values: dict[str, float]


class Missing(msgspec.Struct, frozen=True, tag=True):
    """A peer that could not be measured."""

    name: str
    missing: str
    """Why, in words."""


class Plot(msgspec.Struct, frozen=True):
    title: str
    x: str
    """What is along it, with its unit."""
    y: str
    lines: dict[str, list[Point]]
    """By name, from left to right."""
    log_x: bool = False
    log_y: bool = False


class Section(msgspec.Struct, frozen=True):
    subject: str
    title: str
    explains: str
    """What is measured, in a sentence."""
    rows: list[Result | Values | Missing]
    ratio: Literal["time", "speed", "throughput"] = "time"
    """What the ratios compare. Of time, less is better; of speed and throughput, more."""
    exact: bool = False
    """All values are counted, not timed: the same in every run."""
    plots: list[Plot] = []


class Judged(msgspec.Struct, frozen=True):
    """A promise of the mission, what was found, and whether it holds."""

    name: str
    title: str
    unit: str
    """Of `plain` and `galvo`: "s" for seconds, which are shown as ms or us; else as it is shown."""
    plain: float | None
    """Without galvo; None: there is nothing to compare with."""
    galvo: float
    less: bool
    """Whether less is better."""
    relative: bool
    """Whether the figures below are galvo's to plain's; else galvo's own, in its unit."""
    promised: float
    """By the mission: the nearer end, where it says a range."""
    goal: float | None
    """Of our design; None: it has no other."""
    middle: float
    low: float
    high: float
    """The interval of what is judged, 95 % sure."""
    noise: tuple[float, float] | None
    """The interval of plain again to plain (A/A); None: nothing was timed."""
    verdict: Literal["beyond", "met", "not shown", "missed"]
    """Beyond the design's goal, as promised, too noisy to say, or not as promised: by the interval's worse end."""
    explains: str


class Problem(msgspec.Struct, frozen=True):
    """A subject that has not been measured."""

    subject: str
    said: str


class Run(msgspec.Struct):
    command: str
    """That makes it again."""
    began: str
    """ISO 8601, UTC."""
    machine: Machine
    rounds: int
    chosen: list[str]
    """Subjects, in order."""
    groups: dict[str, str] = {}
    """The group of each subject."""
    done: list[str] = []
    sections: list[Section] = []
    claims: list[Judged] = []
    """Of `galvo bench claims`."""
    problems: list[Problem] = []
    took: dict[str, float] = {}
    """Seconds, by subject."""
    seconds: float = 0.0

    @property
    def partial(self) -> bool:
        """Whether a subject is missing: it failed, or the run was interrupted."""
        return self.done != self.chosen


def inverted(rows: list[Result | Missing]) -> list[Result | Values | Missing]:
    """Ratios of time turned into ratios of speed."""
    return [
        msgspec.structs.replace(row, ratio=1 / row.ratio, low=1 / row.high, high=1 / row.low)
        if isinstance(row, Result)
        else row
        for row in rows
    ]
