"""What is to be built, how it went, and the journal, for people; 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from galvo_index.advise.shown import size
from galvo_index.apply.journal import Entry
from galvo_index.apply.run import Outcome
from galvo_index.apply.wish import Wish

WIDTH = 80


def sentence(text: str, first: str = "- ") -> Iterator[str]:
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=" " * max(2, len(first)), break_on_hyphens=False
    )


def wishes(items: Sequence[Wish]) -> Iterator[str]:
    for wish in items:
        yield from sentence(wish.definition.sql(concurrently=True), "")
        space = f"about {size(wish.bytes)}" if wish.bytes else "size not known"
        gain = "" if wish.gain is None else f", {wish.gain:.0%} less cost predicted"
        yield from sentence(f"{wish.reason}; {space}{gain}", "  ")


def outcomes(said: Sequence[str], items: Sequence[Outcome]) -> Iterator[str]:
    for text in said:
        yield from sentence(text)
    for one in items:
        yield from sentence(f"{one.name} on {one.table}: {one.text}")


def journal(entries: Sequence[Entry]) -> Iterator[str]:
    if not entries:
        yield "galvo has built nothing here"
    for entry in entries:
        since = entry.times.get(entry.state)
        verdict = "" if entry.kept is None else ", stays" if entry.kept else ", did not help"
        yield f"{entry.id:4} {entry.state + verdict:22} {since:%Y-%m-%d %H:%M}  {entry.name}"
        gain = "" if entry.predicted is None else f"predicted gain {entry.predicted:.0%}; "
        gain += "" if entry.measured is None else f"measured {entry.measured:.0%}; "
        yield from sentence(f"{entry.table_name}: {gain}{entry.note or entry.reason}", "     ")
