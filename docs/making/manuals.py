"""The plugins' READMEs as pages of the site."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

FENCED = re.compile(r"(^```.*?^```$)", re.M | re.S)
LIST = re.compile(r"^((?! |[-*|>#] ?|\d+\. ).+\n)(?=- |\|)", re.M)
"""A line of text right above a list or a table: GitHub sees both, Python-Markdown wants a line between."""


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """The place and the text of each, and of the list of all."""
    rows = []
    for project in sorted((root / "plugins").iterdir()):
        if (project / "pyproject.toml").is_file():
            about = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
            rows.append(f"| [{about['name']}]({project.name}.md) | {about['description']} |")
            readme = manual((project / "README.md").read_text("utf-8"))
            yield f"plugins/{project.name}.md", head(about["description"]) + readme
    table = "\n".join(["| distribution | what it is |", "|---|---|", *rows])
    yield (
        "plugins/all.md",
        f"{head('Every plugin, library and host of galvo, with its manual.')}# All plugins\n\n{table}\n",
    )


def head(description: str) -> str:
    return f"---\ndescription: {description!r}\n---\n"


def manual(text: str) -> str:
    """`text` as Python-Markdown reads it."""
    parts = FENCED.split(text)
    parts[::2] = [LIST.sub(r"\1\n", part) for part in parts[::2]]
    return "".join(parts)
