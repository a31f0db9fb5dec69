"""What the README says beside its blocks, which tests/docs/test_blocks.py runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from galvo import hookspecs
from tests.blocks import blocks, commands

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")
BLOCKS = blocks(TEXT)


def test_the_first_block_starts_the_embedded_server(folder: Path) -> None:
    """Without a URL, as a newcomer runs it."""
    first = next(block.text for block in BLOCKS if block.language == "python")
    done = subprocess.run([sys.executable, "-c", first], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    assert (folder / ".galvo").is_dir()


def test_shell_blocks() -> None:
    """The two commands are there, and the one that switches the cache off does."""
    lines = [line for block in BLOCKS if block.language == "sh" for line in commands(block.text)]
    assert {"make demo", "make test"} <= set(lines)
    (command,) = [line for line in lines if "galvo plugins" in line]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True)  # noqa: S602
    assert done.returncode == 0, done.stderr
    assert re.search(r"cache +off", done.stdout)


def test_pip_line_names_all_of_our_projects() -> None:
    """And no page has another."""
    line = next(line for block in BLOCKS for line in block.text.splitlines() if line.startswith("pip install"))
    folders = [folder for pattern in line.split()[2:] for folder in ROOT.glob(pattern)]
    for folder in folders:
        assert tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"].startswith("galvo")
    made = subprocess.run(["make", "-pn", "clean"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (projects,) = re.findall(r"^PROJECTS := (.*)$", made, re.M)
    assert {ROOT / project for project in projects.split()} == set(folders)
    pages = [path.read_text("utf-8") for path in ROOT.glob("docs/*/*.md")]
    lines = [found for page in pages for found in re.findall(r"^pip install \S*/kernel.*$", page, re.M)]
    assert lines
    assert {found.replace("../galvo/", "./") for found in lines} == {line}


def test_toml_blocks() -> None:
    tables = [tomllib.loads(block.text) for block in BLOCKS if block.language == "toml"]
    assert tables == [
        {"cache": {"redis": "redis://localhost:6379/0"}},
        {"tasks": {"broker": "embedded", "app": "shop:app"}},
        {"cache": {"on": False}},
    ]


def test_hook_table_is_the_specifications() -> None:
    table = re.search(r"<!-- hooks -->\n(.*?)<!-- /hooks -->", TEXT, re.S)
    assert table is not None
    assert table[1].strip() in (hookspecs.__doc__ or "")
    assert re.findall(r"`(\w+)` \| (\w+)", table[1]) == list(hookspecs.KINDS.items())
