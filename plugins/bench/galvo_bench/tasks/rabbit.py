"""A private RabbitMQ of Debian's package, on loopback, for one run. What is in it is thrown away."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from galvo_bench.results.model import Missing

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The one that runs as whoever starts it; that in /usr/sbin changes to the user rabbitmq."""
EPMD = 'epmd -address 127.0.0.1 -port "$1" & read _; kill $!; wait'
"""Ends with its standard input, as the node does: nothing is left when this process is killed."""
SECONDS = 60.0


@contextmanager
def rabbitmq(url: str = "") -> Iterator[str | Missing]:
    """Its URL: the one given, or that of a node which is started now."""
    if url:
        yield url
        return
    if not (PROGRAM.exists() and shutil.which("epmd")):
        yield Missing("RabbitMQ", "not installed (Debian's rabbitmq-server)")
        return
    folder = Path(tempfile.mkdtemp(prefix="galvo-bench-rabbit-"))
    names, port, distribution = (_free_port() for _ in range(3))
    (folder / "plugins").write_text("[].")
    (folder / "rabbitmq.conf").write_text("disk_free_limit.absolute = 1MB\nlog.file.level = warning\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),  # where the cookie is
        "LANG": "C.UTF-8",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_NODENAME": "bench@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_ALLOW_INPUT": "1",  # the program becomes the node: its pid is ours, and its input a shell
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
    }
    with (folder / "printed").open("wb") as printed:
        started = [
            subprocess.Popen(
                words, env=environment, stdin=subprocess.PIPE, stdout=printed, stderr=printed, start_new_session=True
            )
            for words in (["sh", "-c", EPMD, "epmd", str(names)], [str(PROGRAM)])
        ]
    try:
        works = _until_it_listens(port, started[1])
        yield f"amqp://guest:guest@127.0.0.1:{port}//" if works else Missing("RabbitMQ", "does not start here")
    finally:
        started[1].kill()
        for process in reversed(started):
            process.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _until_it_listens(port: int, node: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + SECONDS
    while node.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
