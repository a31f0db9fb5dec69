"""What was found to be wrong, in a sentence, with the evidence and the change to make."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Severity = Literal["info", "warning", "critical"]


class Finding(msgspec.Struct, frozen=True):
    rule: str
    """Its name, `spilled-sort` for example."""
    subject: str
    """What it is about: a table or index as in SQL, or a statement's fingerprint."""
    seen: str
    """What was seen, with numbers; one sentence."""
    advice: str
    """What to change; one sentence."""
    sql: str = ""
    """The statement that makes the change, when one does."""
    severity: Severity = "warning"
    evidence: dict[str, Any] = {}
    """The numbers, for machines: no literals and no arguments of statements."""
