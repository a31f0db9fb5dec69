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
MOST_NEW, MOST = 6, 30
"""Passwords that are worked on or wait: where a new one is refused, so that who signs in has a place; and any."""
_threads = ThreadPoolExecutor(2, "scrypt")
"""Their own: what else runs in threads does not wait for passwords."""
_begun = [0]


async def hashed(password: str) -> str:
    """`scrypt$n$r$p$salt$hash`. Raises Busy."""
    salt = secrets.token_bytes(16)
    digest = await _in_turn(MOST_NEW, password, salt, N, R, P)
    return f"scrypt${N}${R}${P}${b64encode(salt).decode()}${b64encode(digest).decode()}"


async def matches(password: str, kept: str | None) -> bool:
    """False, and as slow, for an account without a password. Raises Busy."""
    _, n, r, p, salt, digest = (kept or NOBODY).split("$")
    found = await _in_turn(MOST, password, b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, b64decode(digest)) and kept is not None


async def _in_turn(most: int, password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    if _begun[0] >= most:
        raise Busy("too many passwords at once: try again in 2 s", 2)
    _begun[0] += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, _scrypt, password, salt, n, r, p)
    finally:
        _begun[0] -= 1


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=64 << 20, dklen=32)
