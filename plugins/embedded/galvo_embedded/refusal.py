"""Why a server cannot start, as one sentence that names the thing to change."""

from __future__ import annotations

import errno
import re
import shutil
from pathlib import Path

SETTING = "GALVO_EMBEDDED__DATA"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_NEARLY_FULL = 1 << 20
_COMPLAINT = re.compile(r"(?:FATAL|PANIC|ERROR|error|Error):?\s+(.+)")


class Refused(Exception):
    """A server cannot start. The text is one sentence without the plugin's name."""


def full(where: Path | str) -> str:
    return f"no space left on {where}: free some or set {SETTING} to a folder on another disk"


def from_os_error(error: OSError, folder: Path) -> str:
    """The sentence for an `error` met while a server's `folder` was prepared."""
    where = error.filename or folder
    if error.errno in _FULL:
        return full(where)
    if error.errno in _FORBIDDEN:
        return f"cannot write {where} ({error.strerror}): make it writable for this user or set {SETTING}"
    if isinstance(error, NotADirectoryError | FileExistsError):
        return f"{where} is or lies below a file: remove that file or set {SETTING} to a folder"
    return f"cannot use {where} ({error.strerror or error}): set {SETTING} to another folder"


def from_output(output: str, folder: Path) -> str:
    """The sentence for a program that failed with `output`, or with none because the disk is full."""
    if "No space left on device" in output:
        return full("/dev/shm" if "shared memory segment" in output else folder)  # noqa: S108
    if nearly_full(folder):
        return full(folder)
    return last_complaint(output)


def nearly_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _NEARLY_FULL
    except OSError:
        return False


def last_complaint(output: str) -> str:
    """The last line of `output` that says what is wrong, without its time and level."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    complaints = [found[1] for line in lines if (found := _COMPLAINT.search(line))]
    return (complaints or lines or ["it said nothing"])[-1]
