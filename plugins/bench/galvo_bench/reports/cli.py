"""`galvo bench report`: a run that was kept, as tables, Markdown or a page."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from galvo_bench.reports.markdown import markdown
from galvo_bench.reports.page import page
from galvo_bench.reports.table import show_run
from galvo_bench.results.store import LAST, load, write_text
from galvo_bench.results.together import together
from galvo_bench.results.unlike import Unlike
from galvo_bench.results.usage import Usage


def main(argv: Sequence[str]) -> int:
    """Raises GalvoError: no run, runs of unlike machines, or a file that cannot be written."""
    made = argparse.ArgumentParser(prog="galvo bench report", description=__doc__)
    made.add_argument("runs", nargs="*", type=Path, default=[LAST], metavar="RUN.json", help=(
        f"default {LAST}: the last; of several, the latest of each subject"
    ))  # fmt: skip
    made.add_argument("--markdown", type=Path, metavar="FILE", help="write Markdown, as BENCHMARKS.md is")
    made.add_argument("--html", type=Path, metavar="FILE", help="write a page that needs nothing else")
    options = made.parse_args(argv)
    try:
        run = together([load(path) for path in options.runs])
    except Unlike as unlike:
        raise Usage(str(unlike)) from None
    if options.markdown:
        write_text(options.markdown, markdown(run))
    if options.html:
        write_text(options.html, page(run))
    if not options.markdown and not options.html:
        show_run(run)
    return 0
