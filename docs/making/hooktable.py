"""The four hooks in one table, from their specification."""

from __future__ import annotations

from galvo import hookspecs


def markdown() -> str:
    """Each hook's name leads to its section."""
    lines = [line for line in (hookspecs.__doc__ or "").splitlines() if line.startswith("|")]
    table = "\n".join(lines)
    for hook in hookspecs.KINDS:
        table = table.replace(f"`{hook}`", f"[`{hook}`][galvo.hookspecs.{hook}]")
    return table
