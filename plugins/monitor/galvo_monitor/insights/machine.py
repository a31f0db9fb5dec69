"""The machine, beside what it may explain; and its disks."""

from __future__ import annotations

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.facts import Facts
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.unusual import Unusual
from galvo_monitor.insights.words import clock, duration, share, size

CPU, STALLED_IO, STALLED_MEMORY = 0.9, 0.3, 0.1
"""Shares of the interval, from which it is worth a clause."""
LEAST_IO = 0.1
NEAR = 3
"""Times as long as it was watched: a forecast no further than that is believed more."""


class Strain:
    """What the machine is short of. That it works hard is only ever told beside something else."""

    def __init__(self, interval: float) -> None:
        """`interval`: seconds between two looks."""
        self._io = Unusual(interval=interval, least=LEAST_IO)

    def look(self, reading: Reading, facts: Facts) -> list[Clue]:
        sample = facts.machine
        io = self._waited(reading, sample.pressure.get(("io", "some")) if sample is not None else None)
        if sample is None:
            return []
        began = reading.now - reading.interval
        clues = []
        if sample.cpu is not None and sample.cpu >= CPU:
            own = f", {share(sample.own_cpu)} by this process" if sample.own_cpu is not None else ""
            clues.append(Clue(f"the CPUs are {share(sample.cpu)} busy{own}", "/proc/stat", began, 0.95))
        if io is not None:
            clues.append(io)
        memory = sample.pressure.get(("memory", "some"), 0.0)
        if memory >= STALLED_MEMORY:
            text = f"some tasks waited for memory {share(memory)} of the time"
            clues.append(Clue(text, "/proc/pressure/memory", began, 0.95))
        return clues

    def _waited(self, reading: Reading, part: float | None) -> Clue | None:
        """By itself, when that is unusual: a slow disk."""
        unusual = self._io.look(part, reading.now)
        if part is None or not (unusual or part >= STALLED_IO):
            return None
        text, where = f"some tasks waited for I/O {share(part)} of the time", "/proc/pressure/io"
        if not unusual:
            return Clue(text, where, reading.now - reading.interval, 0.95)
        text += f" since {clock(self._io.since, reading.now)}, usually {share(self._io.usual)}"
        return Clue(text, where, self._io.since, self._io.confidence, alone=True)


def disks(reading: Reading, facts: Facts) -> list[Clue]:
    clues = []
    for disk in facts.disks:
        filling = disk.filling
        if filling is None:
            continue
        since = reading.now - filling.span
        if disk.free <= 0:
            clues.append(Clue(f"the disk of {disk.path} is full", "statvfs: 0 B free", since, 1.0, alone=True))
            continue
        text = (
            f"the disk of {disk.path} is full in {duration(filling.seconds)} at the pace of the last "
            f"{duration(filling.span)}"
        )
        evidence = f"{size(disk.free)} of {size(disk.size)} are free, {size(filling.rate)} less each second"
        confidence = 0.9 if filling.seconds <= NEAR * filling.span else 0.7
        clues.append(Clue(text, evidence, since, confidence, alone=True))
    return clues
