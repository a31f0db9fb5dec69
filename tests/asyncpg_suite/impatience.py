"""asyncpg's test cluster waits a minute for a server that has ended, such as one with TLS on that was built without."""

from __future__ import annotations

import time
from typing import Any

from asyncpg.cluster import Cluster, ClusterError


def notice_dead_servers() -> None:
    """A cluster whose server ends while it starts says so at once."""
    wait_for = Cluster._test_connection

    def test_connection(self: Any, timeout: int = 60) -> str:
        end = time.monotonic() + timeout
        while self._daemon_process and self._get_connection_spec() is None and time.monotonic() < end:
            if self._daemon_process.poll() is not None:
                raise ClusterError(f"the server ended with {self._daemon_process.returncode} while it started")
            time.sleep(0.02)
        return str(wait_for(self, timeout))

    Cluster._test_connection = test_connection
