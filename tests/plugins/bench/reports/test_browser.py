"""The page in a real Chromium without JavaScript. With SCREENSHOTS=FOLDER its pictures are kept there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("playwright.sync_api", reason="the page's tests need playwright")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from galvo_bench.reports.page import page as made
from galvo_bench.results.model import Run
from tests.chromium import FRAME, RULES, launched, needed
from tests.plugins.bench.reports import sample

pytestmark = needed
WIDTHS = 1180, 390
LOOKS: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 1180), ("light", 390), ("dark", 1180))
OPEN = "document.querySelectorAll('details').forEach(each => { each.open = true })"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Whatever the page complains of, or asks for, fails the test."""
    context = browser.new_context()
    opened = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda said: complaints.append(said.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda one: asked.append(one.url))
    yield opened
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.endswith("/report.html")] == []
    assert asked


def test_everybody_can_read_it(page: Page, tmp_path: Path) -> None:
    """No rule of axe is violated, light or dark, wide or as wide as a phone."""
    show(page, tmp_path, made(sample.partial()))
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 844})
        shoot(page, f"{scheme}-{width}")
        page.evaluate(OPEN)
        found = Axe().run(page, options=RULES[scheme])
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("run", [sample.partial, sample.hostile], ids=lambda run: run.__name__)
def test_nothing_is_wider_than_the_screen(page: Page, run: Callable[[], Run], tmp_path: Path) -> None:
    show(page, tmp_path, made(run()))
    page.evaluate(OPEN)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        page.evaluate(FRAME)
        assert page.evaluate("document.documentElement.scrollWidth") == width


def show(page: Page, folder: Path, html: str) -> None:
    file = folder / "report.html"
    file.write_text(html, "utf-8")
    page.goto(file.as_uri())


def shoot(page: Page, name: str) -> None:
    if "SCREENSHOTS" in os.environ:
        page.screenshot(path=Path(os.environ["SCREENSHOTS"]) / f"report-{name}.png", full_page=True)


def test_light_and_dark_are_not_the_same(page: Page, tmp_path: Path) -> None:
    show(page, tmp_path, made(sample.whole()))
    grounds = {}
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert grounds == {"light": "rgb(245, 246, 248)", "dark": "rgb(13, 17, 23)"}


def test_it_needs_no_javascript(browser: Browser, tmp_path: Path) -> None:
    """Its lines have a length, its details open, and a phone sees each figure with its head."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": WIDTHS[1], "height": 844})
    opened = context.new_page()
    show(opened, tmp_path, made(sample.whole()))
    drawn = opened.locator("polyline").first.bounding_box()
    assert drawn
    assert min(drawn["width"], drawn["height"]) > 100
    opened.locator("summary", has_text="How it is measured").click()
    assert opened.get_by_text("A ratio is the median").is_visible()
    row = opened.get_by_role("row", name="galvo, no kernel").first
    assert row.get_by_role("cell", name="41 us").is_visible()
    context.close()


def test_the_policy_holds(browser: Browser, tmp_path: Path) -> None:
    """What somebody smuggled in does nothing."""
    context = browser.new_context()
    opened = context.new_page()
    smuggled = "<body><style>body { display: none }</style><script>document.title = 'x'</script>"
    show(opened, tmp_path, made(sample.whole()).replace("<body>", smuggled))
    assert opened.title() == "galvo, measured"
    assert opened.get_by_role("heading", level=1).is_visible()
    context.close()
