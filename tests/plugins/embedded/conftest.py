"""Real servers in real folders, used by real processes that can be killed."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import psutil
import pytest

from galvo_embedded import Servers
from galvo_embedded.paths import remove_sockets

_HOST = """
import asyncio, sys
from pathlib import Path
from galvo_embedded import Servers
from galvo_embedded.paths import remove_sockets
servers = Servers(Path(sys.argv[1]), options={"fsync": "off"})
print(asyncio.run(getattr(servers, sys.argv[2])()), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until a condition is true, or fail after 20 s."""

    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.005)

    return wait


def _wait_for_the_end(folder: Path) -> None:
    for name in ("keeper.lock", "server.lock"):
        for path in folder.rglob(name):
            with open(path) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)


def remove(folder: Path) -> None:
    """Remove a folder of ours; refuse when anything is mounted in it.

    Removing follows mounts, also those that a failed umount left: it would delete what was mounted.
    Reading the mounts is the only safe check, because a bind mount may have the folder's own device.
    """
    for line in Path("/proc/self/mountinfo").read_text().splitlines() if sys.platform == "linux" else ():
        mounted = Path(line.split()[4])
        assert not mounted.is_relative_to(folder.resolve()), f"{mounted} is still mounted: nothing was removed"
    shutil.rmtree(folder)


def _nothing_is_left(folder: Path) -> None:
    _wait_for_the_end(folder)
    assert not processes_in(folder)
    for link in folder.glob("*/sockets"):  # Of a keeper that was killed; the next one would remove them.
        remove_sockets(link)


@pytest.fixture
def ended() -> Callable[[Path], None]:
    """Wait until no keeper and no server below a folder is left: they hold locks while they live."""
    return _wait_for_the_end


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder that user nobody can get to, which pytest's tmp_path is not."""
    folder = Path(tempfile.mkdtemp(prefix="galvo-test-"))
    folder.chmod(0o711)
    yield folder
    _nothing_is_left(folder)
    remove(folder)


@pytest.fixture(scope="session")
def seed() -> Iterator[Path]:
    """A data folder in which initdb has run."""
    folder = Path(tempfile.mkdtemp(prefix="galvo-test-"))
    folder.chmod(0o711)
    servers = Servers(folder, options={"fsync": "off"})
    anyio.run(servers.postgres)
    servers.close()
    _wait_for_the_end(folder)
    yield folder
    remove(folder)


@pytest.fixture
def warm(seed: Path) -> Iterator[Path]:
    """A data folder in which initdb has run, for tests that leave it as they found it."""
    yield seed
    _nothing_is_left(seed)


@pytest.fixture
def seeded(folder: Path, seed: Path) -> Path:
    """A data folder of the test's own in which initdb has run."""
    subprocess.run(["cp", "-a", seed / "postgres-18", folder], check=True)
    return folder


@pytest.fixture
def make() -> Iterator[Callable[..., Servers]]:
    """Make Servers that are closed after the test."""
    made: list[Servers] = []

    def make(folder: Path, **options: object) -> Servers:
        made.append(Servers(folder, **({"options": {"fsync": "off"}} | options)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for servers in made:
        servers.close()


class Host:
    """A process of its own that uses one server until its stdin ends."""

    def __init__(self, folder: Path, server: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HOST, folder, server],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def url(self) -> str:
        """The URL that it got; waits for it."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> None:
        """Let it end by itself."""
        self.process.communicate()


@pytest.fixture
def host() -> Iterator[Callable[..., Host]]:
    hosts: list[Host] = []

    def start(folder: Path, server: str = "postgres") -> Host:
        hosts.append(Host(folder, server))
        return hosts[-1]

    yield start
    for one in hosts:
        one.process.kill()
        one.process.wait()
        for pipe in (one.process.stdin, one.process.stdout):
            assert pipe
            pipe.close()


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_child_of_one(process: psutil.Process, candidates: list[psutil.Process]) -> bool:
    try:
        return process.parent() in candidates
    except psutil.NoSuchProcess:
        return True  # it has ended meanwhile, as children do


def processes_in(folder: Path) -> list[psutil.Process]:
    """Keepers, servers and their children: they name the folder or work in it."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [process.cwd(), *process.cmdline()]
        except psutil.Error:
            continue
        if any(str(folder) in word for word in words) and "-c" not in words[:3]:
            found.append(process)
    return found


@pytest.fixture
def processes() -> Callable[[Path], list[psutil.Process]]:
    return processes_in


@pytest.fixture
def the() -> Callable[[Path, str], psutil.Process]:
    """The one process below a folder with a word in its command line; " -D " is the postmaster's."""

    def find(folder: Path, word: str) -> psutil.Process:
        candidates = [one for one in processes_in(folder) if word in _line(one)]
        # A server's child looks like its parent until it has named itself.
        (found,) = (one for one in candidates if not _is_child_of_one(one, candidates))
        return found

    return find
