"""All rules, by name, in the groups in which they are shown."""

from __future__ import annotations

from collections.abc import Mapping

from galvo_index.health.bloat import bloated_index
from galvo_index.health.blocking import blocking_chain
from galvo_index.health.checkpoints import forced_checkpoints
from galvo_index.health.constraints import duplicate_foreign_key, unchecked_foreign_key, unvalidated_constraint
from galvo_index.health.corruption import checksum_failures, collation_version
from galvo_index.health.dead_tuples import dead_rows
from galvo_index.health.duplicates import redundant_index
from galvo_index.health.foreign_keys import missing_foreign_key_index
from galvo_index.health.hits import low_hit_ratio
from galvo_index.health.invalid import invalid_index
from galvo_index.health.large_tables import autovacuum_scale, maintenance_memory
from galvo_index.health.planner import planner_switch, random_page_cost, statistics_target
from galvo_index.health.replication import inactive_slot, no_replica_identity
from galvo_index.health.rule import Rule
from galvo_index.health.sequences import exhausted_integer, exhausted_sequence
from galvo_index.health.sessions import forgotten_prepared_transaction, idle_in_transaction, long_transaction
from galvo_index.health.spills import temporary_files
from galvo_index.health.stale import stale_statistics
from galvo_index.health.unused import unused_index
from galvo_index.health.wraparound import multixact_wraparound, transaction_wraparound

GROUPS: Mapping[str, Mapping[str, Rule]] = {
    "data": {
        "checksum-failure": checksum_failures,
        "collation-version": collation_version,
        "transaction-wraparound": transaction_wraparound,
        "multixact-wraparound": multixact_wraparound,
        "exhausted-sequence": exhausted_sequence,
        "exhausted-integer": exhausted_integer,
        "no-replica-identity": no_replica_identity,
        "unchecked-foreign-key": unchecked_foreign_key,
        "unvalidated-constraint": unvalidated_constraint,
    },
    "sessions": {
        "blocking-chain": blocking_chain,
        "idle-in-transaction": idle_in_transaction,
        "long-transaction": long_transaction,
        "forgotten-prepared-transaction": forgotten_prepared_transaction,
        "inactive-slot": inactive_slot,
    },
    "indexes": {
        "invalid-index": invalid_index,
        "missing-foreign-key-index": missing_foreign_key_index,
        "duplicate-index": redundant_index,
        "prefix-index": redundant_index,
        "bloated-index": bloated_index,
        "unused-index": unused_index,
        "duplicate-foreign-key": duplicate_foreign_key,
    },
    "tables": {
        "dead-rows": dead_rows,
        "stale-statistics": stale_statistics,
        "low-hit-ratio": low_hit_ratio,
        "autovacuum-scale": autovacuum_scale,
    },
    "settings": {
        "planner-switch": planner_switch,
        "random-page-cost": random_page_cost,
        "statistics-target": statistics_target,
        "temporary-files": temporary_files,
        "maintenance-memory": maintenance_memory,
        "forced-checkpoints": forced_checkpoints,
    },
}
RULES: Mapping[str, Rule] = {name: rule for group in GROUPS.values() for name, rule in group.items()}
GROUP_OF: Mapping[str, str] = {name: group for group, rules in GROUPS.items() for name in rules}
