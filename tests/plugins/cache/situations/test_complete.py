"""Each of the 65 situations is a test, or a limit that says what the bound is."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from tests.plugins.cache.situations.limits import LIMITS

NUMBERS = range(1, 66)


def numbered() -> Counter[int]:
    """How many tests have each number in their name."""
    found: Counter[int] = Counter()
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name.startswith("test_"):
                number = node.name.split("_")[1]
                if number.isdigit():
                    assert ast.get_docstring(node), f"{node.name} does not say its situation"
                    found[int(number)] += 1
    return found


def test_every_situation_is_a_test_or_a_limit() -> None:
    missing = [number for number in NUMBERS if not numbered()[number] and number not in LIMITS]
    assert not missing, f"neither tested nor a documented limit: {missing}"


def test_there_are_no_others() -> None:
    assert {*numbered(), *LIMITS} <= {*NUMBERS}


def test_a_limit_says_something() -> None:
    assert all(len(text) > 60 and text.endswith(".") for text in LIMITS.values())
