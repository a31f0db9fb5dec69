"""Who the servers run as: this user, or `nobody` when this user is root, whom PostgreSQL refuses."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from galvo_embedded.refusal import Refused


class PopenUser(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int
    switched: bool
    """True when it is not the account of this process."""

    @property
    def popen(self) -> PopenUser:
        """Keyword arguments that make `subprocess.Popen` run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switched else {}

    def give(self, path: Path) -> None:
        """Make it the owner of `path`, which must be ours. Raises OSError."""
        if self.switched:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Whether it can traverse every folder that exists on the way to `path`."""
        if not self.switched:
            return True
        folders = [path, *path.parents]
        return all(self._may_search(os.stat(folder)) for folder in folders if folder.is_dir())

    def _may_search(self, found: os.stat_result) -> bool:
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def server_account() -> Account:
    """The account for servers. Raises Refused for a root without a `nobody` to become."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switched=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Refused("PostgreSQL does not run as root and there is no user nobody: run as a normal user") from None
    return Account(nobody.pw_uid, nobody.pw_gid, switched=True)
