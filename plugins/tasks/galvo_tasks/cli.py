"""`galvo tasks`: each of its commands is a module of `galvo_tasks.commands`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence

from galvo import GalvoError
from galvo_tasks import commands


def main(argv: Sequence[str]) -> int:
    """Run one command's `main`: 0 done, 1 failed, 2 wrong usage."""
    known = {module.name: f"{commands.__name__}.{module.name}" for module in pkgutil.iter_modules(commands.__path__)}
    usage = f"usage: galvo tasks {'|'.join(sorted(known))} ... (each explains itself with --help)"
    if argv and argv[0] in ("-h", "--help"):
        print(usage)
        return 0
    if not argv or argv[0] not in known:
        print(usage, file=sys.stderr)
        return 2
    try:
        return int(importlib.import_module(known[argv[0]]).main(argv[1:]))
    except GalvoError as error:
        print(f"galvo: {error}", file=sys.stderr)
        return 1
