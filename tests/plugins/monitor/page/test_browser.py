"""The page in a real Chromium. With SCREENSHOTS=FOLDER its pictures are kept there."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="the page's tests need playwright")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from galvo_monitor.view import Chart, Insight, Value
from tests.chromium import FRAME, launched, needed
from tests.plugins.monitor.page.stand import CPU, HOSTILE, MEMORY, TOKEN, Program, Serving, serving

pytestmark = needed
QUICK = 1000.0
"""Milliseconds in which everything is there."""
TRIES = 10
"""Others work on this machine, too."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as made:
        yield made


@pytest.fixture
def served() -> Iterator[Serving]:
    with serving(Program()) as made:
        yield made


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, errors: list[str]) -> Iterator[Page]:
    """Whatever the page complains of fails the test; that a server is away is no fault of it."""
    context = browser.new_context()
    made = context.new_page()
    made.on("console", lambda said: said.type == "error" and errors.append(said.text))
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    context.close()
    assert [error for error in errors if "ERR_CONNECTION" not in error] == []


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def opened(page: Page, served: Serving, path: str = "?range=15m") -> None:
    page.goto(served.url + path)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def drawn(page: Page) -> None:
    """Every line has been."""
    expect(page.locator(".plot .stroke[d*=L]")).to_have_count(3)


def narrow(page: Page) -> None:
    """As wide as a phone, and nothing wider."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate(FRAME)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def shoot(page: Page, file: Path) -> None:
    """All of it, from the top."""
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    page.evaluate(FRAME)
    page.screenshot(path=file, full_page=True)


def test_it_is_there_within_a_second(page: Page, served: Serving) -> None:
    took = []
    while min(took, default=QUICK) >= QUICK:
        assert len(took) < TRIES, took
        opened(page, served)
        drawn(page)
        took.append(page.evaluate("performance.now()"))
    print(f"drawn {min(took):.0f} ms after the navigation")
    addresses = page.evaluate("performance.getEntriesByType('resource').map(({name}) => name)")
    assert {address[: len(served.url)] for address in addresses} == {served.url}  # nothing from elsewhere


def test_values_move(page: Page, served: Serving) -> None:
    opened(page, served)
    drawn(page)
    line = page.locator("#panel-memory .plot .stroke").first
    before, seen = line.get_attribute("d"), page.locator("#connection-text").inner_text()
    expect(line).not_to_have_attribute("d", before or "")
    expect(page.locator("#connection-text")).not_to_have_text(seen)


def test_an_alert_fires_and_resolves_on_screen_and_aloud(page: Page, served: Serving, shots: Path) -> None:
    opened(page, served)
    expect(page.locator("h1")).to_have_text("All works as usual.")
    expect(page.locator("#alerts")).to_be_hidden()
    served.program.fire("The pool is exhausted.", (("pool", "main"),))
    expect(page.locator("#alerts li")).to_contain_text(["The pool is exhausted."])
    expect(page.locator("#alerts li")).to_contain_text(["pool: main"])
    expect(page.locator("h1")).to_have_text("The pool is exhausted.")
    expect(page.locator("#status")).to_have_text("Critical")
    expect(page.locator("#announcer")).to_have_text("critical alert: The pool is exhausted.")
    assert page.title() == "(1) Critical · galvo"
    page.screenshot(path=shots / "alert.png")
    served.program.resolve()
    expect(page.locator("#alerts li .badge")).to_have_text("resolved")
    expect(page.locator("#announcer")).to_have_text("No longer: The pool is exhausted.")
    expect(page.locator("#status")).to_have_text("OK")
    assert page.locator("[aria-live]").count() == 1


def test_what_fired_before_is_not_announced(page: Page, served: Serving) -> None:
    served.program.fire("The pool is exhausted.")
    opened(page, served)
    expect(page.locator("#alerts li")).to_have_count(1)
    expect(page.locator("#announcer")).to_be_empty()


def test_it_reconnects_after_a_restart(page: Page, served: Serving) -> None:
    opened(page, served)
    served.stop()
    expect(page.locator("#connection")).to_have_attribute("data-state", "lost", timeout=10_000)
    expect(page.locator("#connection-text")).to_contain_text("Reconnecting")
    program = Program()
    program.verdict = ("warning", "The second program.")
    with serving(program, port=served.port):
        expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=15_000)
        expect(page.locator("h1")).to_have_text("The second program.")
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_violations(browser: Browser, served: Serving, shots: Path, scheme: str) -> None:
    served.program.fire("The pool is exhausted.", (("pool", "main"),))
    served.program.insights = [Insight("Slower since 18:02.", "80 % of it is pool wait.", time.time() - 60, 0.9)]
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    opened(page, served)
    expect(page.locator("#alerts li")).to_have_count(1)
    drawn(page)
    for summary in page.locator("summary").all():
        summary.click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    shoot(page, shots / f"{scheme}.png")
    narrow(page)
    shoot(page, shots / f"{scheme}-390.png")
    context.close()


def test_by_keyboard(page: Page, served: Serving) -> None:
    opened(page, served)
    drawn(page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#range-15m")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#range-1h")).to_be_checked()
    assert page.url.endswith("?range=1h")
    plot = page.locator("#panel-system .plot")
    plot.focus()
    page.keyboard.press("Home")
    expect(plot).to_have_attribute("aria-valuetext", re.compile(r"^\d\d:\d\d:\d\d: machine .*\s%, process .*\s%$"))
    expect(page.locator("#panel-memory .when")).not_to_be_empty()  # all charts show that moment
    page.keyboard.press("Escape")
    expect(page.locator("#panel-memory .when")).to_be_empty()
    page.locator("#panel-system summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-system tbody tr").first).to_be_visible()
    page.locator("#panel-system .legend button").first.press("Enter")
    expect(page.locator("#panel-system .plot .line")).to_have_count(1)


def test_what_has_no_scale_in_common(page: Page, served: Serving) -> None:
    machine, resident = Value(CPU, "machine", "1", 0.5), Value(MEMORY, "resident", "By", 1e7)
    limit = Value("limit", "limit", "By", 1e12)
    served.program.charts = [Chart("Both", [machine, resident]), Chart("Limited", [resident, limit])]
    opened(page, served)
    titles = ["Processor", "Both: machine", "Both: resident", "Limited"]
    expect(page.locator("#panel-system h3")).to_have_text(titles)
    limited = page.locator("#panel-system .chart").last
    limited.scroll_into_view_if_needed()
    expect(limited.locator(".plot .line")).to_have_count(1)
    expect(limited.locator(".legend li").last).to_contain_text("(above)")


def test_text_stays_text(page: Page, served: Serving) -> None:
    served.program.fire(HOSTILE, ((HOSTILE, HOSTILE),))
    served.program.insights = [Insight(HOSTILE, HOSTILE, time.time(), 0.5)]
    opened(page, served)
    expect(page.locator("#insights .sentence")).to_have_text(HOSTILE)
    expect(page.locator("#alerts .facts")).to_contain_text(f"{HOSTILE}: {HOSTILE}")
    expect(page.locator("#panel-memory h3").first).to_have_text(HOSTILE)
    expect(page.locator("#panel-memory .what")).to_have_text(HOSTILE)
    assert page.locator("img, main b").count() == 0
    drawn(page)
    served.program.insights *= 20  # the charts are below the screen now
    expect(page.locator("#insights li")).to_have_count(20)
    narrow(page)


def test_a_token_is_exchanged_for_a_cookie(page: Page, errors: list[str]) -> None:
    with serving(Program(), token=TOKEN) as served:
        page.goto(served.url)
        expect(page.locator("#sign-in")).to_be_visible()
        page.keyboard.type("not the token, surely")
        page.keyboard.press("Enter")
        expect(page.locator("#sign-in-problem")).to_have_text("That is not the token.")
        page.goto("about:blank")
        opened(page, served, f"#token={TOKEN}")
        assert page.url == served.url
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert TOKEN not in cookie["value"]
        opened(page, served, "")
        page.close()
    errors[:] = [error for error in errors if "401" not in error]
