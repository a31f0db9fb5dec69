"""A private PostgreSQL of Debian's packages, which has HypoPG, for one run. What is in it is thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil

from galvo import GalvoError
from galvo_bench.running.tied import tied

INITDB = ("-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
PREFIX = "galvo-indexes-"
"""Of its folder; then the process that it belongs to."""
SECONDS = 60.0
"""That it has to start."""
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
    _sweep(Path(where or tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=where))
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, account.pw_uid, account.pw_gid)

    account_of: dict[str, Any] = {
        "user": account.pw_uid,
        "group": account.pw_gid,
        "extra_groups": [] if os.geteuid() == 0 else None,
        "start_new_session": True,  # or Ctrl-C would end the server before its clients
        "cwd": folder,
        "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        "stdout": subprocess.DEVNULL,
    }
    try:
        with (folder / "errors").open("w+b") as errors:
            words = [str(bin / "initdb"), "-D", str(folder / "data"), *INITDB]
            if subprocess.run(words, stderr=errors, **account_of).returncode:
                raise _failed("initdb", folder)
            settings = [f"{name} = '{value}'" for name, value in options.items()]
            with (folder / "data" / "postgresql.conf").open("a") as file:
                file.write("\n".join(["", f"unix_socket_directories = '{folder}'", *settings, ""]))
            words = [str(bin / "postgres"), "-D", str(folder / "data")]
            process = subprocess.Popen(words, stderr=errors, preexec_fn=tied(signal.SIGQUIT), **account_of)
        try:
            _wait_for(process, folder)
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing is kept
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(process: subprocess.Popen[Any], folder: Path) -> None:
    """Until it takes connections. Raises GalvoError."""
    state = folder / "data" / "postmaster.pid"
    until = monotonic() + SECONDS
    while not (state.is_file() and state.read_text().rstrip().endswith("ready")):
        if process.poll() is not None or monotonic() > until:
            raise _failed("postgres", folder)
        sleep(0.02)


def _failed(program: str, folder: Path) -> GalvoError:
    reason = [*(folder / "errors").read_text(errors="replace").split("\n"), ""][0]
    return GalvoError(f"the private PostgreSQL does not start ({program}: {reason}): give --url")


def _sweep(place: Path) -> None:
    """What a process that was killed has left: its server has ended with it, its folder has not."""
    for folder in place.glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
