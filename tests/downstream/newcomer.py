"""Somebody who follows a page in a shell: an empty folder, and no environment but the one that the page makes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.blocks import Page, blocks, free_port

STATE = """
[ ! -f "$NEWCOMER" ] || . "$NEWCOMER"
{line}
code=$?
{{ declare -px; printf 'cd %q\\n' "$PWD"; }} > "$NEWCOMER"
exit $code
"""
"""One command of a session: the folder and the environment are those that the last one has left."""


class Newcomer(Page):
    """Runs every command as it is written: `cd`, `pip`, `make`."""

    def __init__(self, path: Path, folder: Path, given: Mapping[str, str]) -> None:
        self.name = path.name
        self.folder = folder
        self._port = str(free_port())
        self._blocks = blocks(path.read_text("utf-8"))
        self._background: list[subprocess.Popen[bytes]] = []
        state = folder.with_name(f"{folder.name}.session")
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GALVO_", "MAKE", "PYTHON", "VIRTUAL_"))
        }
        path_ = f"{folder}/.venv/bin:{os.environ['PATH']}"  # for what runs in the background; the session activates it
        self._environment = {**ours, **given, "NEWCOMER": str(state), "PATH": path_, "COLUMNS": "80", "NO_COLOR": "1"}

    def _command(self, line: str, code: int, where: str) -> str:
        done = subprocess.run(
            ["bash", "-c", STATE.format(line=self._asking(line))],
            cwd=self.folder, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert done.returncode == code, f"{where}: {line}: exit {done.returncode}\n{done.stdout}"
        return done.stdout
