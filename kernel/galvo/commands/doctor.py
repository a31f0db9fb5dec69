"""`galvo doctor`: one look at everything."""

from __future__ import annotations

import argparse
import json
import logging
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from galvo.doctor import Section, examine
from galvo.printing import one_line

TEXT = (
    "Look at versions, settings, limits and servers: what is found, whether it is well, and what to change. "
    "Exit code 1: there is a problem. Starts the plugins that are on, and stops them again."
)
WIDTH = 80
VERDICTS = ("ok", "advice", "problem")
SUBJECT = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(options: argparse.Namespace) -> int:
    import anyio

    logging.disable()  # what would be logged is told below
    sections = anyio.run(examine, Path())
    counts = {
        verdict: sum(one.verdict == verdict for part in sections for one in part.findings) for verdict in VERDICTS
    }
    if options.json:
        print(json.dumps({"ok": not counts["problem"], "counts": counts, "sections": msgspec.to_builtins(sections)}))
    else:
        print("\n".join(shown(sections)))
        problems = "1 problem" if counts["problem"] == 1 else f"{counts['problem']} problems"
        print(f"\n{problems}, {counts['advice']} to consider, {counts['ok']} ok")
    return int(counts["problem"] > 0)


def shown(sections: Sequence[Section]) -> Iterator[str]:
    """For people, 80 columns wide: verdict, subject, what was found; below it the advice."""
    for number, part in enumerate(sections):
        yield from [""] * (number > 0)
        yield part.about
        for one in part.findings:
            subject = one_line(one.subject)
            head = f"  {one.verdict:8} {subject:{SUBJECT}} "
            if len(subject) > SUBJECT:
                yield head.rstrip()
                head = " " * (SUBJECT + 12)
            yield from _wrapped(one.found, head, " " * (SUBJECT + 12))
            if one.advice:
                yield from _wrapped(one.advice, f"{'':11}-> ", " " * 14)


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(one_line(text), WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
