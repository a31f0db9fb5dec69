"""Programs that start at once: forks of one Python that has imported galvo and its plugins, under `-W error`."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

PARENT = """
import atexit, gc, json, os, sys, threading, types
import galvo.cli, galvo_asgi, galvo_bench, galvo_cache, galvo_embedded, galvo_index, galvo_live, galvo_memory
import galvo_monitor, galvo_pool, galvo_sqlalchemy, galvo_tasks

def child(job):
    # From here on it is a program of its own, to its normal end.
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, path in ((1, job["out"]), (2, job["err"])):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.argv = job["argv"]
    if sys.argv[0] == "galvo":
        sys.path[0] = os.path.dirname(sys.executable)
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    main = types.ModuleType("__main__")
    main.__builtins__ = __builtins__
    sys.modules["__main__"] = main
    return compile(job["code"], "<block>", "exec"), main.__dict__

def serve():
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            return child(json.loads(line))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{code}\\n")
        sys.stdout.flush()

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


class Forks:
    """Made once, used for many programs, one after another."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where what programs print is kept."""
        self._out, self._err = folder / "stdout", folder / "stderr"
        self.programs = {"galvo": self.galvo, "python": self.script}
        self._parent = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PARENT],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def python(self, code: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        """As `python -W error -c code`: exit code, standard output, standard error."""
        return self._run(code, ["-c"], folder, environment)

    def galvo(self, words: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        """As the command `galvo`."""
        code = "import sys; from galvo.cli import main; sys.exit(main())"
        return self._run(code, ["galvo", *words], folder, environment)

    def script(self, words: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        """As `python -W error FILE ...`."""
        code = "import runpy, sys; runpy.run_path(sys.argv[0], run_name='__main__')"
        return self._run(code, words, folder, environment)

    def _run(self, code: str, argv: list[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        job: dict[str, Any] = {
            "code": code, "argv": argv, "folder": str(folder), "environment": dict(environment),
            "out": str(self._out), "err": str(self._err),
        }  # fmt: skip
        stdin, stdout = self._parent.stdin, self._parent.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(job) + "\n")
        stdin.flush()
        answer = stdout.readline()
        assert answer, "the parent of the programs has ended"
        return int(answer), self._out.read_text(), self._err.read_text()

    def close(self) -> None:
        """End the parent."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.close()
        self._parent.stdout.close()
        assert self._parent.wait(30) == 0


@cache
def shared() -> Forks:
    """Of this process, for as long as it lives."""
    folder = tempfile.TemporaryDirectory(prefix="galvo-test-")
    made = Forks(Path(folder.name))
    atexit.register(folder.cleanup)
    atexit.register(made.close)
    return made


def galvo(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command `galvo` in `folder`, with `environment` in addition to this process's."""
    code, out, err = shared().galvo([*words], folder, {**os.environ, **environment})
    return subprocess.CompletedProcess(["galvo", *words], code, out, err)
