"""`galvo new NAME [--hook HOOK ...] [--folder DIR]`: writes a plugin of one's own."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from galvo.hookspecs import KINDS
from galvo.scaffold.naming import Misnamed, hooks_named, named
from galvo.scaffold.rendering import rendered
from galvo.scaffold.writing import written

TEXT = "Write a new plugin: typed, tested, installable as it is."
NEXT = """\
{folder}: a plugin with {hooks}. Next:
  cd {folder} && make check test
  edit {package}/plugin.py
  pip install .                 # where your application is installed
  galvo lock                    # in its folder: the plugin may load now
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="a-z, 0-9 and _; query_log makes galvo-query-log")
    parser.add_argument(
        "--hook", nargs="+", action="extend", metavar="HOOK", default=[],
        help=f"one or more of {', '.join(KINDS)}; default: on_query",
    )  # fmt: skip
    parser.add_argument("--folder", type=Path, metavar="DIR", help="default: galvo-NAME, in this folder")


def run(options: argparse.Namespace) -> int:
    try:
        names, hooks = named(options.name), hooks_named(options.hook or ["on_query"])
    except Misnamed as error:
        print(f"galvo: {error}", file=sys.stderr)
        return 2
    folder: Path = options.folder or Path(names.distribution)
    if str(folder).startswith("-"):  # the shell's commands would take it for options
        folder = Path.cwd() / folder
    files = rendered(names, hooks)
    written(folder, files)
    if options.json:
        print(json.dumps({"name": names.name, "folder": str(folder), "hooks": hooks, "files": [*files]}))
    else:
        print(NEXT.format(folder=shlex.quote(str(folder)), package=names.package, hooks=", ".join(hooks)), end="")
    return 0
