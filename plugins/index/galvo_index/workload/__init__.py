"""What a database is asked: by the kernel's own watch, by pg_stat_statements, or by a file of SQL."""

from galvo_index.workload.statement import Statement

__all__ = ["Statement"]
