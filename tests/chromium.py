"""The browser of the tests: Chromium's headless shell where it is installed, which takes a fifth less time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path(shutil.which("chromium-headless-shell") or "/usr/bin/chromium")
needed = pytest.mark.skipif(not CHROMIUM.exists() and "NO_SKIPS" not in os.environ, reason="Chromium is not installed")
FRAME = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Resolved when what has changed is laid out."""
RULES = {"light": {"resultTypes": ["violations"]}, "dark": {"runOnly": ["color-contrast"]}}
"""Of axe's: all the others are the same in the dark."""


@contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()
