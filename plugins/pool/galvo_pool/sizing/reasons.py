"""Why a limit is what it is, in words."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "start", "free", "grow", "knee", "shrink", "probe", "probed", "long", "calm", "stuck", "enough", "failing",
    "bounds", "moved", "trial", "tried",
]  # fmt: skip
TIMES = "statements take {ratio:.2g} times what they take on a quiet server"
SENTENCES: dict[Reason, str] = {
    "start": "it is where it started, nothing was measured yet",
    "free": f"tasks wait and {TIMES}, so it grows fast",
    "grow": f"tasks wait and {TIMES}, so it grows",
    "knee": f"{TIMES}, more at once would only queue there",
    "shrink": f"{TIMES}, so it shrinks",
    "probe": "for a moment only few statements run, to measure what they take on a quiet server",
    "probed": f"{TIMES}, as was just measured",
    "long": "what statements take on a quiet server is not measured while they are long",
    "calm": "nobody has waited for a while, so what is not used is given back",
    "stuck": "tasks wait and no statement ends, so one more is tried",
    "enough": "nobody waits",
    "failing": "new connections fail, so it does not grow",
    "bounds": "tasks wait, and it is as large as it may be",
    "moved": "what it may be at most or at least was changed",
    "trial": "{low} and {high} are tried in turns, to see whether the server does more with {high}",
    "tried": "it is the better of what was tried in turns",
}
