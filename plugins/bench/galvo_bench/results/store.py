"""Runs as files: whole or not there, whenever the writer is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from galvo import GalvoError
from galvo_bench.results.model import Run
from galvo_bench.results.usage import Usage

LAST = Path(".galvo/bench/last.json")
"""The last run, written again after each of its subjects."""


def encoded(run: Run) -> str:
    """JSON, with a word on whether it is partial."""
    found = {"partial": run.partial, **msgspec.to_builtins(run)}
    return msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"


def save(path: Path, run: Run) -> None:
    """Raises GalvoError when it cannot be written."""
    write_text(path, encoded(run))


def load(path: Path) -> Run:
    """Raises Usage when there is none, or something else."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Run)
    except OSError as error:
        raise Usage(f"no run in {path}: run `galvo bench` first, or name another ({error.strerror})") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Usage(f"{path} is not a run of this `galvo bench`, maybe of an older one: {error}") from None


def write_text(path: Path, text: str) -> None:
    """Whoever reads `path` meanwhile sees the old text or the new one. Raises GalvoError."""
    with _place(path) as real:
        if real.exists() and not real.is_file():  # a pipe or a terminal; of a folder this is an error
            real.write_text(text, "utf-8")
            return
        fresh = _beside(real)
        try:
            fresh.write_text(text, "utf-8")
            fresh.replace(real)
        finally:
            fresh.unlink(missing_ok=True)


def must_be_writable(path: Path) -> None:
    """Before a run whose results go there. Makes its folder and no file. Raises GalvoError."""
    with _place(path) as real:
        if real.exists():
            with real.open("ab"):
                pass
        if real.is_file() or not real.exists():
            _beside(real).touch()
            _beside(real).unlink()


@contextmanager
def _place(path: Path) -> Iterator[Path]:
    """Where `path` leads to, so that a link goes on being one; its folder exists."""
    real = path.resolve()
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        yield real
    except FileExistsError:
        raise GalvoError(f"cannot write {path}: {real.parent} is not a directory") from None
    except OSError as error:
        raise GalvoError(f"cannot write {path}: {error.strerror}") from None


def _beside(real: Path) -> Path:
    return real.with_name(f".{real.name}.{os.getpid()}")
