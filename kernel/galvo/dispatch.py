"""`galvo NAME COMMAND ...`: each command is a module of a package, with a `main(argv) -> int`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from galvo.errors import GalvoError


def dispatch(name: str, commands: ModuleType, argv: Sequence[str]) -> int:
    """Run one command's `main`: 0 done, 1 failed, 2 wrong usage, or what it gives."""
    import pkgutil  # plugins have this module for its neighbours in `galvo.operating`: it costs them nothing

    known = {module.name: f"{commands.__name__}.{module.name}" for module in pkgutil.iter_modules(commands.__path__)}
    usage = f"usage: galvo {name} {'|'.join(sorted(known))} ... (each explains itself with --help)"
    if argv and argv[0] in ("-h", "--help"):
        print(usage)  # noqa: T201  # this is what a command does
        return 0
    if not argv or argv[0] not in known:
        print(usage, file=sys.stderr)  # noqa: T201
        return 2
    try:
        return int(importlib.import_module(known[argv[0]]).main(argv[1:]))
    except GalvoError as error:
        print(f"galvo: {error}", file=sys.stderr)  # noqa: T201
        return 1
