"""`galvo bench counts`: is anything asked more often than it was, or less?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing

import msgspec

from galvo import GalvoError
from galvo_bench.counts import expected
from galvo_bench.counts.run import GROUPS, counted
from galvo_bench.reports.table import show
from galvo_bench.results.model import Section
from galvo_bench.running.interruption import Interruption
from galvo_bench.running.measuring import measuring
from galvo_bench.running.stand import Stand

DISK = 250
"""MB at most: a private PostgreSQL with three small shops, and a Redis."""


def main(argv: Sequence[str]) -> int:
    """Exit code 0 when all is as expected, else 1: also when it is better."""
    made = parser()
    options = made.parse_args(argv)
    if unknown := [name for name in options.groups if name not in GROUPS]:
        made.error(f"there is no {unknown[0]!r}; groups: {', '.join(GROUPS)}")
    if options.update and options.plugin:
        made.error("--update writes what galvo's own plugins ask: leave out --with")
    if options.plugin and not ("=" in options.plugin and ":" in options.plugin):
        made.error(f"--with {options.plugin}: write NAME=MODULE:CLASS")
    groups = [name for name in GROUPS if not options.groups or name in options.groups]
    with measuring("counts", DISK), closing(Stand(options.url)) as stand:
        sections = Interruption().run(_counted(stand, groups, options.plugin))
    if options.json:
        print(msgspec.json.encode(sections).decode())
    else:
        for section in sections:
            show(section)
    return _update(sections) if options.update else _compare(sections, quiet=options.json)


async def _counted(stand: Stand, groups: list[str], plugin: str) -> list[Section]:
    await stand.reach()
    return await counted(stand, groups, plugin)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="galvo bench counts", description=__doc__)
    made.add_argument("groups", nargs="*", metavar="GROUP", help=f"{', '.join(GROUPS)}; all by default")
    made.add_argument("--update", action="store_true", help="expect from now on what is found")
    made.add_argument("--with", dest="plugin", default="", metavar="NAME=MODULE:CLASS", help="what does a plugin add?")
    made.add_argument("--url", default="", help="a PostgreSQL to use instead of the embedded one")
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def _update(sections: list[Section]) -> int:
    was, found = expected.read(), expected.table(sections)
    try:
        expected.FILE.write_text(expected.render({**was, **found}), "utf-8")
    except OSError as error:
        raise GalvoError(f"{expected.FILE} cannot be written: {error.strerror}") from None
    print(f"{expected.FILE.name} expects this from now on; look at its diff")
    return 0


def _compare(sections: list[Section], *, quiet: bool) -> int:
    was, found = expected.read(), expected.table(sections)
    changed = expected.differences(was, found)
    if not quiet:
        for title in expected.unknown(was, found):
            print(f"not compared, as it was recorded for other versions only: {title}")
        for one in changed:
            print(one)
        print(
            f"{len(changed)} counts are not as expected; if that is meant: galvo bench counts --update"
            if changed
            else "all counts are as expected"
        )
    return 1 if changed else 0
