"""Large images in little memory: the header decides before any pixel is decoded. Needs galvo-memory[images]."""

from galvo_memory.images.errors import (
    CorruptImage,
    EmptyImage,
    ImageBomb,
    ImageHasFrames,
    ImageNeedsTooMuch,
    ImageProblem,
    ImageTooHeavy,
    ImageTooLarge,
    TruncatedImage,
    UnknownImage,
)
from galvo_memory.images.header import Header
from galvo_memory.images.limits import LIMITS, Limits
from galvo_memory.images.raster import Raster, raster
from galvo_memory.images.thumbnail import thumbnail, thumbnail_key
from galvo_memory.images.work import inspect

__all__ = [
    "LIMITS",
    "CorruptImage",
    "EmptyImage",
    "Header",
    "ImageBomb",
    "ImageHasFrames",
    "ImageNeedsTooMuch",
    "ImageProblem",
    "ImageTooHeavy",
    "ImageTooLarge",
    "Limits",
    "Raster",
    "TruncatedImage",
    "UnknownImage",
    "inspect",
    "raster",
    "thumbnail",
    "thumbnail_key",
]
