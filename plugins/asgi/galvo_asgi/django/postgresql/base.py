"""The module in which Django looks for a backend."""

from __future__ import annotations

from django.db.backends.postgresql import base  # type: ignore[import-untyped]  # Django has no types

from galvo_asgi.django.announcing import Announcing


class DatabaseWrapper(Announcing, base.DatabaseWrapper):  # type: ignore[misc]  # Django has no types
    """Django's, announcing."""
