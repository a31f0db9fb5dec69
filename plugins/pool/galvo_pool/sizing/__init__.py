"""How many connections: at most (`ceiling`), at once (`limit`), and how fast they are opened (`ramp`). Pure: no clock,
no network, no tasks."""

from galvo_pool.sizing.ceiling import CEILING_SQL, LOCAL_SQL, Ceiling, ceiling, named, start_size
from galvo_pool.sizing.limit import Limit
from galvo_pool.sizing.ramp import Ramp

__all__ = ["CEILING_SQL", "LOCAL_SQL", "Ceiling", "Limit", "Ramp", "ceiling", "named", "start_size"]
