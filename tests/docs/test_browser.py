"""The site in Chromium, in light and dark, as wide as a desk and as a phone. SCREENSHOTS=FOLDER keeps pictures."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="the page's tests need playwright")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.chromium import FRAME, RULES, launched, needed

pytestmark = needed
SHOTS = os.environ.get("SCREENSHOTS")
SETTLED = f"""async () => {{
    await {FRAME}
    await Promise.allSettled(document.getAnimations().map(animation => animation.finished))
}}"""
"""Laid out for its width, and what fades in is there."""
KINDS = ["index.html", "how-to/why-not-cached.html", "reference/hooks.html"]
"""The start, a page with code and tables, a page made from signatures and docstrings."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as made:
        yield made


def watched(page: Page, address: str) -> list[str]:
    """What `page` asks for elsewhere, and what it complains of, from now on."""
    wrong: list[str] = []
    page.on("request", lambda asked: asked.url.startswith((address, "data:", "blob:")) or wrong.append(asked.url))
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    return wrong


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wrong(browser: Browser, address: str, scheme: Any) -> None:
    """Nothing from elsewhere, no violation, nothing wider than the screen."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    wrong = watched(page, address)
    for kind in KINDS:
        page.goto(address + kind)
        expect(page.locator("body")).to_have_attribute(
            "data-md-color-scheme", {"light": "default", "dark": "slate"}[scheme]
        )
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 850})
            page.evaluate(SETTLED)
            found = Axe().run(page, options=RULES[scheme])
            assert found.violations_count == 0, f"{kind}, {width} px: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") == width, kind
            if SHOTS:
                page.screenshot(path=Path(SHOTS) / f"{Path(kind).stem}-{scheme}-{width}.png")
    context.close()
    assert wrong == []


def test_the_search_finds(browser: Browser, address: str) -> None:
    page = browser.new_page()
    wrong = watched(page, address)
    page.goto(address)
    box = page.get_by_role("textbox", name="Search")
    box.press_sequentially("zzyzxqq")
    expect(page.locator(".md-search-result__meta")).to_have_text("No matching documents")
    box.clear()
    box.press_sequentially("drain_timeout")
    expect(page.locator(".md-search-result__item").first).to_be_visible()
    page.locator(".md-search-result__link").first.click()
    expect(page.locator("article")).to_contain_text("drain_timeout")
    page.close()
    assert wrong == []
