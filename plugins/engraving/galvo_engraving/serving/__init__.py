"""`galvo run engraving`: servers, processes, switches."""

from __future__ import annotations

import sys


def main(argv: list[str]) -> int:
    """The exit code: 0 after Ctrl-C or SIGTERM, 1 for what cannot be served, 2 for bad options."""
    from galvo import GalvoError
    from galvo_engraving.demo.options import BadOption
    from galvo_engraving.serving.options import parse

    try:
        options = parse(argv)
        if options is None:
            return 0
        from galvo_engraving.serving.loops import run
        from galvo_engraving.serving.serve import serve

        run(serve(options))
    except BadOption as error:
        return _end(str(error), 2)
    except GalvoError as error:
        return _end(str(error), 1)
    except KeyboardInterrupt:
        return _end("stopped; nothing is left running", 130)
    return 0


def _end(sentence: str, code: int) -> int:
    sys.stderr.write(f"galvo: {sentence}\n")
    return code
