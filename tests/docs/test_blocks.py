"""Every code block of every page, of README.md and of the plugins' READMEs runs, and prints what the page says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from galvo_embedded import Servers
from tests.blocks import ELSEWHERE, ROOT, Page, blocks, matches
from tests.forking import shared

PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*/**/*.md"), *ROOT.glob("plugins/*/README.md")])
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]


@pytest.mark.parametrize("name", NAMES)
def test_page(name: str, request: pytest.FixtureRequest, folder: Path) -> None:
    text = (ROOT / name).read_text("utf-8")
    if elsewhere := ELSEWHERE.search(text):
        assert (ROOT / elsewhere[1]).is_file(), f"{name} says that {elsewhere[1]} tests it"
        return
    if all(block.language in ("", "text") for block in blocks(text)):
        return  # nothing to run
    dsn: str = request.getfixturevalue("dsn")
    given = {"GALVO_POOL__URL": dsn, "DATABASE_URL": dsn}
    if "REDIS_URL" in text:
        servers: Servers = request.getfixturevalue("servers")
        given["REDIS_URL"] = asyncio.run(servers.redis())
    Page(name, text, folder, shared(), given).run()


@pytest.mark.parametrize(
    "expected, printed, same",
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a ... c\n", "a b c\n", True),
        ("a ... c\n", "a\nc\n", False),
        ("a\n...\nc\n", "a\nb\nb\nc\n", True),
        ("a\n...\nc\n", "a\nc\n", True),
        ("a\n...\nc\n", "a\nb\n", False),
        ("", "a\n", False),
        ("", "", True),
    ],
)
def test_what_matches(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same
