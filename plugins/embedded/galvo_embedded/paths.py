"""Where data lives: one folder per server, `<data>/postgres-18` and `<data>/redis`.

Inside: start.lock, keeper.lock, server.lock, users.lock (see keeper.py), url, log, sockets (a link), data/.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from galvo_embedded.account import Account
from galvo_embedded.binaries import ROOT_LIBRARY
from galvo_embedded.refusal import SETTING, Refused

_LONGEST_SOCKET = 100
"""Bytes; sun_path holds 107 on Linux and 103 on macOS."""


def asked(data: Path) -> Path:
    """`data` as an absolute path."""
    return Path(os.path.abspath(data.expanduser()))


def place(data: Path, account: Account) -> Path:
    """The data folder to use: `data`, or a public one when the servers' account cannot get to it."""
    wanted = asked(data)
    if account.reaches(wanted.resolve()):
        return wanted
    return ROOT_LIBRARY / hashlib.sha1(os.fsencode(wanted), usedforsecurity=False).hexdigest()[:12]


def claim(folder: Path, account: Account) -> None:
    """Make the server's `folder`, or check that it is one. Raises Refused when it is not, and OSError."""
    for part in (*reversed(folder.parents), folder):
        if not part.exists():
            part.mkdir(exist_ok=True)
            if account.switched:
                part.chmod(0o711)
    names = os.listdir(folder)
    if names and "start.lock" not in names:
        raise Refused(f"{folder} holds files that are not galvo's: empty it or set {SETTING} to another folder")


def socket_folder(link: Path, account: Account) -> Path:
    """The private folder that `link` points to, emptied: the one of before, where the programs that use a server that
    has ended look for it, or a new one with a path short enough for a Unix socket. Raises OSError.
    """
    if (kept := _kept(link, account)) is not None:
        _empty(kept)
        return kept
    remove_sockets(link)
    folder = private_folder(account)
    link.symlink_to(folder)
    return folder


def private_folder(account: Account) -> Path:
    """A new one of `account`'s, with a path short enough for a Unix socket. Raises OSError."""
    parent = Path(tempfile.gettempdir())
    longest = len(os.fsencode(parent)) + len("/galvo-12345678/.s.PGSQL.5432.lock")
    if longest > _LONGEST_SOCKET or not account.reaches(parent):
        parent = Path("/tmp")  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="galvo-", dir=parent))
    account.give(folder)
    return folder


def _kept(link: Path, account: Account) -> Path | None:
    try:
        folder = Path(os.readlink(link))
        found = folder.lstat()
    except OSError:
        return None
    # Below /tmp: it may have been tidied away, and somebody else may have taken its name.
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
    return folder if private and found.st_uid == account.uid and folder.name.startswith("galvo-") else None


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        entry.unlink(missing_ok=True)


def remove_sockets(link: Path) -> None:
    """Remove the socket folder that `link` points to, then the link; missing ones are fine."""
    try:
        folder = Path(os.readlink(link))
    except OSError:
        return
    with contextlib.suppress(OSError):
        if folder.name.startswith("galvo-"):
            _empty(folder)
        folder.rmdir()
    link.unlink(missing_ok=True)
