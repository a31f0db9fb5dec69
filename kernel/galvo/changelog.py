"""`CHANGELOG-API.md`: per version of the plugin API a heading, what it has changed, and all of it as a block.

The newest block is what the code says. Those below it are of versions that plugins were written against: each stands
under the checksum of its lines and never changes.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from typing import cast

import msgspec

from galvo.errors import GalvoError

FILE = "CHANGELOG-API.md"
PART = re.compile(
    r"^## (?P<version>\d+\.\d+)\n(?P<changes>.*?)^```text\n(?P<block>.*?)\n```\n(?:sha256 `(?P<sum>[0-9a-f]{64})`\n)?",
    re.MULTILINE | re.DOTALL,
)


class Version(msgspec.Struct, frozen=True):
    version: tuple[int, int]
    changes: str
    block: str
    checksum: str


def versions(text: str) -> list[Version]:
    """Of the file's text, newest first."""
    return [
        Version(
            (int((found := part["version"].split("."))[0]), int(found[1])),
            part["changes"].strip(), part["block"], part["sum"] or "",
        )
        for part in PART.finditer(text)
    ]  # fmt: skip


def renewed(text: str, block: str) -> str:
    """`text` with `block` as its newest one."""
    found = PART.search(text)
    if found is None:
        raise GalvoError(f"{FILE} has no version: write `## 1.0`, what it brings, and a ```text block")
    return text[: found.start("block")] + block + text[found.end("block") :]


def checksum(block: str) -> str:
    return hashlib.sha256(block.encode()).hexdigest()


def problems(text: str, block: str, version: tuple[int, int]) -> Iterator[str]:
    """What is wrong with the file, when the code has this API in this version; each says what to do."""
    found = versions(text)
    if not found or found[0].version != version:
        yield (
            f"API_VERSION is {_dotted(version)} and {FILE} begins with "
            f"{_dotted(found[0].version) if found else 'nothing'}: write a part for {_dotted(version)} on top"
        )
        return
    newest, *older = found
    if newest.block != block:
        changed = sorted({*newest.block.splitlines()} ^ {*block.splitlines()})
        yield (
            f"the plugin API has changed, and {FILE} says nothing of it: {'; '.join(map(str.strip, changed))}. "
            f"While {_dotted(version)} is not released, write the change under it and run `galvo api --write {FILE}`; "
            "otherwise first raise API_VERSION (the second number when plugins written before run on, else the first), "
            "begin its part, and put the older block's checksum below it"
        )
    if not newest.changes:
        yield f"{FILE} does not tell what {_dotted(version)} has changed: write it under its heading"
    for one in older:
        if one.checksum != checksum(one.block):
            yield (
                f"the block of {_dotted(one.version)} in {FILE} is not what was released: take it back from the "
                f"history; below a block that is really new belongs sha256 `{checksum(one.block)}`"
            )
    if older and older[0].version[0] == version[0] and (gone := sorted(names(older[0].block) - names(block))):
        yield (
            f"{', '.join(gone)} of {_dotted(older[0].version)} is gone: plugins that use it break, so this is "
            f"{version[0] + 1}.0, or it has to stay"
        )

    if older and older[0].version[0] == version[0] and (other := sorted(_narrowed(older[0].block, block))):
        yield (
            f"{', '.join(other)} cannot be called as in {_dotted(older[0].version)}: plugins break, so this is "
            f"{version[0] + 1}.0, or new parameters come last and have defaults (a hook gets none)"
        )


def _narrowed(old: str, new: str) -> Iterator[str]:
    """Functions of both blocks whose parameters are not the same, or the same and more that may be left out."""
    now = _parameters(new)
    for name, before in _parameters(old).items():
        if name in now and (
            now[name][: len(before)] != before
            or any(required for _, required in now[name][len(before) :])
            or (name.startswith("hooks.") and now[name] != before)
        ):
            yield name


def _parameters(block: str) -> dict[str, list[tuple[str, bool]]]:
    """Of each function the parameters by name, those that need a value marked."""
    found, part = {}, ""
    for line in block.splitlines():
        if not line.startswith("  "):
            part = line.partition("(")[0] or part
        elif match := re.match(r"(?:\w+: (?=async |on_))?(?:async )?(?P<call>(?P<name>\w+)\(.*)$", line.strip()):
            try:
                (function,) = ast.parse(f"def {match['call']}: ...").body
            except SyntaxError:  # a default that cannot be written
                continue
            given = cast("ast.FunctionDef", function).args
            plain, spare = [*given.posonlyargs, *given.args], len(given.defaults)
            found[f"{part}.{match['name']}"] = [
                *((one.arg, index < len(plain) - spare) for index, one in enumerate(plain)),
                *((one.arg, value is None) for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True)),
            ]
    return found


def names(block: str) -> set[str]:
    """`Plugin.settled`, ... of a block."""
    found, part = set(), ""
    for line in block.splitlines():
        name = re.sub(r"^(\w+: (?=async |on_))?(async )?", "", line.strip())
        name = re.split(r"[(:= ]", name)[0]
        if line.startswith("  "):
            found.add(f"{part}.{name}")
        elif name:
            found.add(part := name)
    return found


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
