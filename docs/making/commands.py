"""What every command says of itself with --help, at 80 columns."""

from __future__ import annotations

import argparse
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from importlib import metadata

from galvo import cli

SUBCOMMANDS = re.compile(r"usage: [\w ]+ ([\w|]+) \.\.\. \(each|with options of their own: ([\w,\s]+)")
"""How commands name theirs that are not argparse's: galvo.dispatch, and galvo bench."""
Words = tuple[str, ...]


def markdown() -> str:
    """One section a command, those below it under its own."""
    parts = []
    for words, text in helps():
        level = "##" if len(words) < 2 else "###"
        title, anchor = " ".join(("galvo", *words)), "-".join(("galvo", *words))
        parts += [f"{level} {title} {{ #{anchor} }}", "", "```text", text.rstrip(), "```", ""]
    return "\n".join(parts)


def helps() -> Iterator[tuple[Words, str]]:
    """Every command with its text: the kernel's own, then those that plugins add, by name."""
    with narrow():
        yield from below(())
        for name in sorted(point.name for point in metadata.entry_points(group="galvo.commands")):
            yield from below(tuple(name.split(".")))


def below(words: Words) -> Iterator[tuple[Words, str]]:
    """A command and its subcommands."""
    text, names = told(words)
    yield words, text
    for name in names:
        yield from below((*words, name))


def told(words: Words) -> tuple[str, list[str]]:
    """What the command prints, and the names of its subcommands."""
    parsers: list[argparse.ArgumentParser] = []
    show = argparse.ArgumentParser.print_help

    def shown(parser: argparse.ArgumentParser, file: io.StringIO | None = None) -> None:
        parsers.append(parser)
        show(parser, file)

    printed = io.StringIO()
    argparse.ArgumentParser.print_help = shown  # type: ignore[assignment,method-assign]  # argparse tells nobody its tree
    try:
        with redirect_stdout(printed), suppress(SystemExit):
            cli.main([*words, "--help"])
    finally:
        argparse.ArgumentParser.print_help = show  # type: ignore[method-assign]
    text = printed.getvalue()
    if match := SUBCOMMANDS.search(text):
        return text, sorted(re.findall(r"\w+", match[1] or match[2]))
    return text, [name for parser in parsers for name in choices(parser)]


def choices(parser: argparse.ArgumentParser) -> list[str]:
    """The subcommands of an argparse parser; `galvo run NAME` is listed as each application's own."""
    actions = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [name for action in actions for name in action.choices]


@contextmanager
def narrow() -> Iterator[None]:
    """As wide as a terminal."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
