"""Wrong passwords and new accounts are slowed: after a few, each next one waits longer. Of this process, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from math import ceil
from time import monotonic

from galvo_engraving.problems import Away, TooMany

FREE_EMAIL, FREE_ADDRESS = 5, 50
"""Wrong ones in a row before anybody waits: a person mistypes, and many people share an address."""
FREE_ACCOUNTS = 20
"""From one address: a class makes its accounts together."""
FIRST, LONGEST = 1.0, 60.0
"""Seconds of the first wait, which doubles; short, because others' wrong tries keep the owner waiting, too."""
FORGOTTEN = 900.0
"""Seconds without a wrong one, after which all is forgiven."""
MOST = 20_000
"""Emails and addresses that are remembered; the oldest are forgotten first."""


@dataclass(slots=True)
class Tries:
    count: int = 0
    last: float = 0.0


class Throttle:
    """Counts a try before its password is looked at, so that many at once do not slip through."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, Tries] = OrderedDict()

    @contextmanager
    def trying(self, email: str, address: str) -> Iterator[None]:
        """A try, which does not count if nobody could look at its password. Raises TooMany."""
        self.begin(email, address)
        try:
            yield
        except Away:
            self._forgive(email)
            self._forgive(network(address))
            raise

    def begin(self, email: str, address: str) -> None:
        """Raises TooMany: it is too early for another try."""
        self._count("wrong passwords", {email: FREE_EMAIL, network(address): FREE_ADDRESS})

    def register(self, address: str) -> None:
        """A new account. Raises TooMany."""
        self._count("new accounts from here", {f"new {network(address)}": FREE_ACCOUNTS})

    def right(self, email: str, address: str) -> None:
        """It was the right password: this try does not count, nor do others' wrong ones for this account."""
        self._tries.pop(email, None)
        self._forgive(network(address))

    def _count(self, what: str, keys: dict[str, int]) -> None:
        wait = max(self._wait(key, free) for key, free in keys.items())
        if wait > 0:
            seconds = ceil(wait)
            raise TooMany(f"too many {what}: try again in {seconds} s", seconds)
        for key in keys:
            tries = self._tries.setdefault(key, Tries())
            tries.count, tries.last = tries.count + 1, self._clock()
            self._tries.move_to_end(key)
        while len(self._tries) > MOST:
            self._tries.popitem(last=False)

    def _forgive(self, key: str) -> None:
        if tries := self._tries.get(key):
            tries.count = max(0, tries.count - 1)

    def _wait(self, key: str, free: int) -> float:
        tries = self._tries.get(key)
        if tries is None:
            return 0.0
        passed = self._clock() - tries.last
        if passed > FORGOTTEN:
            del self._tries[key]
            return 0.0
        if tries.count < free:
            return 0.0
        return min(LONGEST, FIRST * 2.0 ** min(tries.count - free, 10)) - passed


def network(address: str) -> str:
    """Of an address: who has one of IPv6 has 2**64 of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else f"{int(found) >> 64:x}::/64"
