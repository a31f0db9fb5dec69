"""The keys under `[cache]`."""

from __future__ import annotations

from pydantic import Field

from galvo import PluginSettings


class CacheSettings(PluginSettings):
    max_bytes: int = Field(64 * 2**20, ge=2**16, description="Bytes that answers may take in this process, estimated.")
    max_entry_bytes: int = Field(2**20, ge=1024, description="A larger answer is not kept.")
    max_statements: int = Field(5000, ge=10, description="Distinct statements remembered at once.")
    ttl: float = Field(
        60,
        gt=0,
        description="Seconds an answer lives at most; it bounds what writers outside galvo can make stale.",
    )
    jitter: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Part of the TTL by which it varies, so that answers do not expire at once.",
    )
    catalog_refresh: float = Field(60, gt=0, description="Seconds between looks for schema changes made outside galvo.")
    unknown_outcome: float = Field(
        5, ge=0, description="Seconds to keep off the tables of a write whose connection was lost."
    )
    verify: float = Field(
        0, ge=0, le=1, description="Share of hits run again on the database and compared; 1 is every hit."
    )
