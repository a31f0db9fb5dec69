"""`galvo memory`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """0: done; 1: failed; 2: wrong usage."""
    argparse.ArgumentParser(
        prog="galvo memory", description="What memory is used for, and whether it leaks."
    ).parse_args(argv)
    return 0
