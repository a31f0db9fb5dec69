"""One image, from its source to what is wanted of it, within limits and budget."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import TypeVar

from PIL import Image

from galvo_memory import budgets
from galvo_memory.budgets import Admission, BudgetTooLarge
from galvo_memory.images import headers
from galvo_memory.images.errors import CorruptImage, ImageNeedsTooMuch
from galvo_memory.images.estimate import estimate
from galvo_memory.images.header import Header
from galvo_memory.images.headers.reader import Reader
from galvo_memory.images.isolated import in_process
from galvo_memory.images.limits import LIMITS, Limits
from galvo_memory.images.plan import Plan
from galvo_memory.images.render import render
from galvo_memory.images.source import Picture, Source, picture
from galvo_memory.images.threads import in_thread

T = TypeVar("T")


async def inspect(source: Source, *, limits: Limits = LIMITS, name: str = "") -> Header:
    """What the header says; no pixel is decoded. Raises ImageProblem, OSError, TypeError."""
    image = await picture(source, limits, name)
    return await in_thread(lambda stop: _inspect(image, limits, stop))


async def made(
    source: Source,
    plan_of: Callable[[Header], Plan],
    finish: Callable[[Image.Image], T],
    limits: Limits,
    admission: Admission | None,
    name: str,
    isolated: bool,
) -> T:
    """`finish` of the small picture, in the thread that decodes it; waits until the budget has room for both.

    Isolated, in a child process instead. Raises ImageProblem, OSError, TypeError, and what `plan_of` raises.
    """
    image = await picture(source, limits, name)
    header, plan = await in_thread(lambda stop: _planned(image, limits, plan_of, stop))
    size = estimate(header, plan, image.held)
    try:
        if isolated:
            return await in_process(partial(_made, image, limits, header, plan, finish), image.name, size)
        async with (budgets.process if admission is None else admission).hold(size):
            return await in_thread(lambda stop: _made(image, limits, header, plan, finish, stop))
    except BudgetTooLarge as error:
        raise ImageNeedsTooMuch(header.name, size, error.total) from None


def _inspect(image: Picture, limits: Limits, stop: Event | None = None) -> Header:
    with image.open(limits) as (file, size):
        header = headers.read(Reader(file, size, image.name, stop), limits.frames)
    limits.check(header)
    return header


def _planned(image: Picture, limits: Limits, plan_of: Callable[[Header], Plan], stop: Event) -> tuple[Header, Plan]:
    header = _inspect(image, limits, stop)
    return header, plan_of(header)


def _made(
    image: Picture,
    limits: Limits,
    header: Header,
    plan: Plan,
    finish: Callable[[Image.Image], T],
    stop: Event | None = None,
) -> T:
    with image.open(limits) as (file, size):
        if headers.read(Reader(file, size, image.name, stop), limits.frames) != header:
            raise CorruptImage(image.name, "it was changed while it waited: send it again")
        file.seek(0)
        return finish(render(file, header, plan, stop))
