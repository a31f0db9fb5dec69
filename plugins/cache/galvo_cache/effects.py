"""The verdicts of the statement analysis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ANY_SETTING = "*"


@dataclass(frozen=True, slots=True)
class Param:
    """The value of a bound parameter; `$1` has `index` 0."""

    index: int


@dataclass(frozen=True, slots=True)
class Const:
    """A literal in the text."""

    value: int | str


@dataclass(frozen=True, slots=True)
class Output:
    """A column of the answer's first row, by position; known after the read only."""

    column: int


Source = Param | Const | Output


@dataclass(frozen=True, slots=True)
class Slice:
    """Of `table`, only the rows whose `column` equals `source` matter to a read.

    `unique`: the column alone is a key of the table, so at most one row has the value.
    """

    table: int
    column: str
    source: Source
    unique: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """Each row of an answer shows a row of `table`: that whose `key` equals `source`, unless it is NULL.

    `lanes` are other indexed columns of that row and their values. An `Output` is a column of the row in question.
    """

    table: int
    key: str
    source: Source
    lanes: tuple[tuple[str, Source], ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A cacheable read; its answer changes only when one of `tables` (OIDs) does.

    Of a table in `slices` only some rows matter; at most one slice per table. `proves`: an answer with
    rows proves that the row of every unique slice exists, so inserting another one cannot change it.
    `inputs`: session settings that the answer depends on, besides SESSION_SETTINGS. `columns`: no others of any
    table are mentioned, so an update of others changes nothing; None: all may be. `shown`: what an answer says of
    single rows besides. `declared`: functions are called of which only that is known; they may depend on any setting.
    """

    tables: frozenset[int]
    slices: tuple[Slice, ...] = ()
    proves: bool = False
    inputs: tuple[str, ...] = ()
    columns: frozenset[str] | None = None
    shown: tuple[Shown, ...] = ()
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement that changes no table and must not be cached."""

    reason: str
    detail: str = ""
    more: frozenset[str] = field(default=frozenset(), compare=False)
    """All other reasons that were found."""

    @property
    def reasons(self) -> frozenset[str]:
        return self.more | {self.reason}


@dataclass(frozen=True, slots=True)
class Change:
    """Which rows of `table` one statement changes.

    Every affected row has each column of `fixed` at the value of its source, before and after. `columns` are
    those an update may change, generated ones included; None when rows come (insert) or go (delete).
    """

    table: int
    verb: Literal["insert", "update", "delete"]
    fixed: tuple[tuple[str, Source], ...]
    columns: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that changes at most the rows of `tables` (OIDs); of a table in `changes` only those rows."""

    tables: frozenset[int]
    changes: tuple[Change, ...] = ()


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
    COMMIT/ROLLBACK AND CHAIN: a new transaction is open when the statement returns. `settings`: those that it may
    change, in lower case; `ANY_SETTING` is each of them.
    """

    kind: str
    chain: bool = False
    settings: frozenset[str] = frozenset()


Effect = Read | Refused | Write | Everything | Control
