"""A folder with these files, or nothing at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from galvo.errors import GalvoError


def written(folder: Path, files: Mapping[str, str]) -> None:
    """Make `folder`, which must not exist or be empty. Raises GalvoError; then nothing has changed."""
    place = folder.absolute()  # a link keeps leading where it leads
    try:
        exists = place.exists() or place.is_symlink()
        if exists and (not place.is_dir() or any(place.iterdir())):
            raise GalvoError(f"{folder} is there already and not empty: name another with --folder")
        # In the folder itself where it exists: somebody may stand in it, and then it must stay the same one.
        beside = (place if exists else _parent(folder)) / f".galvo-new-{secrets.token_hex(4)}"
        beside.mkdir()
        try:
            for path, text in files.items():
                (beside / path).parent.mkdir(parents=True, exist_ok=True)
                (beside / path).write_text(text, "utf-8")
            if exists:
                _move_up(beside)
            else:
                beside.rename(place)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    except OSError as error:
        raise GalvoError(f"cannot write {folder}: {error.strerror}") from error


def _parent(folder: Path) -> Path:
    parent = folder.absolute().parent
    if not parent.is_dir():
        raise GalvoError(f"there is no folder {folder.parent} to put {folder.name} in: make it first")
    return parent


def _move_up(beside: Path) -> None:
    moved: list[Path] = []
    try:
        for child in beside.iterdir():
            target = child.rename(beside.parent / child.name)
            moved.append(target)
        beside.rmdir()
    except BaseException:
        for child in moved:
            child.rename(beside / child.name)
        raise
