"""Passwords are kept as scrypt hashes: RFC 7914, with the parameters that OWASP's cheat sheet recommends."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor

from galvo_engraving.problems import Busy

N, R, P = 2**14, 8, 5
"""16 MiB and about 0.2 s each."""
NOBODY = "scrypt$16384$8$5$" + "A" * 22 + "==$" + "A" * 43 + "="
"""Compared with where there is no account, so that the time it takes does not tell that."""


class Lane:
    """Threads of their own: what else runs in threads does not wait for passwords."""

    def __init__(self, threads: int, most: int) -> None:
        """`most`: that are worked on or wait."""
        self.most = most
        self.begun = 0
        self._threads = ThreadPoolExecutor(threads, "scrypt")

    async def run(self, password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
        """Raises Busy."""
        if self.begun >= self.most:
            raise Busy("too many passwords at once: try again in 2 s", 2)
        self.begun += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _scrypt, password, salt, n, r, p)
        finally:
            self.begun -= 1


NEW, KNOWN = Lane(1, 10), Lane(2, 30)
"""Who signs in does not wait for those who make accounts, whoever they are."""


async def hashed(password: str) -> str:
    """`scrypt$n$r$p$salt$hash`. Raises Busy."""
    salt = secrets.token_bytes(16)
    digest = await NEW.run(password, salt, N, R, P)
    return f"scrypt${N}${R}${P}${b64encode(salt).decode()}${b64encode(digest).decode()}"


async def matches(password: str, kept: str | None) -> bool:
    """False, and as slow, for an account without a password. Raises Busy."""
    _, n, r, p, salt, digest = (kept or NOBODY).split("$")
    found = await KNOWN.run(password, b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, b64decode(digest)) and kept is not None


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=64 << 20, dklen=32)
