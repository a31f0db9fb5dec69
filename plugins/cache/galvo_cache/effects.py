"""The verdicts of the statement analysis."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Read:
    """A cacheable read; its answer changes only when one of `tables` (OIDs) does."""

    tables: frozenset[int]


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement that changes no table and must not be cached."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that changes at most the rows of `tables` (OIDs)."""

    tables: frozenset[int]


@dataclass(frozen=True, slots=True)
class Everything:
    """A statement that may have changed anything, session settings included.

    `ddl` says that the catalog snapshot may be out of date as well.
    """

    reason: str
    ddl: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """Transaction or session control: no effect on data.

    `kind` is begin, commit, rollback, savepoint, rollback_to, release or session. `chain` marks
    COMMIT/ROLLBACK AND CHAIN: a new transaction is open when the statement returns.
    """

    kind: str
    chain: bool = False


Effect = Read | Refused | Write | Everything | Control
