"""The shop's application for the demo's worker, which must not outlive a demo that is killed.

`galvo tasks worker` imports it once, in its main process; the end of its standard input is the end of the demo.
"""

from __future__ import annotations

import os
import signal
import threading

from galvo_engraving.jobs.app import app

__all__ = ["app"]


def _leash() -> None:
    while os.read(0, 1024):
        pass
    os.killpg(os.getpid(), signal.SIGKILL)


threading.Thread(target=_leash, name="leash", daemon=True).start()
