"""Tasks that are asked for in a transaction of PostgreSQL: they exist if and only if it commits.

The transactional outbox (Richardson, Microservices Patterns, 2018): a table in the same database, and a relay that
publishes what is in it.
"""

from galvo_tasks.outbox.adding import outbox
from galvo_tasks.outbox.relay import Relay
from galvo_tasks.outbox.table import OutboxProblem

__all__ = ["OutboxProblem", "Relay", "outbox"]
