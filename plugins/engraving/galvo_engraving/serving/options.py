"""The options of `galvo run engraving`."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

from galvo_engraving.demo.options import BadOption, Parser, postgres_url

PLUGINS = ("cache", "pool", "index", "memory", "monitor", "tasks")
PORT = 8000


@dataclass(frozen=True, slots=True)
class Options:
    host: str = "127.0.0.1"
    port: int = PORT
    url: str | None = None
    """None: an embedded server."""
    without: tuple[str, ...] = ()
    plain: bool = False
    """Without galvo."""
    open: bool = False
    seconds: float | None = None
    """Until it ends by itself."""
    another_port: bool = False
    """Where that one is taken."""


def parse(argv: list[str]) -> Options | None:
    """None when only help was asked for. Raises BadOption."""
    parser = Parser(
        prog="galvo run engraving",
        allow_abbrev=False,
        description="Serves the engraving shop: the application, its worker, and the servers that it needs.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address it listens on (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=PORT, help=f"0: any that is free ({PORT})")
    text = "an existing PostgreSQL, which `galvo run migrate` has prepared; default: an embedded one"
    parser.add_argument("--url", type=postgres_url, default=os.environ.get("GALVO_POOL__URL") or None, help=text)
    text = f"leave it out, may be repeated: {', '.join(PLUGINS)}"
    parser.add_argument("--without", action="append", choices=PLUGINS, default=[], metavar="PLUGIN", help=text)
    parser.add_argument("--plain", action="store_true", help="without galvo: a plain asyncpg pool, and no worker")
    parser.add_argument("--open", action="store_true", help="open a browser")
    try:
        found = vars(parser.parse_args(argv))
    except SystemExit:
        return None
    if found["plain"] and found["without"]:
        raise BadOption("--plain leaves out all plugins: give it without --without")
    return Options(**found | {"without": tuple(found["without"])})


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 65535, not {text!r}")
    return int(text)
