"""Redis servers on TCP: for TLS, sentinels and a cluster."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from tests.plugins.cache.coherence.own_redis import PROGRAM


def free_port() -> int:
    """A port below 32768, because a cluster node also wants the one 10,000 above."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1]) % 20_000 + 10_000
        with socket.socket() as probe, socket.socket() as bus:
            try:
                probe.bind(("127.0.0.1", port))
                bus.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            return port


@contextmanager
def redis_server(folder: Path, *words: str) -> Iterator[int]:
    """The port of a running redis-server."""
    port = free_port()
    home = folder / str(port)
    home.mkdir()
    process = start(port, home, *words)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def start(port: int, home: Path, *words: str) -> subprocess.Popen[bytes]:
    given = [*words, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)]
    process = subprocess.Popen([PROGRAM, *given], stdout=subprocess.DEVNULL)
    try:
        until(lambda: call(port, "PING"))
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def call(port: int, *words: str | int) -> object:
    """What a command answers; False while the server is away."""
    with Redis(port=port, protocol=2, retry=None, socket_timeout=5) as client:
        try:
            return client.execute_command(*words)
        except AuthenticationError:
            return "it wants a password"
        except RedisError:
            return False


def until(done: object) -> None:
    assert callable(done)
    for _ in range(1000):
        if done():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen within 20 seconds")


@contextmanager
def cluster(folder: Path) -> Iterator[list[int]]:
    """The ports of a cluster of two nodes, each with half of the slots."""
    words = ["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no"]
    with redis_server(folder, *words) as one, redis_server(folder, *words) as two:
        call(one, "CLUSTER", "ADDSLOTS", *range(8192))
        call(two, "CLUSTER", "ADDSLOTS", *range(8192, 16384))
        call(two, "CLUSTER", "SET-CONFIG-EPOCH", 2)
        call(one, "CLUSTER", "MEET", "127.0.0.1", two)
        for port in (one, two):
            until(lambda port=port: b"cluster_state:ok" in _bytes(call(port, "CLUSTER", "INFO")))
            until(lambda port=port: b"cluster_known_nodes:2" in _bytes(call(port, "CLUSTER", "INFO")))
        yield [one, two]


def _bytes(answer: object) -> bytes:
    return answer if isinstance(answer, bytes) else str(answer).encode()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run(
        [*command, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    return cert, key


@asynccontextmanager
async def tls_in_front_of(port: int, cert: Path, key: Path) -> AsyncIterator[int]:
    """The port of a TLS proxy: the embedded redis-server has none itself."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
