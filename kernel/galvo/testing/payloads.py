"""What nobody should send, and somebody will."""

from __future__ import annotations

import math
from typing import Any

from galvo.events import Metric


class Evil:
    """An argument that cannot be shown, compared or hashed."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no eq")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")


class EvilText(str):
    """A text that lies about itself."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no eq")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")


ITSELF: list[Any] = []
ITSELF.append(ITSELF)

STATEMENTS = (
    "", " \t\n", ";", ";;", "\x00", "select 1\x00", "\ud800", "select '\udcff'", "select \N{RIGHT-TO-LEFT OVERRIDE}1",
    "(" * 3000, ")" * 10, "select " + "1," * 2000 + "1", f"select '{'x' * 1_000_000}'",
    "--", "-- nothing", "/*", "/* /* */",
    "'", "e'\\'", "$$", "$1", "select $1", "select $0", "select $99999", "selec 1", "begin; select", "commit; begin",
    "insert", "update x set", "select * from no_such_table_of_the_kit", "copy x from stdin",
    "\N{LATIN SMALL LETTER LONG S}elect 1", "select 1 as \"\"", "{}", "%s", "select %(n)s", "\\", "\r",
    "\ufeffselect 1",
)  # fmt: skip
"""Empty, huge, with NUL, unparsable, not encodable."""

ARGUMENTS: tuple[tuple[Any, ...], ...] = (
    (Evil(),), (EvilText("x"),), (ITSELF,), (object(),), ({},), ([],), (set(),), (b"\x00",), ("\x00",), ("\ud800",),
    (math.nan,), (math.inf,), (10**400,), (-1,), (None,), (True,), (1.5,), (range(3),), (type,), (), (1, 2), (1,) * 500,
)  # fmt: skip
"""Of kinds that no database knows, and too few or too many."""

VALUES = (math.nan, math.inf, -math.inf, -1.0, 0, -0.0, 1e308, 5e-324, 2**70, True)
METRICS = (
    Metric("kit.counter"), Metric("kit.gauge", "gauge"), Metric("kit.histogram", "histogram", "s"), Metric(""),
    Metric("x" * 10_000), Metric("\ud800", attributes=(("\ud800", "\ud800"),)), Metric("kit.twice", "gauge"),
    Metric("kit.twice", "histogram"), Metric("kit.attributes", attributes=(("", ""), ("a", "b"), ("a", "c"))),
)  # fmt: skip
REASONS = ("cold", "expired", "invalidated", "evicted", "", "no such reason")
