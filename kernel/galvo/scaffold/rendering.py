"""Templates to files. `{{name}}` is replaced; lines from `%if on_query on_metric` on are for any of these hooks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata, resources

from galvo.scaffold.naming import Names

FILES = {
    "pyproject.toml": "pyproject.toml",
    "Makefile": "Makefile",
    "README.md": "README.md",
    ".gitignore": "gitignore",
    "{{package}}/__init__.py": "package/init.py",
    "{{package}}/plugin.py": "package/plugin.py",
    "{{package}}/settings.py": "package/settings.py",
    "{{package}}/py.typed": "",
    "tests/conftest.py": "tests/conftest.py",
    "tests/test_plugin.py": "tests/test_plugin.py",
    "tests/test_contract.py": "tests/test_contract.py",
}
"""Of a new plugin, each with its template; "" is an empty file."""
IMPORTS = {
    "on_query": ("Proceed", "Query", "Rows"),
    "on_cache_miss": ("Query", "Row", "Rows"),
    "on_metric": ("Metric",),
    "on_memory_pressure": ("Freed", "MemoryPressure"),
}
"""What a hook's lines in plugin.py use of galvo."""
TESTED_WITH = {
    "on_cache_miss": ("Query",),
    "on_metric": ("Metric",),
    "on_memory_pressure": ("Freed", "Level", "MemoryPressure"),
}
"""And those in the tests."""


def rendered(names: Names, hooks: Sequence[str]) -> dict[str, str]:
    """Every file of a plugin with these hooks, its text by its path."""
    words = {
        **{field: getattr(names, field) for field in names.__struct_fields__},
        "hooks": ", ".join(f"`{hook}`" for hook in hooks),
        "imports": ", ".join(sorted({"Context", "Plugin", "hookimpl", *_all(IMPORTS, hooks)}, key=_isort)),
        "database": " and a real PostgreSQL" * ("on_query" in hooks),
        "tested_with": ", ".join(sorted({"Kernel", *_all(TESTED_WITH, hooks)}, key=_isort)),
        "galvo": metadata.version("galvo"),
        # `Row` came with 1.2.
        "api": ">=1.2,<2" if "on_cache_miss" in hooks else ">=1,<2",
    }
    return {
        _filled(path, words): _filled("\n".join(_chosen(_template(template), hooks)), words) if template else ""
        for path, template in FILES.items()
    }


def _all(words: Mapping[str, Iterable[str]], hooks: Iterable[str]) -> Iterator[str]:
    return (word for hook in hooks for word in words.get(hook, ()))


def _isort(word: str) -> tuple[bool, str]:
    return word[0].islower(), word  # classes first, as isort has them


def _template(path: str) -> list[str]:
    return (resources.files(__package__) / "templates" / f"{path}.txt").read_text("utf-8").split("\n")


def _chosen(lines: Iterable[str], hooks: Sequence[str]) -> Iterator[str]:
    keep, told = True, False  # whether lines are kept now; whether a branch of this %if has been
    for line in lines:
        word, *of = line.split() if line.startswith("%") else [""]
        if word in ("%if", "%elif", "%else"):
            told = told and word != "%if"
            keep = not told and (word == "%else" or not set(hooks).isdisjoint(of))
            told = told or keep
        elif word == "%end":
            keep = True
        elif keep:
            yield line


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: words[found[1]], text)
