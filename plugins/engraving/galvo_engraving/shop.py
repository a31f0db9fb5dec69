"""What every request finds in the application: database, settings, and whether jobs can be asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from galvo import Kernel
from galvo_engraving.accounts.throttle import Throttle
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
    throttle: Throttle = field(default_factory=Throttle)
    """Of wrong passwords and new accounts."""


def shop(request: Request) -> Shop:
    return cast("Shop", request.app.state.shop)


# Dependencies are asynchronous, or FastAPI runs each of them in a thread.
async def whole(request: Request) -> Shop:
    return shop(request)


async def database(request: Request) -> Database:
    return shop(request).db


InShop = Annotated[Shop, Depends(whole)]
Db = Annotated[Database, Depends(database)]
