"""`galvo run demo`: the same shop, the same requests, three ways to run them, side by side; then the shop itself."""

from __future__ import annotations

import asyncio
import sys


def main(argv: list[str]) -> int:
    """The exit code: 0, 1 for wrong answers or a failure, 2 for bad options, 130 after Ctrl-C."""
    from galvo import GalvoError
    from galvo_engraving.demo.options import BadOption, parse

    try:
        options = parse(argv)
        if options is None:
            return 0
        from galvo_engraving.demo.play import play

        code = asyncio.run(play(options))
        seconds = options.for_people(sys.stdout.isatty())
        if code == 0 and seconds != 0:
            _serve(options.url, seconds)
        return code
    except BadOption as error:
        return _end(str(error), 2)
    except GalvoError as error:
        return _end(str(error), 1)
    except KeyboardInterrupt:
        return _end("stopped; nothing is left running", 130)


def _serve(url: str | None, seconds: float | None) -> None:
    """The whole application, for `seconds` or until Ctrl-C."""
    from galvo_engraving.demo.databases import NAME, with_database
    from galvo_engraving.serving.loops import run
    from galvo_engraving.serving.options import Options
    from galvo_engraving.serving.serve import serve

    run(serve(Options(url=url and with_database(url, NAME), seconds=seconds, another_port=True)))


def _end(sentence: str, code: int) -> int:
    sys.stderr.write(f"galvo: {sentence}\n")
    return code
