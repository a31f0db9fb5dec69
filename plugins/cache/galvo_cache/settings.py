"""The keys under `[cache]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

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
    early: float = Field(
        1.0,
        ge=0,
        description="How early answers are read anew before their TTL ends, in times a read takes (XFetch's beta); "
        "0 never.",
    )
    catalog_refresh: float = Field(60, gt=0, description="Seconds between looks for schema changes made outside galvo.")
    unknown_outcome: float = Field(
        5, ge=0, description="Seconds to keep off the tables of a write whose connection was lost."
    )
    verify: float = Field(
        0,
        ge=0,
        le=1,
        description="Share of hits run again on the database in the background and compared; "
        "1 is every hit, and its caller waits.",
    )
    warm: int = Field(
        20,
        ge=0,
        le=1000,
        description="Reads that saved most time, run again after a start or a flush; 0 warms nothing.",
    )
    warm_concurrency: int = Field(2, ge=1, le=100, description="Of those, how many run at a time.")
    warm_file: str = Field(
        "",
        description="File that keeps those reads, with their arguments, from one start to the next; "
        "one per application, in a folder of its user's; empty: none.",
    )
    redis: SecretStr = Field(
        SecretStr(""),
        description="Redis that all processes of this database share: redis://, rediss://, unix://, "
        "redis+sentinel://host/service, redis+cluster://host, or embedded; empty: this process is the only one.",
    )
    redis_timeout: float = Field(0.05, gt=0, description="Seconds a round trip to Redis may take.")
    namespace: str = Field("", description="What the processes share in Redis; empty: the database's identity.")
    lease: float = Field(
        1.0, ge=0.1, le=30, description="Seconds answers are served without word from Redis; the same in all processes."
    )
    strict_invalidation: bool = Field(
        False, description="Refuse writes that cannot be announced, rather than let others be stale for a TTL."
    )
    max_misses_untrusted: int = Field(
        8, ge=1, description="Runs of one statement at a time while nothing may be served from memory."
    )
    l2: bool = Field(True, description="Keep answers in Redis, too, for processes that have not read them yet.")
    l2_format: Literal["msgpack", "json", "pickle"] = Field(
        "msgpack", description="How answers are written to Redis; json to look at them, pickle only with a signing_key."
    )
    l2_compress: bool = Field(False, description="Compress answers above 1 KiB (zlib, level 1).")
    lease_min: float = Field(
        0.02,
        ge=0,
        description="Seconds: of a statement that takes so long on average, one process reads for all that miss an "
        "answer in Redis at once.",
    )
    signing_key: SecretStr = Field(
        SecretStr(""), description="32 bytes in base64: answers in Redis are signed (HMAC-SHA256), others are misses."
    )
    encryption_key: SecretStr = Field(
        SecretStr(""), description="32 bytes in base64: answers in Redis are encrypted (AES-256-GCM)."
    )
    effects: dict[str, list[str]] = Field(
        {}, description="A function, or `trigger on table`, and the tables it changes at most."
    )
    reads: dict[str, list[str]] = Field({}, description="A stable function and the tables its answer depends on.")
    session_inputs: dict[str, list[str]] = Field(
        {}, description="A table with row-level security and the settings that its policies read."
    )
    external: dict[str, Literal["ttl", "statistics", "trigger"]] = Field(
        {}, description="How writes from outside galvo are noticed, by table."
    )
    watch: float = Field(
        0, ge=0, description="Seconds between looks at the statistics for writes nobody announced; 0 never looks."
    )
