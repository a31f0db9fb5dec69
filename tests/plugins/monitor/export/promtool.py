"""Prometheus' own judgement of what is written for it: Debian's package `prometheus` has promtool."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

IN_CI = "NO_SKIPS" in os.environ


def promtool(*arguments: str, told: str = "") -> subprocess.CompletedProcess[str]:
    """`told` is its standard input. Skips the test where it is not installed, and fails it there in CI."""
    program = shutil.which("promtool")
    if program is None:
        if IN_CI:
            pytest.fail("promtool is missing: .ci/debian installs it")
        pytest.skip("promtool is missing: apt-get install prometheus")
    return subprocess.run([program, *arguments], input=told, capture_output=True, text=True, timeout=60)
