"""When autovacuum comes to a table: PostgreSQL's formula, with the table's own settings where it has some."""

from __future__ import annotations

from typing import Literal

from galvo_index.health.server import Server

ENABLED = """
coalesce((select o.option_value::bool from pg_options_to_table(c.reloptions) o
  where o.option_name = 'autovacuum_enabled'), true)"""
"""On a row `c` of pg_class."""

OPTION = """coalesce((select o.option_value::float8 from pg_options_to_table(c.reloptions) o
  where o.option_name = '{name}'), current_setting('{name}')::float8)"""


def due(server: Server, what: Literal["vacuum", "analyze"]) -> str:
    """SQL on a row `c` of pg_class: the number of rows that must be dead, or changed since the last ANALYZE."""
    rows = f"{_option(f'autovacuum_{what}_threshold')} + {_option(f'autovacuum_{what}_scale_factor')}"
    rows += " * greatest(c.reltuples::float8, 0)"
    if what == "vacuum" and server.facts.version >= 180000:
        most = _option("autovacuum_vacuum_max_threshold")
        rows = f"least({rows}, coalesce(nullif({most}, -1), 'infinity'))"
    return f"({rows})"


def _option(name: str) -> str:
    return OPTION.replace("{name}", name)
