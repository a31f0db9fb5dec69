"""What a name becomes in an address."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b

LONGEST = 80


def slug(name: str) -> str:
    """`Birke, 3 mm` as birke-3-mm. Names without a Latin letter get one that says nothing, the same each time."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].strip("-")
    return made or f"x{blake2b(name.encode(), digest_size=6).hexdigest()}"
