"""The shop as people reach it: `galvo run engraving` with its worker, and people who have signed in."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.plugins.engraving.http.stand import NUMBERS, PASSWORD

GALVO = Path(sys.executable).parent / "galvo"
SECONDS = 60
TOLD = re.compile(r"engraving is on (http://\S+)")


class Window:
    """A server that runs, and its database."""

    def __init__(self, url: str, dsn: str) -> None:
        self.url = url + "/"
        self.dsn = dsn
        self.client = httpx.Client(base_url=url)

    def person(self, role: str = "customer", name: str = "Ada Amsel") -> tuple[str, str]:
        """A new account: its email, and a token."""
        email = f"window{next(NUMBERS)}@example.com"
        person = {"email": email, "name": name, "studio": "Loft", "password": PASSWORD}
        assert self.client.post("/api/users", json=person).status_code == 201
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("update engraving.user_account set role = %s where email = %s", (role, email))
        told = self.client.post("/api/sessions", json={"email": email, "password": PASSWORD})
        self.client.cookies.clear()
        return email, told.json()["token"]

    def ask(self, token: str, method: str, path: str, **asked: Any) -> Any:
        """What a program of that person is answered."""
        told = self.client.request(method, f"/api{path}", headers={"authorization": f"Bearer {token}"}, **asked)
        assert told.status_code < 300, told.text
        return told.json()


@contextmanager
def opened(dsn: str, folder: Path) -> Iterator[Window]:
    """On a database that is ready; its Redis is its own."""
    log = folder / "log"
    (folder / ".galvo").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GALVO_", "ENGRAVING_"))}
    with log.open("wb") as out:
        process = subprocess.Popen(
            (GALVO, "run", "engraving", "--port", "0", "--url", dsn),
            cwd=folder,
            stdout=out,
            stderr=out,
            env=environment,
        )
    try:
        url = _address(process, log)
        window = Window(url, dsn)
        yield window
        window.client.close()
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        if found := TOLD.search(log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(log.read_text())
