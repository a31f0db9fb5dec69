"""All tests of SQLAlchemy's suite for dialects."""

from typing import Any

from sqlalchemy.testing import suite
from sqlalchemy.testing.suite import *  # noqa: F403


class ServerSideCursorsTest(suite.ServerSideCursorsTest):
    def _is_server_side(self, cursor: Any) -> bool:
        """SQLAlchemy's knows the drivers by name only, and calls that "a huge issue" for other dialects."""
        return bool(cursor.server_side)
