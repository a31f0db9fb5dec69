"""`python -m tests.asyncpg_suite`: which of asyncpg's own tests pass with asyncpg.Pool and not with galvo's."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from textwrap import wrap

from galvo_embedded.refusal import Refused
from tests.asyncpg_suite.by_design import reason
from tests.asyncpg_suite.outcomes import Outcomes
from tests.asyncpg_suite.sandbox import Sandbox, log_file, sandbox
from tests.asyncpg_suite.sources import NoSources
from tests.asyncpg_suite.variants import GALVO, label

DIFFERENT, REFUSED, NO_SOURCES, INTERRUPTED = 1, 2, 3, 130
WAYS = {
    "pool": "everything that makes a pool makes the one under test",
    "lent": "and the other suites' connections are lent from it",
}


def main(argv: Sequence[str]) -> int:
    """0: no test differs; 1: some do; 2: it cannot run here; 3: asyncpg's sdist cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.asyncpg_suite", description=__doc__)
    parser.add_argument("--way", choices=WAYS, help="; ".join(f"{name}: {text}" for name, text in WAYS.items()))
    parser.add_argument("--variant", help=", ".join(GALVO) + ", or package.module:Class; all of the former by default")
    parser.add_argument("-k", metavar="EXPR", default="", help="only these tests, as in pytest")
    options = parser.parse_args(argv)
    if options.variant and options.variant not in GALVO and ":" not in options.variant:
        parser.error("--variant must be one of " + ", ".join(GALVO) + " or package.module:Class")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with sandbox() as place:
            ways = [options.way] if options.way else [*WAYS]
            return compare(place, ways, [options.variant] if options.variant else [*GALVO], options.k)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (Refused, NoSources) as refusal:
        print(*wrap(f"cannot run asyncpg's tests: {refusal}", 80), sep="\n", file=sys.stderr)
        return NO_SOURCES if isinstance(refusal, NoSources) else REFUSED


def compare(place: Sandbox, ways: Sequence[str], variants: Sequence[str], expression: str) -> int:
    print(f"The tests of asyncpg {version('asyncpg')} on PostgreSQL {place.server()}\n")
    print("way   pool      passed  failed  skipped  subtests  pools  seconds")
    different = False
    for way in ways:
        stock = run(place, "stock", way, expression)
        complete(stock)
        # A baseline that failed by chance would hide a failure of ours.
        again(place, "stock", way, stock, stock.failed)
        show(stock)
        for variant in variants:
            outcomes = run(place, variant, way, expression)
            if not outcomes.made and not stock.lost(outcomes):
                raise Refused("no test that ran has made a pool: change -k")
            again(place, variant, way, outcomes, stock.lost(outcomes))
            show(outcomes)
            lost = stock.lost(outcomes)
            meant = {test: why for test in lost if (why := reason(test, variant))}
            for test, why in meant.items():
                print(
                    *wrap(f"by design: {short(test)}: {why}", 78, initial_indent="  ", subsequent_indent="    "),
                    sep="\n",
                )
            lost = [test for test in lost if test not in meant]
            different = different or bool(lost)
            explain(variant, way, outcomes, lost)
    return DIFFERENT if different else 0


def run(place: Sandbox, variant: str, way: str, expression: str) -> Outcomes:
    print(f"{way:<5} {label(variant):<8}", end=" ", flush=True)
    return place.run(variant, way, expression=expression)


def again(place: Sandbox, variant: str, way: str, outcomes: Outcomes, tests: Sequence[str]) -> None:
    """Run `tests` alone: some of asyncpg's depend on time, and machines are busy."""
    if tests:
        outcomes.correct(place.run(variant, way, tests=tests))


def show(outcomes: Outcomes) -> None:
    passed, failed, skipped = map(outcomes.count, ("passed", "failed", "skipped"))
    subtests = outcomes.subtests["passed"]
    made = outcomes.made or "-"
    print(f"{passed:6,}  {failed:6,}  {skipped:7,}  {subtests:8,}  {made:>5}  {outcomes.seconds:7.0f}")
    for test in outcomes.by_chance:
        print(f"  passed only when run again: {short(test)}")


def complete(stock: Outcomes) -> None:
    """Raises Refused when nothing can differ, or a whole file is missing, which would look like one failure."""
    for file in stock.failed:
        if "::" not in file:
            raise Refused(f"{short(file)} cannot be imported: {stock.errors[file]}")
    if not stock.count("passed"):
        reason = next(iter(stock.errors.values()), "all are skipped")
        raise Refused(f"with asyncpg.Pool no test passes: {reason}")


def explain(variant: str, way: str, outcomes: Outcomes, lost: Sequence[str]) -> None:
    if not lost:
        return
    print(f"\n{len(lost)} that pass with asyncpg.Pool and not with this one:")
    for test in lost:
        error = outcomes.errors.get(test, outcomes.tests.get(test, "did not run"))
        print(
            f"  {short(test)}", *wrap(error, 76, max_lines=3, initial_indent="    ", subsequent_indent="    "), sep="\n"
        )
    print(f"More in {log_file(label(variant), way)}\n".replace(str(Path.home()), "~"))


def short(test: str) -> str:
    return test.removeprefix("asyncpg_tests/")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
