"""A RabbitMQ of the tests' own, of Debian's package: loopback only, with an epmd and an Erlang cookie of its own."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import in_memory

IN_CI = "NO_SKIPS" in os.environ  # read before conftest.py clears such variables
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The one that runs as whoever starts it; that in /usr/sbin changes to the user rabbitmq."""
EPMD = 'epmd -address 127.0.0.1 -port "$1" & read _; kill $!; wait'
"""Ends with its standard input, as the node does: nothing is left when the tests are killed."""
SECONDS = 60.0


class Rabbit:
    """A node that a test may restart, pause and kill; a virtual host for each test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names, self._port, self._distribution = (_free_port() for _ in range(3))
        self._numbers = itertools.count()
        (folder / "plugins").write_text("[].")
        words = ["sh", "-c", EPMD, "epmd", str(self._names)]
        self._epmd = subprocess.Popen(words, env=self._environment, stdin=subprocess.PIPE)
        self._node: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return self._port

    def start(self) -> None:
        """Returns when it listens. Raises AssertionError with what it has printed."""
        with (self._folder / "printed").open("wb") as printed:
            self._node = subprocess.Popen(
                [PROGRAM], env=self._environment, stdin=subprocess.PIPE, stdout=printed, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + SECONDS
        while not self._listens():
            if self._node.poll() is not None or time.monotonic() > end:
                raise AssertionError((self._folder / "printed").read_text(errors="replace"))
            time.sleep(0.02)

    def fresh(self) -> str:
        """The URL of a new virtual host."""
        name = f"v{next(self._numbers)}"
        self.erlang(f'rabbit_vhost:add(<<"{name}">>, <<"guest">>)')
        rights = ", ".join(['<<".*">>'] * 3)
        self.erlang(f'rabbit_auth_backend_internal:set_permissions(<<"guest">>, <<"{name}">>, {rights}, <<"guest">>)')
        return f"amqp://guest:guest@127.0.0.1:{self._port}/{name}"

    def queues(self, url: str) -> dict[str, tuple[int, int]]:
        """Of that virtual host: messages that wait, and those that are with a consumer."""
        host = url.rsplit("/", 1)[1]
        items = "[{N, R, U} || [{_, {_, _, _, N}}, {_, R}, {_, U}] <- rabbit_amqqueue:info_all("
        said = self.erlang(f'{items}<<"{host}">>, [name, messages_ready, messages_unacknowledged])]')
        rows = said.replace("<<", "").replace(">>", "").replace("{", "(").replace("}", ")")
        return {name: (ready, unacked) for name, ready, unacked in eval(rows)}  # noqa: S307  # our own node

    def drop_connections(self) -> None:
        """As a network that fails does, but at once."""
        self.erlang('[rabbit_networking:close_connection(P, "test") || P <- rabbit_networking:connections()]')

    def erlang(self, expression: str) -> str:
        """Its value, as the node's shell prints it: what rabbitmqctl does takes that a second."""
        assert self._node is not None
        assert self._node.stdin is not None
        answer = self._folder / f"answer-{next(self._numbers)}"
        writing = f'file:write_file("{answer}.new", io_lib:format("~0p", [begin {expression} end]))'
        self._node.stdin.write(f'{writing}, file:rename("{answer}.new", "{answer}").\n'.encode())
        self._node.stdin.flush()
        end = time.monotonic() + SECONDS
        while not answer.exists():
            assert time.monotonic() < end, (self._folder / "printed").read_text(errors="replace")
            time.sleep(0.002)
        return answer.read_text()

    def stop(self) -> None:
        """As a node that is shut down: what is durable stays."""
        assert self._node is not None
        assert self._node.stdin is not None
        self._node.stdin.close()
        self._node.wait(SECONDS)
        self._node = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill(self) -> None:
        assert self._node is not None
        assert self._node.stdin is not None
        self._node.kill()
        self._node.wait()
        self._node.stdin.close()
        self._node = None

    def pause(self) -> None:
        """All of its threads stand still."""
        self._signal(signal.SIGSTOP)
        assert self._node is not None
        threads = Path(f"/proc/{self._node.pid}/task")
        while any(") T " not in (one / "stat").read_text() for one in threads.iterdir()):
            time.sleep(0.01)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        if self._node is not None:
            self.kill()
        assert self._epmd.stdin is not None
        self._epmd.stdin.close()
        self._epmd.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._node is not None
        self._node.send_signal(number)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port)).close()
        except OSError:
            return False
        return True

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),  # where the cookie is
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._names),
            "RABBITMQ_NODENAME": "tests@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "none"),  # reading one takes a second
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ALLOW_INPUT": "1",  # the program becomes the node: its pid is ours, and its input a shell
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} "
            "-rabbit disk_free_limit 1000000",
            "ERL_CRASH_DUMP": str(self._folder / "crash"),
        }


@contextmanager
def running() -> Iterator[Rabbit]:
    """Skips the test where RabbitMQ is not installed, which CI does not accept."""
    if not (PROGRAM.exists() and shutil.which("epmd")):
        reason = "RabbitMQ is not installed (Debian's rabbitmq-server)"
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="galvo-rabbit-", dir=in_memory()))
    rabbit = Rabbit(folder)
    try:
        rabbit.start()
        yield rabbit
    finally:
        rabbit.close()
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
