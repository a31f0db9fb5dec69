"""Programs of Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

IN_CI = "NO_SKIPS" in os.environ  # read before conftest.py clears such variables


def program(name: str, package: str) -> str:
    """Skips the test where it is not installed, which CI does not accept."""
    if found := shutil.which(name):
        return found
    reason = f"{name} is not installed (Debian's {package})"
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("promtool", "prometheus"), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
