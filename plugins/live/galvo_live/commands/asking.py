"""Which process is asked, and what it answers."""

from __future__ import annotations

import argparse
import json
from typing import Any

from galvo_live.questions import NAME
from galvo_local import Late, NoAnswer, ask, called, elsewhere, only, owners, pid_of
from galvo_local.sockets import LARGEST_QUESTION


def parser(what: str, text: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog=f"galvo {what}", description=text)
    made.add_argument(
        "--pid", type=pid_of, help="of the application; default: the one that runs in this folder, or the only one"
    )
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def process(pid: int | None) -> int:
    """`pid`, or the application in this folder, or the only one. Raises NoAnswer when there is none, or several."""
    if pid is not None:
        return pid
    found = {pid: called(user) for pid, user in owners(NAME).items()}
    if not found:
        raise NoAnswer("no running application of yours answers: it needs the plugin live, see `galvo plugins`")
    return only(found)


def asked(question: dict[str, Any], pid: int | None, seconds: float, late: str = "") -> dict[str, Any]:
    """The answer within `seconds`, with the process's "pid", and its "folder" where it was found in another than this
    one; with a "problem" when there is none. `late`: why there may be none in time yet.
    """
    folder = ""
    data = json.dumps(question | {"patience": seconds}, ensure_ascii=False).encode(errors="replace")
    if len(data) > LARGEST_QUESTION:
        return {"problem": f"that is longer than the {LARGEST_QUESTION} bytes in which an application can be asked"}
    try:
        if pid is None:
            pid = process(None)
            folder = elsewhere(pid)
        answer: dict[str, Any] = json.loads(ask(NAME, pid, data, seconds))
    except Late as error:
        return {
            "pid": pid,
            "problem": f"process {pid} has not answered for {seconds:g} s: {late}" if late else str(error),
        }
    except NoAnswer as error:
        return {"problem": str(error)} if pid is None else {"pid": pid, "problem": str(error)}
    except ValueError:
        return {"pid": pid, "problem": f"process {pid} answers something else: is it of another version?"}
    return {"pid": pid, **({"folder": folder} if folder else {}), **answer}


def who(told: dict[str, Any]) -> str:
    """Who was asked, for people."""
    return f"process {told['pid']}" + (f" in {told['folder']}" if "folder" in told else "")


def each(told: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Who was asked, to put before it, and the answer: of each kernel apart where several were asked."""
    if "kernels" not in told:
        return [("" if told.get("problem") else f"{who(told)}: ", told)]
    return [(f"{who(told)}, {one['kernel']}: ", one) for one in told["kernels"]]


def short(text: str, size: int) -> str:
    """In one line and at most `size` bytes: a question has to be short."""
    line = "".join(one for one in " ".join(text.split()) if one.isprintable())
    return line.encode(errors="replace")[:size].decode(errors="ignore")
