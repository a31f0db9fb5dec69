"""Several runs as one: a run, and what was measured later of what it lacked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from galvo_bench.results.model import Run
from galvo_bench.results.unlike import must_be_alike


def together(runs: Sequence[Run]) -> Run:
    """Of each subject the latest; commands and commits of all are named. Raises Unlike."""
    whole, *others = runs
    for more in others:
        must_be_alike(whole, more)
        whole = _joined(whole, more)
    return whole


def _joined(first: Run, more: Run) -> Run:
    chosen = list(dict.fromkeys([*first.chosen, *more.chosen]))
    done = {*first.done, *more.done}
    commits = dict.fromkeys([first.machine.commit, more.machine.commit])
    return Run(
        command=f"{first.command}; {more.command}",
        began=first.began,
        machine=msgspec.structs.replace(first.machine, commit=", then ".join(commits)),
        rounds=first.rounds,
        chosen=chosen,
        groups=first.groups | more.groups,
        done=[name for name in chosen if name in done],
        sections=[*(one for one in first.sections if one.subject not in more.done), *more.sections],
        claims=[*(one for one in first.claims if one.name not in more.done), *more.claims],
        problems=[*(one for one in first.problems if one.subject not in more.done), *more.problems],
        took=first.took | more.took,
        seconds=first.seconds + more.seconds,
    )
