"""A table for people, or JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any


def show(options: argparse.Namespace, data: Any, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """`data` with `--json`, else `rows` under `head`."""
    if options.json:
        print(json.dumps(data))
    else:
        table(head, rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    made = Table(*head, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        made.add_row(*row)
    Console().print(made)
