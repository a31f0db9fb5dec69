"""`galvo memory`: what memory a running process uses, whether it leaks, and who holds what."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from textwrap import wrap

import msgspec

from galvo import GalvoError
from galvo_local import pid_of, printable
from galvo_memory.asking.asking import only, processes, trace
from galvo_memory.asking.look import LOOKS, Look, Looker
from galvo_memory.asking.rows import EVERY, HEAD, LISTED, listed, row
from galvo_memory.asking.shown import BARS, WIDTH, fact, shown, trend
from galvo_memory.errors import MemoryProblem

BAD = 3
"""Exit code: it is critical, or leaks."""
AT_ONCE = 64
"""Processes that are asked at the same time."""
LEAKS = ("python", "native")
MOST = 10_000
"""Looks of --watch that its last line, the trend, is made from."""


def main(argv: Sequence[str]) -> int:
    """0: done; 1: failed, or the watched process has ended; 2: wrong usage; 3: memory is critical, or leaks."""
    options = parser().parse_args(argv)
    try:
        named = options.named or options.pid
        pids = [named] if named else processes()
        if not pids:
            raise MemoryProblem("no process with a memory plugin can be asked here: name a PID, which needs none")
        if len(pids) > 1:
            if not options.watch and options.trace is None:
                return _list(pids, as_json=options.json)
            pids = [only()]
        if options.trace is not None:
            return _trace(pids[0], options.trace, types=options.types, as_json=options.json)
        if options.watch:
            return _watch(pids[0], options.every, options.count, as_json=options.json)
        look = Looker(pids[0]).look(LOOKS)
    except GalvoError as error:
        print(f"galvo: {printable(str(error))}", file=sys.stderr)
        return 1
    _print([_json(look)] if options.json else shown(look))
    return code(look)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo memory",
        description="Show what memory a process uses, whether it leaks, and who holds what.",
        epilog="A process without the plugin is shown as well, by what /proc tells. Exit code 3: critical, or a leak.",
    )
    text = "of the process; default: the one in this folder, or the only one; a list when there are several"
    made.add_argument("pid", nargs="?", type=pid_of, metavar="PID", help=text)
    made.add_argument("--pid", dest="named", type=pid_of, metavar="PID", help="the same")
    made.add_argument("--watch", action="store_true", help="a line every few seconds, until Ctrl-C")
    made.add_argument("--every", type=_seconds, default=2.0, metavar="SECONDS", help="between two lines of --watch (2)")
    made.add_argument("--count", type=_count, default=0, metavar="LINES", help="end --watch after so many")
    text = "trace allocations for so long (20) and show the lines that keep most; slows the process down meanwhile"
    made.add_argument("--trace", type=_seconds, nargs="?", const=20.0, metavar="SECONDS", help=text)
    text = "with --trace: count objects by type as well, which stops the process for a moment"
    made.add_argument("--types", action="store_true", help=text)
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def code(look: Look) -> int:
    leaks = look.state is not None and look.state.leak.kind in LEAKS
    return BAD if look.level == "critical" or leaks else 0


def _list(pids: Sequence[int], *, as_json: bool) -> int:
    with ThreadPoolExecutor(AT_ONCE) as threads:  # each that does not answer takes seconds
        looks = [look for look in threads.map(_look, pids) if look is not None]
    if as_json:
        _print([json.dumps([json.loads(_json(look)) for look in looks])])
    else:
        _print([LISTED, *map(listed, looks)])
    return max(map(code, looks), default=0)


def _look(pid: int) -> Look | None:
    try:
        return Looker(pid).look()
    except MemoryProblem:
        return None  # it has just ended


def _watch(pid: int, every: float, count: int, *, as_json: bool) -> int:
    looker, before, lines = Looker(pid), None, 0
    seen: list[tuple[float, int]] = []
    try:
        while True:
            look = looker.look()
            if as_json:
                _print([_json(look)])
            else:
                head = [HEAD] if lines % EVERY == 0 else []
                _print([*head, row(look, before, datetime.now().astimezone())])
            before, lines = look, lines + 1
            seen.append((-time.monotonic(), look.rss))
            del seen[:-MOST]
            if lines == count:
                break
            time.sleep(every)
    except KeyboardInterrupt:  # that is how it ends
        pass
    if not as_json:
        _print(fact("trend", trend(seen)))
    return 0


def _trace(pid: int, seconds: float, *, types: bool, as_json: bool) -> int:
    found = trace(pid, seconds, types=types)
    if as_json:
        _print([json.dumps(found)])
    else:
        nothing = [f"nothing that was allocated in these {seconds:g} s was kept"]
        _print(line for sentence in found or nothing for line in wrap(sentence, WIDTH, subsequent_indent="  "))
    return 0


def _print(lines: Iterable[str]) -> None:
    """Also in a terminal that knows few characters."""
    encoding = sys.stdout.encoding or "ascii"
    for line in lines:
        text = printable(line)
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            plain = text.translate({ord(bar): str(height) for height, bar in enumerate(BARS)})
            text = plain.encode(encoding, "replace").decode(encoding)
        print(text)
    sys.stdout.flush()


def _json(look: Look) -> str:
    return msgspec.json.encode(look).decode()


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0.1 and 3600 seconds")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines")
    return int(text)
