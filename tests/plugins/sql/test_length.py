"""Which texts may be parsed: no long ones, and none that cost the process its stack."""

from __future__ import annotations

import subprocess
import sys

import pytest

from galvo_sql import parsable
from galvo_sql.length import LONGEST, SHORT, TOKENS

DEEP = """
import threading
from galvo_sql import parsable
from pglast import parse_sql

for more in ("+1", " isnull"):
    texts = ["select 1" + more * count for count in range(1000, 12_000, 500)]
    deepest = [text for text in texts if parsable(text)][-1]
    threading.stack_size(2 * 1024 * 1024)
    thread = threading.Thread(target=lambda: print(len(parse_sql(deepest))))
    thread.start()
    thread.join()
"""


def test_the_deepest_fits_a_small_stack() -> None:
    """A parser without stack takes the process with it, so another one tries."""
    done = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["1"] * 2, "")


@pytest.mark.parametrize(
    "sql, tokens, fits",
    [
        ("é" * SHORT, TOKENS, True),
        ("select '" + "x" * (LONGEST - 9) + "'", TOKENS, True),
        ("select '" + "x" * (LONGEST - 8) + "'", TOKENS, False),
        ("1 " * TOKENS, TOKENS, True),
        ("1 " * (TOKENS + 1), TOKENS, False),
        ("1+" * (TOKENS - 1) + "1", TOKENS, True),
        ("1+" * TOKENS + "1", TOKENS, False),
        ("1+" * SHORT + "1", SHORT, False),
        ("é," * 2800 + "1", TOKENS, True),
        ("é," * 3000 + "1", TOKENS, False),
        ("'" + "日本語" * 9000 + "'", TOKENS, True),
        ("'" + "日本語" * 1000 + "'" + ",1" * 2000, TOKENS, False),
        ("\ud800," * 1025, TOKENS, True),
    ],
    ids=range(13),
)
def test_what_is_counted(sql: str, tokens: int, fits: bool) -> None:
    assert parsable(sql, tokens) is fits
