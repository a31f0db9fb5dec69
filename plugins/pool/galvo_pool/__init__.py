"""Runs queries on PostgreSQL through asyncpg; the innermost plugin of the chain."""
