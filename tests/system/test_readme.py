"""Every code block of the README runs, and prints what the README says it prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from galvo import hookspecs
from galvo.discovery import GROUP

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")
BLOCKS = [(match[1], match[2]) for match in re.finditer(r"^```(\w*)\n(.*?)^```$", TEXT, re.M | re.S)]
PROGRAMS = [
    (code, BLOCKS[place + 1][1] if place + 1 < len(BLOCKS) and BLOCKS[place + 1][0] == "" else None)
    for place, (language, code) in enumerate(BLOCKS)
    if language == "python"
]


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_python_block(number: int, dsn: str, tmp_path: Path) -> None:
    code, expected = PROGRAMS[number]
    shutil.copy(ROOT / "entrypoints.toml", tmp_path)
    environment = {**os.environ, "GALVO_POOL__URL": dsn, "DATABASE_URL": dsn}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.returncode == 0
    if expected is not None:
        assert done.stdout == expected


def test_the_first_block_starts_the_embedded_server(folder: Path) -> None:
    """Without a URL, as a newcomer runs it."""
    done = subprocess.run([sys.executable, "-c", PROGRAMS[0][0]], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    assert (folder / ".galvo").is_dir()


def test_shell_blocks() -> None:
    """`make` is asked what it would do, because this is `make test`; the galvo command runs."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    commands = [line for language, code in BLOCKS if language == "sh" for line in code.splitlines()]
    assert {"make demo", "make test"} <= set(commands)
    for line in commands:
        if line.startswith("pip install"):
            continue
        command = line.replace("make ", "make --dry-run ")
        done = subprocess.run(command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True)  # noqa: S602
        assert done.returncode == 0, done.stderr
        if "galvo plugins" in line:
            assert re.search(r"cache +off", done.stdout)


def test_pip_line_names_our_projects() -> None:
    line = next(line for _, code in BLOCKS for line in code.splitlines() if line.startswith("pip install"))
    for folder in line.split()[2:]:
        assert tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]["name"].startswith("galvo")


def test_toml_blocks() -> None:
    tables = [tomllib.loads(code) for language, code in BLOCKS if language == "toml"]
    assert tables == [
        {"cache": {"redis": "redis://localhost:6379/0"}},
        {"tasks": {"broker": "embedded", "app": "shop:app"}},
        {
            "project": {
                "name": "galvo-greeter",
                "version": "0.1.0",
                "dependencies": ["galvo"],
                "entry-points": {GROUP: {"greeter": "my_package:Greeter"}},
            }
        },
        {"cache": {"on": False}},
    ]


def test_hook_table_is_the_specifications() -> None:
    table = re.search(r"<!-- hooks -->\n(.*?)<!-- /hooks -->", TEXT, re.S)
    assert table is not None
    assert table[1].strip() in (hookspecs.__doc__ or "")
    assert re.findall(r"`(\w+)` \| (\w+)", table[1]) == list(hookspecs.KINDS.items())
