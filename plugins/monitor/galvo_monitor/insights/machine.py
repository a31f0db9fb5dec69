"""The machine, beside what it may explain; and its disks."""

from __future__ import annotations

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.facts import Facts
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.words import duration, share, size

CPU, STALLED_IO, STALLED_MEMORY = 0.9, 0.3, 0.1
"""Shares of the interval, from which it is worth a clause."""
NEAR = 3
"""Times as long as it was watched: a forecast no further than that is believed more."""


def strained(reading: Reading, facts: Facts) -> list[Clue]:
    """Only ever told beside something else: a machine may work hard."""
    sample = facts.machine
    if sample is None:
        return []
    began = reading.now - reading.interval
    clues = []
    if sample.cpu is not None and sample.cpu >= CPU:
        own = f", {share(sample.own_cpu)} by this process" if sample.own_cpu is not None else ""
        clues.append(Clue(f"the CPUs are {share(sample.cpu)} busy{own}", "/proc/stat", began, 0.95))
    for kind, least, text in (
        (("io", "some"), STALLED_IO, "tasks waited for I/O"),
        (("memory", "some"), STALLED_MEMORY, "tasks waited for memory"),
    ):
        stalled = sample.pressure.get(kind, 0.0)
        if stalled >= least:
            where = f"/proc/pressure/{kind[0]}"
            clues.append(Clue(f"some {text} {share(stalled)} of the time", where, began, 0.95))
    return clues


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
