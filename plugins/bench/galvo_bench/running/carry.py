"""A run as a command: what must hold before it, its loop and its servers, how it ends, what it leaves behind."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from galvo import GalvoError
from galvo_bench.reports.progress import Progress
from galvo_bench.results import store
from galvo_bench.results.machine import machine
from galvo_bench.results.model import Run, Section
from galvo_bench.results.unlike import Unlike
from galvo_bench.running.against import Against
from galvo_bench.running.disk import must_fit
from galvo_bench.running.extra import absent
from galvo_bench.running.interruption import Interruption, as_interrupts
from galvo_bench.running.measuring import alone, places
from galvo_bench.running.options import command_of
from galvo_bench.running.outputs import Outputs
from galvo_bench.running.run import Measurable, measure
from galvo_bench.running.stand import NoServer, Stand

INTERRUPTED = 130


def begun(options: argparse.Namespace, words: Sequence[str], names: Sequence[str], rounds: int) -> Run:
    """An empty run of `galvo bench WORDS`, of these subjects or claims."""
    began = datetime.now(UTC).isoformat(timespec="seconds")
    return Run(command_of(words), began, machine("uvloop" if options.uvloop else "asyncio"), rounds, list(names))


def carry_out(
    options: argparse.Namespace,
    run: Run,
    subjects: Sequence[Measurable],
    each: Callable[[Section], None],
    close: Callable[[Run], None],
) -> int:
    """Measure, keep and print. `each` shows a section and `close` what is said at the end: unless JSON is printed.

    0; 1: a subject has failed, a claim is missed, or something is worse than in the run that it is compared with;
    2: that was made on another machine; 130: interrupted. Raises GalvoError before anything is measured.
    """
    outputs, against = Outputs(options), Against(options)
    show = _silent if options.json else each
    try:
        with as_interrupts():
            against.must_be_alike(run)
            with alone():
                outputs.must_be_writable()
                must_fit(subjects, places())
                if missing := absent():
                    tell(f"not installed: {', '.join(missing)} (the extra galvo-bench[peers] brings them)")
                code = _carried(options, run, subjects, show, outputs)
        outputs.keep(run)
        outputs.write(run)
        if options.json:
            print(store.encoded(run), end="")
        else:
            close(run)
        if worse := against.worse(run, show):
            tell(f"worse: {'; '.join(worse)}")
        failed = worse or run.problems or outputs.failed or any(claim.verdict == "missed" for claim in run.claims)
        return code or int(bool(failed))
    except Unlike as unlike:
        tell(str(unlike))
        return 2


def _carried(
    options: argparse.Namespace,
    run: Run,
    subjects: Sequence[Measurable],
    each: Callable[[Section], None],
    outputs: Outputs,
) -> int:
    """0; 1: a server that is needed does not start; 130: interrupted. No server and no child is left."""
    interruption = Interruption()
    stand = Stand(options.url, run.rounds, options.amqp, Progress(len(subjects), sys.stderr))
    try:
        interruption.run(_measured(run, stand, subjects, each, outputs, interruption), _loop(options))
    except KeyboardInterrupt:
        kept = f", and kept in {store.LAST}" if run.done else ""
        tell(f"interrupted: {len(run.done)} of {len(run.chosen)} are measured{kept}")
        return INTERRUPTED
    except NoServer as error:
        tell(str(error))
        return 1
    finally:
        stand.close()
    return 0


async def _measured(
    run: Run,
    stand: Stand,
    subjects: Sequence[Measurable],
    each: Callable[[Section], None],
    outputs: Outputs,
    interruption: Interruption,
) -> None:
    await stand.reach()
    outputs.keep(run)
    await measure(run, stand, subjects, each, lambda: outputs.keep(run), interruption)


def tell(what: str) -> None:
    """To a person: standard output is for results."""
    print(f"galvo: {what}", file=sys.stderr)


def _silent(_: Section) -> None:
    pass


def _loop(options: argparse.Namespace) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if not options.uvloop:
        return None
    try:
        uvloop: Any = importlib.import_module("uvloop")
    except ImportError:
        raise GalvoError("--uvloop needs uvloop: pip install uvloop") from None
    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made
