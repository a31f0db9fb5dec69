"""The generators of TPC-H, from PyPI into a virtual environment of their own: nothing of theirs is kept here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from galvo import GalvoError

TPCHGEN = "tpchgen-cli==4.0.0"
DUCKDB = "duckdb==1.1.3"
"""Later ones download their TPC-H extension at run time."""
ASK = """
import duckdb, json
print(json.dumps([[number, sql] for number, sql in duckdb.connect().execute("from tpch_queries()").fetchall()]))
"""


def generated(scale: float) -> Path:
    """The folder of the `.csv` files of that scale, made once. Raises GalvoError."""
    folder = _cache() / f"tpch-{scale:g}"
    if not folder.is_dir():
        making = folder.with_name(f"{folder.name}.{os.getpid()}")
        program = _installed() / "bin" / "tpchgen-cli"
        _run([program, "csv", "-s", f"{scale:g}", "--output-dir", making], "cannot generate TPC-H")
        making.rename(folder)
    return folder


def queries() -> dict[str, str]:
    """The 22 texts by name, "Q1" to "Q22". Raises GalvoError."""
    kept = _cache() / "tpch-queries.json"
    if not kept.exists():
        found = _run([_installed() / "bin" / "python", "-c", ASK], "cannot get the queries of TPC-H")
        making = kept.with_suffix(f".{os.getpid()}")
        making.write_text(found)
        making.rename(kept)
    return {f"Q{number}": sql.strip().rstrip(";") for number, sql in json.loads(kept.read_text())}


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "galvo" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _installed() -> Path:
    """The environment that has both tools; downloaded once."""
    folder = _cache() / "venv"
    complete = folder / "complete"
    if not complete.exists():
        sys.stderr.write("galvo: downloading the generators of TPC-H (once)\n")
        venv.create(folder, with_pip=True, clear=True)
        words = ["install", "--quiet", "--only-binary", ":all:", TPCHGEN, DUCKDB]
        _run([folder / "bin" / "pip", *words], f"cannot download {TPCHGEN} and {DUCKDB}")
        complete.touch()
    return folder


def _run(command: Sequence[str | Path], failed: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        complaint = [line for line in done.stderr.splitlines() if line.strip()][-1:] or [f"exit {done.returncode}"]
        raise GalvoError(f"{failed}: {complaint[0].removeprefix('ERROR: ')}")
    return done.stdout
