"""Sees the queries that reach PostgreSQL, explains slow ones, advises indexes, proves them, keeps tables healthy."""

from galvo_index.finding import Finding
from galvo_index.plugin import IndexPlugin

__all__ = ["Finding", "IndexPlugin"]
