"""What `galvo run engraving` refuses to serve: one sentence, an exit code, and nothing is started or changed."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from galvo_engraving.serving import main
from galvo_engraving.serving.http import listening


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *words: str, code: int = 1) -> str:
    assert main([*words]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert [*folder.iterdir()] == []
    return err


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refused(capsys, folder, "--port", str(port))
    assert told == (
        f"galvo: cannot listen on 127.0.0.1:{port}: Address already in use: give another --port or --host\n"
    )


@pytest.mark.parametrize("words", [(), ("--plain",)], ids=["galvo", "plain"])
def test_a_database_that_is_away(capsys: pytest.CaptureFixture[str], folder: Path, words: tuple[str, ...]) -> None:
    told = refused(capsys, folder, "--port", "0", *words, "--url", "postgresql://me:secret@127.0.0.1:1/shop")
    assert told.startswith("galvo: cannot connect to postgresql://me:***@127.0.0.1:1/shop: ")


def test_somebody_elses_database_is_not_changed(capsys: pytest.CaptureFixture[str], folder: Path, dsn: str) -> None:
    told = refused(capsys, folder, "--port", "0", "--url", dsn)
    assert "migrations of the shop: run `galvo run migrate" in told


@pytest.mark.parametrize(
    "words",
    [("--plain", "--without", "cache"), ("--without", "nix"), ("--port", "70000"), ("--port", "x"),
     ("--url", "mysql://here"), ("--fast",)],
)  # fmt: skip
def test_bad_options(capsys: pytest.CaptureFixture[str], folder: Path, words: tuple[str, ...]) -> None:
    assert words[0] in refused(capsys, folder, *words, code=2)


def test_what_is_accepted_waits_for_no_acknowledgement() -> None:
    with (
        listening("127.0.0.1", 0) as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
