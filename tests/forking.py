"""Programs that start at once: forks of one Python that has imported galvo and its plugins."""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

PARENT = """
import atexit, gc, json, os, select, signal, socket, sys, threading, types, warnings
import galvo.cli, galvo_asgi, galvo_bench, galvo_cache, galvo_embedded, galvo_index, galvo_live, galvo_memory
import galvo_monitor, galvo_pool, galvo_sqlalchemy, galvo_tasks

def child(job, files):
    # From here on it is a program of its own, to its normal end.
    if job["session"]:
        os.setsid()
    if not job["strict"]:
        sys.warnoptions.clear()
        del warnings.filters[0]
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.argv = job["argv"]
    if sys.argv[0] == "galvo":
        sys.path[0] = os.path.dirname(sys.executable)
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    main = types.ModuleType("__main__")
    main.__builtins__ = __builtins__
    sys.modules["__main__"] = main
    return compile(job["code"], "<block>", "exec"), main.__dict__

def serve():
    channel = socket.socket(fileno=int(sys.argv[1]))
    ends = {}
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    while True:
        ready, _, _ = select.select([channel, wake], [], [])
        if wake in ready:
            os.read(wake, 1000)
        while ends:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            end = ends.pop(pid)
            try:
                os.write(end, str(os.waitstatus_to_exitcode(status)).encode())
            except OSError:
                pass  # nobody wants to know
            os.close(end)
        if channel in ready:
            job, files, _, _ = socket.recv_fds(channel, 1 << 20, 4)
            if not job:
                return None
            *files, end = files
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for file in (wake, waker, end, *ends.values()):
                    os.close(file)
                channel.close()
                return child(json.loads(job), files)
            for file in files:
                os.close(file)
            ends[pid] = end
            channel.send(str(pid).encode())

def ended(code, names):
    # As Python does at its end, but what the parent has made is left as it is: to take it apart costs 0.3 s of CPU.
    try:
        exec(code, names)
        status = 0
    except SystemExit as error:
        status = error.code
        if isinstance(status, str):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    names.clear()
    gc.collect()  # what was not closed is told
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)

gc.collect()
gc.freeze()
program = serve()
if program:
    ended(*program)
"""
GALVO = "import sys; from galvo.cli import main; sys.exit(main())"
SCRIPT = "import runpy, sys; runpy.run_path(sys.argv[0], run_name='__main__')"
MODULE = "import runpy, sys; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"


class Forks:
    """Made once, used for many programs."""

    def __init__(self) -> None:
        self.programs = {"galvo": self.galvo, "python": self.script}
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = [sys.executable, "-W", "error", "-c", PARENT, str(theirs.fileno())]
        self._parent = subprocess.Popen(words, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()

    def python(self, code: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        """As `python -W error -c code`: exit code, standard output, standard error."""
        return self._run(code, ["-c"], folder, environment)

    def galvo(self, words: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        """As the command `galvo`."""
        return self._run(GALVO, ["galvo", *words], folder, environment)

    def script(self, words: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        """As `python -W error FILE ...`."""
        return self._run(SCRIPT, words, folder, environment)

    def _run(self, code: str, argv: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        pipe = subprocess.PIPE
        with Fork(
            self, code, argv, strict=True, cwd=folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe,
        ) as program:  # fmt: skip
            out, err = program.communicate()
        return program.returncode, out, err

    def close(self) -> None:
        """End the parent."""
        self.channel.close()
        assert self._parent.wait(30) == 0


class Fork(subprocess.Popen[Any]):
    """A `subprocess.Popen` of `code` with `argv`, under `-W error` if `strict`.

    Of `how` it knows cwd, env, text, the three files and start_new_session.
    """

    def __init__(self, forks: Forks, code: str, argv: list[str], *, strict: bool = False, **how: Any) -> None:
        self._forks, self._code, self._strict = forks, code, strict
        self._end = -1
        super().__init__(argv, **how)

    def _execute_child(self, args: Any, *more: Any) -> None:
        (cwd, env), pipes, session = more[4:6], more[9:15], more[20]
        files = [number if end == -1 else end for number, end in enumerate((pipes[0], pipes[3], pipes[5]))]
        job = {
            "code": self._code, "argv": args, "folder": str(cwd or os.getcwd()),
            "session": session, "strict": self._strict, "environment": {**(os.environ if env is None else env)},
        }  # fmt: skip
        self._end, end = os.pipe()
        socket.send_fds(self._forks.channel, [json.dumps(job).encode()], [*files, end])
        os.close(end)
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]
        answer = self._forks.channel.recv(100)
        assert answer, "the parent of the programs has ended"
        self.pid = int(answer)
        self._child_created = True

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        if self.returncode is None and select.select([self._end], [], [], 0)[0]:
            self.returncode = int(os.read(self._end, 100))
            os.close(self._end)
        return self.returncode

    def _wait(self, timeout: float | None) -> int:
        if self.returncode is None and not select.select([self._end], [], [], timeout)[0]:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        code = self._internal_poll()
        assert code is not None
        return code


@cache
def shared() -> Forks:
    """Of this process, for as long as it lives."""
    made = Forks()
    atexit.register(made.close)
    return made


def galvo(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command `galvo` in `folder`, with `environment` in addition to this process's."""
    code, out, err = shared().galvo([*words], folder, {**os.environ, **environment})
    return subprocess.CompletedProcess(["galvo", *words], code, out, err)
