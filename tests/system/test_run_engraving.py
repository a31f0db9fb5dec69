"""`galvo run engraving` as people run it: served, switched, its worker killed, ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from galvo_local import named
from tests import forking
from tests.conftest import reachable_folder
from tests.thorough import some

GALVO = str(Path(sys.executable).parent / "galvo")
PATIENCE = 90


class Served:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with (folder / "log").open("w") as log:
            words = [GALVO, "run", "engraving", "--port", "0"]
            self.process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.address = self.wait_for("engraving is on ").split(" ")[0]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def wait_for(self, words: str) -> str:
        """What follows them in what it says."""
        end = time.monotonic() + PATIENCE
        while words not in self.log:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.05)
        return self.log.partition(words)[2]

    def ask(self, path: str, body: Any = None, token: str = "") -> tuple[int, bytes]:
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        asked = urllib.request.Request(  # noqa: S310  # http, and ours
            self.address + path, None if body is None else json.dumps(body).encode(), headers
        )
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def token(self) -> str:
        password = (self.folder / ".galvo/engraving-password").read_text().strip()
        status, body = self.ask("/api/sessions", {"email": "demo@example.com", "password": password})
        assert status == 201, body
        return str(json.loads(body)["token"])

    def galvo(self, *words: str) -> subprocess.CompletedProcess[str]:
        return forking.galvo(*words, "--pid", str(self.process.pid), folder=Path.cwd())

    def worker(self) -> psutil.Process:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for child in psutil.Process(self.process.pid).children():
                try:
                    if "worker" in child.cmdline():
                        return child
                except psutil.Error:
                    continue
            time.sleep(0.05)
        raise AssertionError(f"there is no worker: {self.log}")


@pytest.fixture(scope="module")
def served(project: Path) -> Iterator[Served]:
    with reachable_folder() as folder:
        shutil.copy(project / "entrypoints.toml", folder)
        made = Served(folder)
        try:
            yield made
        finally:
            if made.process.poll() is None:
                made.process.send_signal(signal.SIGTERM)
                made.process.wait(PATIENCE)


def test_it_is_served_with_an_account_whose_password_only_its_user_can_read(served: Served) -> None:
    file = served.folder / ".galvo/engraving-password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() not in served.log
    assert max(len(line) for line in served.log.splitlines() if line.startswith("galvo: ")) <= 80
    assert served.ask("/health") == (200, b'{"healthy":true}')
    assert served.ask("/galvo/")[0] == 401
    assert served.ask("/galvo/", token=served.token())[0] == 200
    assert len(json.loads(served.ask("/api/templates")[1])["entries"]) == 20


def test_plugins_are_switched_from_the_command_line(served: Served) -> None:
    token = served.token()
    for name in some(("pool", "cache", "monitor", "tasks", "memory", "index"), 6):
        for what, told in (("disable", "has stopped"), ("enable", "runs now")):
            done = served.galvo(what, name)
            assert (done.returncode, done.stdout) == (0, f"process {served.process.pid}: {name} {told}\n"), done.stderr
            assert served.ask("/api/me", token=token)[0] == 200
    assert f"disable pool, asked for by {named(os.geteuid())}: done: pool" in served.log
    refused = served.galvo("disable", "pol")
    assert refused.returncode == 1
    assert refused.stderr.startswith("galvo: plugin 'pol': is not listed; listed are cache, ")
    done = served.galvo("reload")
    assert (done.returncode, done.stdout) == (0, f"process {served.process.pid}: changed: nothing\n"), done.stderr


def test_a_worker_that_dies_is_replaced_and_told_of_once(served: Served) -> None:
    for _ in range(2):
        first = served.worker()
        first.kill()
        psutil.wait_procs([first], timeout=PATIENCE)
        assert served.worker().pid != first.pid
    assert served.log.count("the worker has ended (-9) and is started again") == 1


def test_it_ends_at_once_although_somebody_listens(served: Served) -> None:
    """SIGTERM: exit code 0, nothing left, no traceback."""
    host, port = served.address.removeprefix("http://").split(":")
    children = psutil.Process(served.process.pid).children(recursive=True)
    with socket.create_connection((host, int(port))) as stream:
        words = f"GET /galvo/events HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {served.token()}\r\n\r\n"
        stream.sendall(words.encode())
        assert stream.recv(1000).startswith(b"HTTP/1.1 200")
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(PATIENCE) == 0
        while stream.recv(1 << 16):
            pass
    assert served.log.endswith("galvo: stopping\ngalvo: stopped; nothing is left running\n")
    assert "Traceback" not in served.log
    assert "graceful" not in served.log
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
