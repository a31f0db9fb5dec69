"""The code blocks of a Markdown page, run from top to bottom as its reader would: one folder, one database.

What each kind of block means: docs/CONVENTIONS.md. Python programs and `galvo` commands run in forks of one process
that has imported galvo already, under `-W error`; everything else in a shell.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from galvo.operating import plan
from tests.forking import Forks

ROOT = Path(__file__).parents[1]
FENCE = re.compile(
    r"""(?:^\ *<!--\ blocks:\ (?P<directive>.*)\ -->\n)?
    ^(?P<indent>\ *)(?P<ticks>`{3,})(?P<language>\w*)(?:\ title="(?P<title>[^"]*)")?.*\n
    (?P<text>(?:.*\n)*?)
    ^(?P=indent)(?P=ticks)$""",
    re.M | re.X,
)
ELSEWHERE = re.compile(r"^<!-- blocks: tested by (.+) -->$", re.M)
BACKGROUND = re.compile(r'background until "(.+)"')
SHOWN = re.compile(r'shown "(.+)"')
EXIT = re.compile(r"\s{2,}# exit (\d+)$")
REMARK = re.compile(r"\s{2,}# .*$")
ASKING = {"enable": "--pid ", "disable": "--pid ", "reload": "--pid ", "changes": "--pid ", "explain": "--pid ",
          "status": "", "top": "", "memory": ""}  # fmt: skip
"""Commands that ask a running application, and how they are told which: other tests run beside it."""
SHELLISH = re.compile(r"[|&;<>$`*(){}]")
PATIENCE = 60.0
"""Seconds for an application to say that it is there, or to end."""


class Block(NamedTuple):
    """One fenced block."""

    language: str
    title: str
    text: str
    directive: str
    line: int

    @property
    def shown(self) -> str:
        """Why it is not run, or ""."""
        match = SHOWN.fullmatch(self.directive)
        return match[1] if match else ""


def blocks(text: str) -> list[Block]:
    """In order. Raises AssertionError for a directive that nobody knows."""
    found = []
    for match in FENCE.finditer(text):
        directive = match["directive"] or ""
        assert not directive or BACKGROUND.fullmatch(directive) or SHOWN.fullmatch(directive), directive
        line = text.count("\n", 0, match.start("ticks")) + 1
        inner = textwrap.dedent(match["text"]) if match["indent"] else match["text"]
        found.append(Block(match["language"], match["title"] or "", inner, directive, line))
    return found


class Page:
    """A page that is being run."""

    def __init__(self, name: str, text: str, folder: Path, forks: Forks, given: Mapping[str, str]) -> None:
        self.name = name
        self.folder = folder
        self._forks = forks
        self._port = str(free_port())
        self._blocks = blocks(text)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        # `make test` runs this, and a page's own `make` is to know nothing of it.
        ours = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        self._environment = {**ours, **given, "PATH": path, "COLUMNS": "80", "NO_COLOR": "1"}
        self._background: list[subprocess.Popen[bytes]] = []
        if "\n$ galvo lock\n" not in text:  # which makes a new one
            shutil.copy(ROOT / "entrypoints.toml", folder)

    def run(self) -> None:
        """Every block; raises AssertionError with the page's line."""
        try:
            for block, following in zip(self._blocks, [*self._blocks[1:], None], strict=True):
                output = following and not (following.language or following.shown or following.text.startswith("$ "))
                expected = following.text if following and output else None
                self._run(block, expected)
        finally:
            self._end()

    def _run(self, block: Block, expected: str | None) -> None:
        where = f"{self.name}:{block.line}"
        text = self._ported(block.text)
        if block.shown:
            if block.language == "python":
                compile(text, where, "exec", flags=0x2000)  # PyCF_ALLOW_TOP_LEVEL_AWAIT: fragments may await
        elif block.title:
            path = self.folder / block.title
            assert path.resolve().is_relative_to(self.folder.resolve()), where
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif match := BACKGROUND.fullmatch(block.directive):
            self._start(text.strip().removeprefix("$ "), self._ported(match[1]), where)
        elif block.language == "python":
            code, out, err = self._forks.python(text, self.folder, self._environment)
            assert (code, err) == (0, ""), f"{where}: exit {code}\n{err}"
            self._compare(where, expected, out)
        elif block.language == "sh":
            said = "".join(self._command(line, 0, where) for line in commands(text))
            self._compare(where, expected, said)
        elif block.language == "console":
            for command, printed in transcript(text):
                match = EXIT.search(command)
                said = self._command(REMARK.sub("", command), int(match[1]) if match else 0, where)
                self._compare(f"{where}: {command}", printed, said)
        elif block.language == "toml":
            check_toml(text)

    def _ported(self, text: str) -> str:
        return re.sub(r"\b8000\b", self._port, text)

    def _compare(self, where: str, expected: str | None, printed: str) -> None:
        if expected is not None:
            wanted = self._ported(expected)
            assert matches(wanted, printed), f"{where}\n--- the page says\n{wanted}\n--- it prints\n{printed}"

    def _command(self, line: str, code: int, where: str) -> str:
        """What it prints."""
        if line.startswith("pip install"):
            return ""
        line = self._asking(line)
        if not SHELLISH.search(line):
            words = shlex.split(line)
            environment = dict(self._environment)
            while "=" in words[0]:
                name, _, value = words.pop(0).partition("=")
                environment[name] = value
            run = self._forks.programs.get(words[0])
            if run is not None and (words[0] != "python" or words[1].endswith(".py")):
                got, out, err = run(words[1:], self.folder, environment)
                assert got == code, f"{where}: {line}: exit {got}\n{out}{err}"
                return out + err
        there = ROOT if line.startswith("make ") else self.folder
        done = subprocess.run(
            ["bash", "-c", re.sub(r"^make ", "make --dry-run ", line)],
            cwd=there, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert done.returncode == code, f"{where}: {line}: exit {done.returncode}\n{done.stdout}"
        return done.stdout

    def _asking(self, line: str) -> str:
        words = line.split()
        if self._background and words[0] == "galvo" and words[1] in ASKING and "--pid" not in words:
            return f"{line} {ASKING[words[1]]}{self._background[-1].pid}"
        return line

    def _start(self, command: str, until: str, where: str) -> None:
        log = self.folder / f".background-{len(self._background)}.log"
        with log.open("wb") as file:
            program = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self._environment | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._background.append(program)
        deadline = time.monotonic() + PATIENCE
        while until not in log.read_text():
            ended = program.poll() is not None
            assert not ended, f"{where}: {command} ended\n{log.read_text()}"
            assert time.monotonic() < deadline, f"{where}: {command} does not say {until!r}\n{log.read_text()}"
            time.sleep(0.02)

    def _end(self) -> None:
        for program in self._background:
            program.send_signal(signal.SIGTERM)
        for program in self._background:
            try:
                program.wait(PATIENCE)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(program.pid, signal.SIGKILL)


def commands(text: str) -> Iterator[str]:
    """The commands of a shell block, without comments; a backslash continues a line."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            yield REMARK.sub("", line).strip()


def transcript(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with what it prints."""
    for part in re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.M)[1:]:
        command, _, printed = part.partition("\n")
        yield command.strip(), printed


def matches(expected: str, printed: str) -> bool:
    """`...` is anything within its line; a line of nothing else is any lines, or none."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()).replace(r"\.\.\.", ".*") + r"\n"
        for line in expected.rstrip().splitlines()
    )
    lines = [line.rstrip() for line in printed.rstrip().splitlines()]
    return re.fullmatch(pattern, "\n".join([*lines, ""] if lines else lines)) is not None


def check_toml(text: str) -> None:
    """It is TOML, and if it has tables of plugins only they hold what these plugins take."""
    tables = tomllib.loads(text)
    known = {listing.name for listing in plan(ROOT, warn=False).blueprints} | {"kernel"}
    if tables and tables.keys() <= known:
        plan(ROOT, tables, everything=True, warn=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])
