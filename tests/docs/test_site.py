"""The site as it is built: strictly, complete, without a dead link, and asking for nothing from elsewhere."""

from __future__ import annotations

import inspect
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

import galvo
from docs.making.commands import helps
from galvo import hookspecs, operating, sizes

ALLOWED = {
    "anyio.readthedocs.io", "docs.celeryq.dev", "docs.djangoproject.com", "docs.pytest.org", "docs.python.org",
    "docs.sqlalchemy.org", "fastapi.tiangolo.com", "google.github.io", "magicstack.github.io", "opentelemetry.io",
    "packaging.python.org", "pip.pypa.io", "pluggy.readthedocs.io", "ucum.org", "www.postgresql.org",
    "www.starlette.io",
}  # fmt: skip
"""Well-known documentation. Nothing there is asked for by a test."""
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}


class Read(HTMLParser):
    """The ids, links and loaded files of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in LOADED and LOADED[tag] in found:
            self.loaded.append(found[LOADED[tag]])


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Read]:
    return {str(path.relative_to(site)): Read(path.read_text("utf-8")) for path in site.rglob("*.html")}


def words(html: str) -> str:
    """What a reader sees, without spaces."""
    return re.sub(r"\s+", "", unescape(re.sub(r"<[^>]+>", "", html)))


@pytest.mark.parametrize("hook", hookspecs.KINDS)
def test_every_hook_has_its_signature(site: Path, hook: str) -> None:
    html = (site / "reference/hooks.html").read_text("utf-8")
    part = html.split(f'id="galvo.hookspecs.{hook}"')[1].split("</pre>")[0]
    function: Any = getattr(hookspecs, hook)
    signature = re.sub(r"['\s]", "", str(inspect.signature(function)))
    shown = words(part.split("<pre")[1]).replace(",)", ")")
    assert signature in shown
    assert ("async" in part) is inspect.iscoroutinefunction(function)


def test_every_public_name_is_in_the_reference(pages: dict[str, Read]) -> None:
    ids = set().union(*(page.ids for place, page in pages.items() if place.startswith("reference/")))
    names = {f"galvo.{name}" for name in galvo.__all__}
    names |= {f"{door.__name__}.{name}" for door in (operating, sizes) for name in door.__all__}
    for cls in (galvo.Kernel, galvo.Session, galvo.Context, galvo.Plugin):
        names |= {f"galvo.{cls.__name__}.{name}" for name in public(cls)}
    assert names - ids == set()


HIDDEN = {
    "Kernel": {"adopt", "closed"}, "Session": {"savepoint", "close"}, "Context": set(), "Plugin": set(),
}  # fmt: skip
"""What the kernel's own parts and the plugin that runs queries use."""


def public(cls: type) -> set[str]:
    found = {name for name, value in inspect.getmembers(cls) if callable(value) or isinstance(value, property)}
    return {name for name in found if not name.startswith("_")} - HIDDEN[cls.__name__] - {"settings_type"}


def test_every_command_is_in_the_reference(pages: dict[str, Read]) -> None:
    anchors = {"-".join(("galvo", *command)) for command, _ in helps()}
    assert len(anchors) > 40
    assert anchors - pages["reference/cli.html"].ids == set()


def test_every_link_leads_somewhere(pages: dict[str, Read], site: Path) -> None:
    dead, elsewhere = [], set()
    for place, page in pages.items():
        for link in page.links:
            if urlsplit(link).scheme:
                elsewhere.add(urlsplit(link).netloc)
                continue
            base = "404.html" if place == "404.html" else place
            path, anchor = urldefrag(urljoin(f"/{base}", link))
            target = unquote(path.lstrip("/")) or "index.html"
            if target not in pages:
                if not (site / target).is_file() and place != "404.html":
                    dead.append(f"{place}: {link}")
            elif anchor and unquote(anchor) not in pages[target].ids:
                dead.append(f"{place}: {link}")
    assert dead == []
    assert elsewhere <= ALLOWED


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, Read], site: Path) -> None:
    loaded = {link for page in pages.values() for link in page.loaded}
    assert loaded
    assert [link for link in loaded if urlsplit(link).netloc] == []
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^)\"' ]+", style.read_text("utf-8")) == []


def test_every_page_has_a_place_and_says_what_it_is(site: Path) -> None:
    """mkdocs warns of a page that is not in the navigation; here: a title, and a description of its own."""
    descriptions: dict[str, str] = {}
    for path in sorted(site.rglob("*.html")):
        if path.name == "404.html":
            continue
        html = path.read_text("utf-8")
        match = re.search(r'<meta name="description" content="([^"]+)"', html)
        assert match, path
        assert match[1] not in descriptions, f"{path} and {descriptions.get(match[1])}"
        descriptions[match[1]] = str(path)
        assert len(re.findall(r"<h1[ >]", html)) == 1, path
