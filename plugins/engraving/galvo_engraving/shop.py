"""What every request finds in the application: database, settings, and whether jobs can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from galvo import Kernel
from galvo_engraving.config import EngravingSettings
from galvo_engraving.database import Database


@dataclass(slots=True)
class Shop:
    db: Database
    settings: EngravingSettings
    kernel: Kernel | None = None
    """None: galvo is not used at all."""
    toggles: Any = None
    """Switches plugins while this runs; None: there are none."""
    jobs: Any = None
    """The Celery application; None: what it would do is done by this process, while the client waits."""


def shop(request: Request) -> Shop:
    return cast("Shop", request.app.state.shop)


# Coroutines, since FastAPI has a thread call a plain function: twice as long as all else of a request.
async def _shop(request: Request) -> Shop:
    return shop(request)


async def _database(request: Request) -> Database:
    return shop(request).db


InShop = Annotated[Shop, Depends(_shop)]
Db = Annotated[Database, Depends(_database)]
