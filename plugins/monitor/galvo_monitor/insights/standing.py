"""What other plugins have found out: leaks, and changes to make."""

from __future__ import annotations

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.facts import Facts
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.streaks import Streaks
from galvo_monitor.insights.words import many, size

LEAKS = {"python": "objects that Python keeps", "native": "memory outside of Python"}


def leaking(reading: Reading, facts: Facts, streaks: Streaks) -> Clue | None:
    leak = facts.leak
    streaks.forget("leak ", {f"leak {leak.kind}"} if leak is not None else set())
    if leak is None:
        return None
    streaks.look(f"leak {leak.kind}", True, reading.now)
    if leak.kind in LEAKS:
        text = f"memory leaks {size(leak.slope_bytes_per_hour)} an hour: {LEAKS[leak.kind]}"
    elif leak.slope_bytes_per_hour > 0:
        text = f"memory grows by {size(leak.slope_bytes_per_hour)} an hour: malloc keeps what was freed"
    else:
        text = "malloc keeps memory that was freed"
    evidence = " ".join([leak.evidence, *leak.found[:1]])
    return Clue(text, evidence, streaks.since(f"leak {leak.kind}"), leak.confidence, alone=True)


def suggested(reading: Reading, facts: Facts, streaks: Streaks) -> Clue | None:
    """The newest of what the index plugin has found."""
    names = {f"suggestion {one.rule} {one.subject}" for one in facts.suggestions}
    streaks.forget("suggestion ", names)
    for name in names:
        streaks.look(name, True, reading.now)
    if not facts.suggestions:
        return None
    newest = facts.suggestions[-1]
    since = streaks.since(f"suggestion {newest.rule} {newest.subject}")
    others = len(facts.suggestions) - 1
    more = f" ({many(others, 'more is', 'more are')} in `galvo index`)" if others else ""
    text = f"index advice waits{more}: {newest.advice.rstrip('.')}"
    return Clue(text, f"{newest.subject}: {newest.seen}", since, 0.9, alone=True)
