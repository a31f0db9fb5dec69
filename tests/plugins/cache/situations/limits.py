"""What no test here can show, or what galvo promises only up to a bound: number -> what it does, and the bound."""

from __future__ import annotations

LIMITS = {
    8: "IMMUTABLE operators, casts and operator classes are believed, as PostgreSQL believes them in indexes; "
    "functions called by name are not. No bound: the declaration is wrong.",
    15: "A statement that a connection has prepared keeps the meaning of its names in PostgreSQL itself when a table "
    "appears earlier in the path; galvo repeats what that connection answers, for at most the TTL.",
    21: "A clone that keeps system identifier, database OID and timeline (a copy of the files) looks like its "
    "original: give each its own `namespace` or Redis. Bound: the TTL.",
    28: "The embedded server has no wrapper that reads, so it is shown that foreign tables are refused, "
    "and not what would happen if they were not.",
    30: "Pages that a writer outside changes may disagree while their answers' TTLs, which vary by `jitter`, end.",
    45: "COMMIT PREPARED by a client outside galvo is a write from outside: bounded by the TTL or the statistics "
    "(PostgreSQL refuses NOTIFY in prepared transactions).",
    57: "A kernel whose own pool reads a replica sees that replica's past, and what others replayed there is a write "
    "from outside for it.",
    58: "A server that falls silent is noticed after 11 s on Linux (TCP keepalive). With `min_size = 0` and no "
    "connection open a failover is noticed by the next query, so the bound is the TTL. Recovery to a point in time "
    "behind a kernel that never lost a connection cannot happen: the server restarts. Restored files under a server "
    "that kept its identity are the clone of 21.",
    59: "Level `ttl`: at most the TTL. Level `statistics`: seconds. Level `trigger`: milliseconds, and more while the "
    "listener is away, when the table falls back to the level below.",
    60: "A pooler that gives every transaction another server session breaks prepared statements and SET for asyncpg "
    "as well; galvo is to be connected to PostgreSQL or to a session pooler.",
}
