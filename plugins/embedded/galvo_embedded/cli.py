"""`galvo embedded PROGRAM`: with the embedded PostgreSQL, for as long as the program runs."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio

from galvo import GalvoError
from galvo.operating import read_settings
from galvo_embedded.plugin import EmbeddedSettings
from galvo_embedded.servers import Servers

VARIABLES = ("DATABASE_URL", "GALVO_POOL__URL")


def main(argv: Sequence[str]) -> int:
    """The program's exit code, 128 and its number for a signal; 1: the server or the program did not start."""
    options = parser()
    words = options.parse_args(argv).program
    if not words:
        options.error("say which program")
    settings = read_settings(EmbeddedSettings, "embedded", Path())
    servers = Servers(Path(settings.data), postgres=settings.postgres, options=settings.options)
    try:
        url = anyio.run(servers.postgres)
        # Ctrl-C is the program's. A handler is not inherited, as SIG_IGN would be.
        before = signal.signal(signal.SIGINT, lambda number, frame: None)
        try:
            code = subprocess.call(words, env=os.environ | dict.fromkeys(VARIABLES, url))
        finally:
            signal.signal(signal.SIGINT, before)
    except GalvoError as error:
        sys.stderr.write(f"galvo: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"galvo: cannot run {words[0]!r}: {error.strerror}\n")
        return 1
    finally:
        servers.close()
    return code if code >= 0 else 128 - code


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo embedded",
        usage="galvo embedded [-h] PROGRAM [ARGUMENT ...]",
        description="Run a program, for example `bash`, with DATABASE_URL and GALVO_POOL__URL leading to the embedded "
        "PostgreSQL, which is started if it does not run, and stops with the last program that uses it.",
    )
    made.add_argument("program", nargs=argparse.REMAINDER, metavar="PROGRAM", help="with its arguments")
    return made
