"""`galvo bench compare`: a run against an earlier one that was kept on the same machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from galvo_bench.reports.table import show
from galvo_bench.results.baseline import compared
from galvo_bench.results.store import LAST, load
from galvo_bench.results.unlike import Unlike


def main(argv: Sequence[str]) -> int:
    """0; 1: something is worse; 2: the runs are of unlike machines. Raises GalvoError for what is not a run."""
    made = argparse.ArgumentParser(prog="galvo bench compare", description=__doc__)
    made.add_argument("base", type=Path, metavar="BASE.json", help="made by `galvo bench --save`")
    made.add_argument("run", type=Path, nargs="?", default=LAST, metavar="RUN.json", help=f"default {LAST}: the last")
    made.add_argument("--force", action="store_true", help="although the machines, or what is set, are not the same")
    made.add_argument("--json", action="store_true", help="print JSON")
    options = made.parse_args(argv)
    try:
        found = compared(load(options.base), load(options.run), force=options.force)
    except Unlike as unlike:
        print(f"galvo: {unlike}", file=sys.stderr)
        return 2
    if options.json:
        print(msgspec.json.encode(found).decode())
    else:
        for section in found.sections:
            show(section)
        print(f"worse: {'; '.join(found.worse)}" if found.worse else "nothing is worse")
    return int(bool(found.worse))
