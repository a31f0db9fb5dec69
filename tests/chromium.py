"""The browser of the tests: Chromium's headless shell where it is installed, which takes a fifth less time."""

from __future__ import annotations

import shutil
from pathlib import Path

CHROMIUM = Path(shutil.which("chromium-headless-shell") or "/usr/bin/chromium")
