"""`galvo monitor serve`, as it is started."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from galvo_monitor.commands.serve import main
from galvo_monitor.errors import MonitorProblem

EVENTS = 100
"""Of 600 that come until a stream ends by itself."""
OFF = "".join(f"[{name}]\non = false\n" for name in ("cache", "embedded", "index", "memory", "pool"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "galvo.toml").write_text(f"{OFF}[monitor]\ninterval = 0.1\n")
    return tmp_path


def test_it_serves_until_it_is_told_to_stop(root: Path) -> None:
    command = [Path(sys.executable).parent / "galvo", "monitor", "serve", "--port", "0", "--folder", root]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = urlsplit(process.stdout.readline())
        home, token = f"http://{address.netloc}", address.fragment.strip().removeprefix("token=")
        with httpx.Client(base_url=home) as asking:
            assert asking.get("/view").status_code == 401
            assert asking.get("/session", headers={"authorization": f"Bearer {token}"}).status_code == 204
            with asking.stream("GET", "/events") as stream:
                lines = stream.iter_lines()
                assert [next(lines) for _ in range(3)][2] == "event: view"
                process.send_signal(signal.SIGTERM)
                assert sum(line == "event: view" for line in lines) < EVENTS  # it ends, although this is open
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_a_port_that_is_taken(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(MonitorProblem, match=f"port {port}.*--port"):
            main(["--port", port, "--folder", str(root)])


def test_a_folder_that_is_none(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit):
        main(["--port", str(taken.getsockname()[1]), "--folder", str(root / "none")])
    assert "none' is no folder" in capsys.readouterr().err


def test_a_token_that_is_short_or_missing(root: Path) -> None:
    file = root / "token"
    with pytest.raises(MonitorProblem, match="cannot be read"):
        main(["--port", "0", "--folder", str(root), "--token-file", str(file)])
    file.write_text("short\n")
    with pytest.raises(MonitorProblem, match="16"):
        main(["--port", "0", "--folder", str(root), "--token-file", str(file)])


def test_without_the_plugin(root: Path) -> None:
    (root / "settings" / "galvo.toml").write_text(f"{OFF}[monitor]\non = false\n")
    (root / "entrypoints.toml").write_text("")
    with pytest.raises(MonitorProblem, match="does not run"):
        main(["--port", "0", "--folder", str(root)])
