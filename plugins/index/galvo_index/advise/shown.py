"""Advice for people, 80 columns wide, and for machines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import msgspec

from galvo_index.advise.advice import Advice
from galvo_index.advise.advisor import Report
from galvo_index.workload import Statement

WIDTH = 80
MOST_GAINS = 5
"""Statements shown for one index."""
MOST_SKIPPED = 10
VERIFIED = {
    "run": "measured by running the statements on a sample",
    "hypopg": "the planner was asked, with hypothetical indexes",
    "sample": "the planner was asked, with real indexes on a sample of the tables",
    "no": "UNVERIFIED, from statistics alone: try before you trust",
}


def shown(report: Report, statements: Sequence[Statement], skipped: Sequence[str]) -> Iterator[str]:
    looked_at = len(statements) - len(report.skipped)
    if report.advice:
        total = sum(one.bytes for one in report.advice)
        yield from _wrapped(
            f"{_count(len(report.advice), 'index', 'indexes')} of {size(total)} together, for "
            f"{_count(looked_at, 'statement')}; {VERIFIED[report.verified]}. Nothing was created."
        )
    else:
        yield from _wrapped(f"No index would help {_count(looked_at, 'statement')} enough to be worth it.")
    if report.note:
        yield from _wrapped(report.note)
    numbers = {one.sql: number for number, one in enumerate(statements, 1)}
    for number, advice in enumerate(report.advice, 1):
        yield ""
        yield from _one(number, advice, numbers)
    notes = [*skipped, *(f"statement {number + 1}: {reason}" for number, reason in sorted(report.skipped.items()))]
    if notes:
        yield ""
        yield f"Not looked at: {_count(len(notes), 'statement')}."
        for note in notes[:MOST_SKIPPED]:
            yield from _wrapped(_line(note), "- ")
    large = {name: reason for name, reason in report.refused.items() if reason != "it is small"}
    for name, reason in sorted(large.items()):
        yield from _wrapped(f"No index for {name}: {reason}.", "- ")


def _one(number: int, advice: Advice, numbers: dict[str, int]) -> Iterator[str]:
    facts = [f"about {size(advice.bytes)}", f"{seconds(advice.build)} to build"]
    if advice.writes >= 0.01:
        facts.append(f"adds {advice.writes:.0%} to the writes of {advice.definition.relation}")
    if advice.partitions:
        facts.append(f"not concurrently, for it has {_count(advice.partitions, 'partition')}")
    if advice.verified == "no":
        facts.append("UNVERIFIED")
    yield from _wrapped(f"{number}. {create(advice)};")
    yield from _wrapped(", ".join(facts), "   ")
    for gain in advice.gains[:MOST_GAINS]:
        text = f"statement {numbers[gain.sql]}, {times(gain.ratio)}: {_line(gain.sql)}"
        yield "   " + textwrap.shorten(text, WIDTH - 3, placeholder=" ...")
    if len(advice.gains) > MOST_GAINS:
        yield f"   and {_count(len(advice.gains) - MOST_GAINS, 'other')}"


def encoded(report: Report, statements: Sequence[Statement], skipped: Sequence[str]) -> str:
    """JSON, with the text of CREATE INDEX beside each definition."""
    data = {
        "verified": report.verified,
        "note": report.note,
        "seconds": round(report.seconds, 3),
        "advice": [{"sql": create(one), **msgspec.to_builtins(one)} for one in report.advice],
        "skipped": [*skipped, *(f"{statements[number].sql}: {reason}" for number, reason in report.skipped.items())],
        "refused": report.refused,
    }
    return msgspec.json.encode(data).decode()


def create(advice: Advice) -> str:
    return advice.definition.sql(concurrently=not advice.partitions)


def size(bytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if bytes < 1000 or unit == "GB":
            break
        bytes /= 1000
    return f"{bytes:.3g} {unit}" if bytes < 1000 else f"{bytes:.0f} {unit}"


def seconds(value: float) -> str:
    return "under 1 s" if value < 1 else f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"


def times(ratio: float) -> str:
    """How the cost changes."""
    if ratio <= 0:
        return "free"
    if ratio > 0.67:
        return f"{ratio - 1:+.0%} cost"
    return f"{1 / ratio:.2g} times cheaper" if 1 / ratio < 100 else f"{1 / ratio:.0f} times cheaper"


def _count(number: int, one: str, more: str = "") -> str:
    return f"{number} {one if number == 1 else more or one + 's'}"


def _line(text: str) -> str:
    """On one line; control characters of a hostile text do not reach the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))


def _wrapped(text: str, first: str = "") -> list[str]:
    return textwrap.wrap(
        _line(text), WIDTH, initial_indent=first, subsequent_indent=" " * max(3, len(first)), break_on_hyphens=False
    )
