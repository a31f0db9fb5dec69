"""What a borrower gets in place of the connection; after its release it does nothing more."""

from __future__ import annotations

from typing import Any

from galvo_pool import private


class Lent(private.PoolConnectionProxy):  # type: ignore[misc]  # see `private`
    """asyncpg's proxy, which nobody but the borrower keeps alive: forgotten, it gives its connection back."""

    def __init__(self, holder: Any, con: Any, lend: Any) -> None:
        self._con = con
        self._holder = holder
        self._lend = lend

    def _detach(self) -> Any:
        con, self._con = self._con, None
        return con

    def __del__(self) -> None:
        if getattr(self, "_con", None) is not None:
            self._holder._pool.forgotten(self._holder, self._lend)
