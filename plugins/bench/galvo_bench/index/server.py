"""A private PostgreSQL of Debian's packages, which has HypoPG, for one run. What is in it is thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from galvo import GalvoError

OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "autovacuum": "off",  # it would change statistics between two measurements
    "shared_buffers": "1GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "512MB",
    "effective_cache_size": "4GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # a backend's CPU is then that of its query
    "max_wal_size": "4GB",
    "max_connections": "200",
}
"""Those of the comparison in which the peers were measured first."""


def programs() -> Path:
    """The folder of the newest server's programs. Raises GalvoError when there is none."""
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "postgres").exists()]
    if not found:
        raise GalvoError("no PostgreSQL in /usr/lib/postgresql: install Debian's postgresql, or give --url")
    return max(found, key=lambda path: int(path.parent.name))


@contextmanager
def server(options: Mapping[str, str] = OPTIONS, where: str | None = None) -> Iterator[str]:
    """Yields the URL of its maintenance database, on a unix socket. As root it runs as `postgres`.

    `where`: the folder to make its own in; None: that of temporary files. Raises GalvoError.
    """
    bin = programs()
    folder = Path(tempfile.mkdtemp(prefix="galvo-debian-", dir=where))
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, account.pw_uid, account.pw_gid)

    def run(program: str, *arguments: str | Path) -> None:
        """In a session of its own, or Ctrl-C would end the server before its clients."""
        with (folder / "errors").open("wb") as errors:
            done = subprocess.run(
                [bin / program, "-D", folder / "data", *arguments],
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=[] if os.geteuid() == 0 else None,
                start_new_session=True,
                cwd=folder,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        if done.returncode:
            reason = [*(folder / "errors").read_text(errors="replace").split("\n"), ""][0]
            raise GalvoError(f"the private PostgreSQL does not start ({program}: {reason}): give --url")

    try:
        run("initdb", "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        settings = [f"{name} = '{value}'" for name, value in options.items()]
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write("\n".join(["", f"unix_socket_directories = '{folder}'", *settings, ""]))
        run("pg_ctl", "-w", "-l", folder / "log", "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
