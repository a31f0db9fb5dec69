"""`galvo COMMAND`: the built-in ones of `galvo.commands`, and whatever plugins add (`galvo.added`)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from types import ModuleType

from galvo.added import commands
from galvo.commands import api, applications, check, doctor, explain, lock, new, plugins, settings, trial
from galvo.errors import GalvoError

BUILT_IN: dict[str, ModuleType] = {
    "plugins": plugins,
    "explain": explain,
    "doctor": doctor,
    "check": check,
    "try": trial,
    "lock": lock,
    "settings": settings,
    "new": new,
    "api": api,
    "run": applications,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors are one sentence on stderr."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        for words in (2, 1):
            point = commands().get(".".join(args[:words])) if len(args) >= words else None
            if point is not None:
                return int(point.load()(args[words:]))
        if not args:
            parser().print_help()
            return 2
        options = parser().parse_args(args)
        return int(options.command(options))
    except GalvoError as error:
        print(f"galvo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("galvo: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def parser() -> argparse.ArgumentParser:
    """The built-in commands."""
    tops = [name for name in sorted(commands()) if "." not in name]
    top = argparse.ArgumentParser(
        prog="galvo",
        description="Plugins for async backends on PostgreSQL: what is loaded, on, and why.",
        epilog=f"added by plugins: {', '.join(tops)}" if tops else None,
    )
    sub = top.add_subparsers(required=True, metavar="COMMAND")
    for name, command in BUILT_IN.items():
        made = sub.add_parser(name, help=command.TEXT, description=command.TEXT)
        made.add_argument("--json", action="store_true", help="print JSON")
        command.arguments(made)
        made.set_defaults(command=command.run)
    return top


if __name__ == "__main__":
    sys.exit(main())
