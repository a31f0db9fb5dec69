"""How long what is said now has been so, without a gap."""

from __future__ import annotations


class Streaks:
    """Counts looks and not seconds, since clocks jump."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, float]] = {}

    def look(self, name: str, is_so: bool, now: float, *, ago: float = 0.0) -> int:
        """Looks in a row, this one included. `ago`: seconds for which it has been so already, at the first one."""
        if not is_so:
            self._since.pop(name, None)
            return 0
        count, since = self._since.get(name, (0, now - ago))
        self._since[name] = count + 1, min(since, now)
        return count + 1

    def since(self, name: str) -> float:
        """Seconds since the epoch; of what is so."""
        return self._since[name][1]

    def forget(self, prefix: str, keep: set[str]) -> None:
        """What begins with `prefix` and is not among `keep` is not so any more."""
        for name in [name for name in self._since if name.startswith(prefix) and name not in keep]:
            del self._since[name]
