"""asyncpg's sdist, of the version that is installed: its tests are in no wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from importlib.metadata import version
from pathlib import Path

WANTED = ("tests", "pyproject.toml")


class NoSources(Exception):
    """The sdist cannot be had. One sentence."""


def cache_folder() -> Path:
    """Where the sdist and the logs are kept between runs."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "galvo" / "asyncpg-suite"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sources() -> Path:
    """The unpacked sdist, downloaded once. Raises NoSources."""
    release = f"asyncpg-{version('asyncpg')}"
    kept = cache_folder() / release
    if not kept.is_dir():
        with tempfile.TemporaryDirectory(prefix="new-", dir=kept.parent) as folder:
            with tarfile.open(_download(release.replace("-", "=="), Path(folder))) as archive:
                _unpack(archive, Path(folder))
            unpacked = Path(folder) / release
            if missing := [name for name in WANTED if not (unpacked / name).exists()]:
                raise NoSources(f"the sdist of {release} has no {missing[0]}")
            try:
                unpacked.rename(kept)
            except OSError:
                if not kept.is_dir():  # another process was faster
                    raise
    return kept


def copy_tests(target: Path) -> None:
    """Make `target`: the tests, and the configuration that pytest needs to run them as asyncpg's authors do."""
    kept = sources()
    # Not as `tests`: that is the name of ours.
    shutil.copytree(kept / "tests", target / "asyncpg_tests")
    shutil.copy(kept / "pyproject.toml", target)


def _download(requirement: str, folder: Path) -> Path:
    # `asyncpg` and not `:all:`: what its build needs may come as wheels.
    words = ["download", "--quiet", "--no-deps", "--no-binary", "asyncpg", "--dest", str(folder), requirement]
    done = subprocess.run([_with_pip(folder), "-m", "pip", *words], capture_output=True, text=True)
    found = [*folder.glob("asyncpg-*.tar.gz")]
    if done.returncode or not found:
        complaint = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = complaint[-1].removeprefix("ERROR: ") if complaint else f"pip ended with {done.returncode}"
        raise NoSources(f"cannot download the sdist {requirement} with pip: {reason}")
    return found[0]


def _with_pip(folder: Path) -> str:
    """A Python that has pip: this one, or where uv made it without, a new one."""
    if importlib.util.find_spec("pip"):
        return sys.executable
    venv.create(folder / "venv", with_pip=True)
    return str(folder / "venv" / "bin" / "python")


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Nothing of it goes elsewhere. Raises NoSources."""
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
        return
    # Python 3.11.0 to 3.11.3 has no filters.
    for member in archive.getmembers():
        inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
        if not inside or not (member.isfile() or member.isdir()):
            raise NoSources(f"the sdist would write {member.name}, which is not below its folder")
    archive.extractall(folder)  # noqa: S202  # looked at
