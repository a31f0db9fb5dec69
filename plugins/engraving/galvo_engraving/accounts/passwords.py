"""Passwords are kept as scrypt hashes: RFC 7914, with the parameters that OWASP's cheat sheet recommends."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

N, R, P = 2**14, 8, 5
"""16 MiB and about 0.2 s each."""
NOBODY = "scrypt$16384$8$5$" + "A" * 22 + "==$" + "A" * 43 + "="
"""Compared with where there is no account, so that the time it takes does not tell that."""


async def hashed(password: str) -> str:
    """`scrypt$n$r$p$salt$hash`."""
    salt = secrets.token_bytes(16)
    digest = await asyncio.to_thread(_scrypt, password, salt, N, R, P)
    return f"scrypt${N}${R}${P}${b64encode(salt).decode()}${b64encode(digest).decode()}"


async def matches(password: str, kept: str | None) -> bool:
    """False, and as slow, for an account without a password."""
    _, n, r, p, salt, digest = (kept or NOBODY).split("$")
    found = await asyncio.to_thread(_scrypt, password, b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, b64decode(digest)) and kept is not None


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=64 << 20, dklen=32)
