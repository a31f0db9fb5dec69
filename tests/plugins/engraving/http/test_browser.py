"""The page in a real Chromium, on `galvo run engraving`. With SCREENSHOTS=FOLDER its pictures are kept there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from PIL import Image

pytest.importorskip("playwright.sync_api", reason="the page's tests need playwright")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from galvo_engraving.accounts.tokens import COOKIE
from tests.chromium import FRAME, RULES, launched, needed
from tests.conftest import NUMBERS
from tests.plugins.engraving.http.shop_window import Window, opened
from tests.plugins.engraving.http.stand import PASSWORD

pytestmark = needed
PATIENCE = 20_000.0
"""Milliseconds: others work on this machine, too."""
SHOTS = "SCREENSHOTS" in os.environ
HOSTILE = '<img src=x onerror="document.title=1"><b>&amp;</b>\u202e{{7*7}}'
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
REFUSED = re.compile(r"status of 4(01|04|09|13|15|22)|ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_ABORTED")
"""What Chromium calls an error of the page, and is an answer that the page shows to people."""
Visitor = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as made:
        expect.set_options(timeout=PATIENCE)
        yield made
        expect.set_options(timeout=None)


@pytest.fixture(scope="module")
def shop(filled: str, server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    name = f"{filled}_{next(NUMBERS)}"
    with psycopg.connect(server_dsn, autocommit=True) as top:
        top.execute(f'create database "{name}" template "{filled}" strategy = file_copy')
        with opened(server_dsn.replace("/postgres?", f"/{name}?"), tmp_path_factory.mktemp("shop")) as made:
            yield made
        top.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def visitor(browser: Browser, shop: Window) -> Iterator[Visitor]:
    """Opens windows, each a browser of its own; whatever a page complains of fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def enter(path: str = "", *, role: str = "") -> Page:
        context = browser.new_context()
        contexts.append(context)
        if role:
            context.add_cookies([{"name": COOKIE, "value": shop.person(role)[1], "url": shop.url}])
        page = context.new_page()
        page.on("console", lambda said: said.type == "error" and errors.append(said.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(shop.url + path)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert [error for error in errors if not REFUSED.search(error)] == []


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pictures") / "portrait.png"
    Image.radial_gradient("L").resize((1200, 900)).save(file)
    return file


def title(page: Page, text: str) -> None:
    expect(page.locator("h1")).to_have_text(text)


def drawn(page: Page) -> None:
    expect(page.locator(".preview img").first).not_to_have_js_property("naturalWidth", 0)


def state(page: Page, text: str) -> None:
    expect(page.locator(".raster [role=status]")).to_contain_text(text, timeout=60_000)


def test_from_the_first_look_to_a_project(visitor: Visitor) -> None:
    page = visitor()
    title(page, "Templates")
    page.get_by_label("Search").fill("finger")
    expect(page.locator(".cards li")).to_have_count(1)
    page.get_by_role("link", name="Finger-joint box").click()
    title(page, "Finger-joint box")
    drawn(page)
    facts = page.locator(".preview [role=status]")
    before = facts.inner_text()
    width = page.get_by_role("spinbutton", name="Width")
    width.fill("210")
    expect(facts).not_to_have_text(before)
    page.get_by_role("link", name="Sign in to save it").click()
    form = page.locator("form", has_text="With your account")
    form.get_by_label("Email").fill("nobody@example.com")
    form.get_by_label("Password").fill("not this one")
    form.get_by_role("button").click()
    expect(form.locator(".notice")).to_have_text("Email or password are wrong.")
    form = page.locator("form", has_text="Make an account")
    for label, value in (("Email", "new@example.com"), ("Your name", "Ada"), ("Studio", "Loft"), ("Password", "short")):
        form.get_by_label(label).fill(value)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button").click()
    title(page, "Finger-joint box")  # back, with the measures as they were
    expect(width).to_have_value("210")
    width.fill("99999")
    expect(page.locator(".field", has=width).locator(".wrong")).not_to_be_empty()
    expect(width).to_have_attribute("aria-invalid", "true")
    width.fill("220")
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    page.get_by_label("Name of the project").fill("Seeds")
    page.get_by_role("button", name="Save as a project").click()
    title(page, "Seeds")
    expect(page.locator(".pairs").first).to_contain_text("220")
    drawn(page)
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("Seeds and bulbs")
    page.keyboard.press("Enter")
    title(page, "Seeds and bulbs")
    page.get_by_role("button", name="Order it").click()
    expect(page.get_by_role("region", name="Jobs").locator("tbody tr")).to_have_count(1)
    page.get_by_text("Earlier states", exact=True).click()
    page.get_by_role("button", name="Restore number 1").click()
    title(page, "Seeds")
    page.get_by_role("link", name="Projects").first.click()
    expect(page.locator(".rows li")).to_have_count(1)
    page.get_by_role("button", name="Sign out").click()
    title(page, "Templates")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_what_somebody_else_has_changed_meanwhile_is_not_overwritten(visitor: Visitor, shop: Window) -> None:
    page = visitor("#/templates/2", role="customer")
    page.get_by_label("Name of the project").fill("Tray")
    page.get_by_role("button", name="Save as a project").click()
    title(page, "Tray")
    number = page.url.rpartition("/")[2]
    page.get_by_role("button", name="Rename").click()
    page.route(
        f"**/api/projects/{number}",
        lambda route: route.abort() if route.request.method == "GET" else route.continue_(),
    )
    with psycopg.connect(shop.dsn, autocommit=True) as other:
        other.execute("update engraving.project set revision = revision + 1 where id = %s", (number,))
    page.get_by_role("textbox", name="Name").fill("Another tray")
    page.keyboard.press("Enter")
    expect(page.locator(".editing .notice")).to_be_visible()
    title(page, "Tray")


def test_a_picture_becomes_dots_and_the_second_time_they_are_there(visitor: Visitor, portrait: Path) -> None:
    page = visitor("#/pictures", role="customer")
    page.locator("input[type=file]").set_input_files(portrait)
    title(page, "portrait.png")
    page.get_by_role("spinbutton", name="Width").fill("600")  # large enough for its progress to be told
    page.evaluate(
        """() => { window.seen = new Set(); const bar = document.querySelector('progress');
        new MutationObserver(() => seen.add(bar.value)).observe(bar, { attributes: true }) }"""
    )
    page.get_by_role("button", name="Make the dots").click()
    state(page, "Made in")
    assert page.evaluate("Math.max(...seen)") > 0.1  # it was told how far it was
    expect(page.locator(".raster [role=status]")).to_contain_text("4,500 dots")
    expect(page.locator(".dots img")).to_have_js_property("naturalWidth", 6000)
    expect(page.locator("progress")).to_be_hidden()
    page.get_by_role("button", name="Make the dots").click()
    state(page, "From the cache in")
    page.get_by_label("Dither").select_option("ordered")
    page.get_by_role("button", name="Make the dots").click()
    state(page, "Made in")  # others are others


def test_pictures_are_dropped_and_what_is_none_is_refused(visitor: Visitor, portrait: Path) -> None:
    page = visitor("#/pictures", role="customer")
    title(page, "Pictures")
    drop = """([name, type, bytes]) => { const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], name, { type }));
        document.querySelector('.drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true })) }"""
    page.evaluate(drop, ["notes.txt", "text/plain", [65]])
    expect(page.locator(".drop .notice")).to_contain_text("notes.txt is no picture")
    page.evaluate(drop, ["broken.png", "image/png", [65, 66]])
    expect(page.locator(".drop .notice")).to_contain_text("broken.png:")
    page.evaluate(drop, ["portrait.png", "image/png", list(portrait.read_bytes())])
    title(page, "portrait.png")


def test_an_edit_appears_at_once_in_another_browser(visitor: Visitor, shop: Window) -> None:
    staff = visitor("#/templates/3", role="staff")
    customer = visitor("#/templates/3", role="customer")
    drawn(customer)
    customer.get_by_role("spinbutton", name="Width").fill("133")
    staff.get_by_role("button", name="Edit the summary").click()
    staff.get_by_role("textbox", name="Summary").fill("The lid comes off.")
    staff.keyboard.press("Enter")
    for page in (staff, customer):
        expect(page.locator(".lead")).to_have_text("The lid comes off.")
    expect(customer.get_by_role("spinbutton", name="Width")).to_have_value("133")  # nobody's typing is lost
    before = customer.locator(".preview img").get_attribute("src")
    material = customer.get_by_label("Material", exact=True).input_value()
    staff.goto(f"{shop.url}#/materials/{material}")
    staff.get_by_role("button", name="Edit: Cut 3\u202fmm").click()
    staff.get_by_role("spinbutton", name="Kerf").fill("0.44")
    staff.keyboard.press("Enter")
    expect(staff.locator("tbody")).to_contain_text("0.44\u202fmm")
    expect(customer.locator(".preview img")).not_to_have_attribute("src", before or "")


def test_a_session_that_has_ended_elsewhere(visitor: Visitor, shop: Window) -> None:
    page = visitor("#/projects", role="customer")
    title(page, "Projects")
    expect(page.get_by_label("Search")).to_be_visible()
    (cookie,) = page.context.cookies()
    shop.client.delete("/api/sessions/current", headers={"authorization": f"Bearer {cookie['value']}"})
    expect(page.get_by_role("link", name="Sign in or make an account")).to_be_visible()


def test_a_server_that_is_away_or_slow_is_told(visitor: Visitor) -> None:
    page = visitor("#/templates/1")
    drawn(page)
    page.context.set_offline(True)
    page.get_by_role("spinbutton", name="Width").fill("190")
    expect(page.locator("#trouble")).to_contain_text("The server does not answer")
    page.context.set_offline(False)
    expect(page.locator("#trouble")).to_be_hidden(timeout=15_000)
    page.route("**/preview*", lambda route: None)
    page.get_by_role("spinbutton", name="Width").fill("191")
    expect(page.locator("#trouble")).to_contain_text("longer than usual")
    page.unroute("**/preview*")
    page.get_by_role("spinbutton", name="Width").fill("192")
    expect(page.locator("#trouble")).to_be_hidden()


def test_text_stays_text(visitor: Visitor, shop: Window) -> None:
    _, token = shop.person("staff")
    shop.ask(token, "PATCH", "/templates/4", json={"name": HOSTILE, "summary": HOSTILE})
    page = visitor("#/templates/4", role="customer")
    title(page, HOSTILE)
    expect(page.locator(".lead")).to_have_text(HOSTILE)
    page.get_by_label("Name of the project").fill(HOSTILE)
    page.get_by_role("button", name="Save as a project").click()
    expect(page.get_by_role("button", name="Rename")).to_be_visible()
    title(page, HOSTILE)
    page.get_by_role("link", name="Projects").first.click()
    expect(page.locator(".rows h2")).to_have_text(HOSTILE)
    assert page.locator("main b").count() == 0
    assert page.title() == "Projects · Engraving"


def test_by_keyboard(visitor: Visitor) -> None:
    page = visitor(role="customer")
    title(page, "Templates")
    press(page, "Tab")
    expect(page.locator(".skip")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("#main")).to_be_focused()
    press(page, "Tab")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("finger")
    expect(page.locator(".cards li")).to_have_count(1)
    press(page, "Tab")
    expect(page.locator("#group-all")).to_be_focused()
    press(page, "ArrowRight")
    expect(page.locator("#group-boxes")).to_be_checked()
    press(page, "Tab")
    expect(page.get_by_role("link", name="Finger-joint box")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("h1", has_text="Finger-joint box")).to_be_focused()
    drawn(page)
    for _ in range(30):
        press(page, "Tab")
        if page.evaluate("document.activeElement.name") == "width":
            break
    before = page.locator(".preview [role=status]").inner_text()
    page.keyboard.type("205")
    expect(page.locator(".preview [role=status]")).not_to_have_text(before)
    for _ in range(30):
        press(page, "Shift+Tab")
        if page.evaluate("document.activeElement.name") == "name":
            break
    page.keyboard.type("By keyboard")
    press(page, "Enter")
    expect(page.locator("h1", has_text="By keyboard")).to_be_focused()


def press(page: Page, key: str) -> None:
    page.keyboard.press(key)


def test_what_is_documented_is_shown_without_anybody_elses_files(visitor: Visitor, shop: Window, shots: Path) -> None:
    page = visitor("docs")
    expect(page.locator(".opblock").first).to_be_visible(timeout=30_000)
    page.locator(".opblock-summary-control").first.click()
    expect(page.locator(".opblock-body").first).to_be_visible()
    addresses = page.evaluate("performance.getEntriesByType('resource').map(({name}) => name)")
    assert {address[: len(shop.url)] for address in addresses} == {shop.url}
    page.screenshot(path=shots / "docs.png")


def test_no_accessibility_violations_in_light_and_dark(
    visitor: Visitor, shop: Window, shots: Path, portrait: Path
) -> None:
    page = visitor("#/sign-in")
    look(page, shop, shots, [("sign-in", "#/sign-in", "form"), ("templates", "#/", ".cards li")])
    page = visitor("#/pictures", role="staff")
    page.locator("input[type=file]").set_input_files(portrait)
    title(page, "portrait.png")
    page.get_by_role("button", name="Make the dots").click()
    state(page, "% burned")
    check(page, shots, "picture")
    page.goto(shop.url + "#/templates/1")
    page.get_by_label("Name of the project").fill("A box")
    page.get_by_role("button", name="Save as a project").click()
    title(page, "A box")
    drawn(page)
    check(page, shots, "project")
    look(page, shop, shots, [
        ("template", "#/templates/1", ".preview img:not([hidden])"), ("materials", "#/materials", ".rows li"),
        ("material", "#/materials/32", "tbody tr"), ("projects", "#/projects", ".rows li"),
        ("pictures", "#/pictures", ".cards li"), ("account", "#/account", "form"), ("nothing", "#/nothing", "h1"),
    ])  # fmt: skip


def look(page: Page, shop: Window, shots: Path, views: list[tuple[str, str, str]]) -> None:
    for name, path, there in views:
        page.goto(shop.url + path)
        expect(page.locator(there).first).to_be_visible()
        page.evaluate("for (const section of document.querySelectorAll('details')) section.open = true")
        check(page, shots, name)


def check(page: Page, shots: Path, name: str) -> None:
    """No rule of axe is violated, and as wide as a phone nothing is wider."""
    expect(page.locator("main")).not_to_have_attribute("aria-busy", "true")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": 1280, "height": 860})
        page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        found = Axe().run(page, options=RULES[scheme])
        assert found.violations_count == 0, found.generate_report()
        if SHOTS:
            page.screenshot(path=shots / f"{name}-{scheme}.png")
        page.set_viewport_size({"width": 390, "height": 844})
        page.evaluate(FRAME)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, name
        if SHOTS:
            page.screenshot(path=shots / f"{name}-{scheme}-390.png", full_page=True)
