"""`galvo run demo`: the same shop, the same requests, three ways to run them, side by side."""

from __future__ import annotations

import asyncio
import sys


def main(argv: list[str]) -> int:
    """The exit code: 0, 1 for wrong answers or a failure, 2 for bad options, 130 after Ctrl-C."""
    from galvo.errors import GalvoError
    from galvo_engraving.demo.options import BadOption, parse

    try:
        options = parse(argv)
        if options is None:
            return 0
        from galvo_engraving.demo.play import play

        return asyncio.run(play(options))
    except BadOption as error:
        return _end(str(error), 2)
    except GalvoError as error:
        return _end(str(error), 1)
    except KeyboardInterrupt:
        return _end("stopped; nothing is left running", 130)


def _end(sentence: str, code: int) -> int:
    sys.stderr.write(f"galvo: {sentence}\n")
    return code
