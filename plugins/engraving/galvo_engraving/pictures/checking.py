"""Whether an uploaded file is a picture that can be engraved: its header first, then by decoding it small."""

from __future__ import annotations

from dataclasses import dataclass

from galvo_engraving.problems import Problem, TooLarge, Unfit, WrongType
from galvo_memory.images import (
    Header,
    ImageHasFrames,
    ImageNeedsTooMuch,
    ImageProblem,
    ImageTooHeavy,
    ImageTooLarge,
    Limits,
    UnknownImage,
    inspect,
)

TYPES = {
    "PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "TIFF": "image/tiff", "GIF": "image/gif",
}  # fmt: skip
"""By the header's format."""


@dataclass(frozen=True, slots=True)
class Checked:
    media_type: str
    width: int
    height: int


def declared(content_type: str) -> str:
    """What a Content-Type names. Raises WrongType."""
    found = content_type.partition(";")[0].strip().lower()
    if found not in TYPES.values():
        raise WrongType(f"Content-Type: send the picture itself, as one of {', '.join(TYPES.values())}")
    return found


async def checked(contents: bytes, media_type: str, name: str, limits: Limits) -> Checked:
    """What the header says; no pixel is decoded. Raises Problem."""
    try:
        header = await inspect(contents, limits=limits, name=name)
    except ImageProblem as error:
        raise refused(error) from None
    _same(header, media_type)
    width, height = header.upright
    return Checked(media_type, width, height)


def refused(error: ImageProblem) -> Problem:
    """In words for who sends pictures: he does not call functions."""
    name = error.name
    match error:
        case ImageTooHeavy():
            return TooLarge(f"{name}: {error.size:,} bytes are more than {error.limit:,}: compress it")
        case ImageTooLarge():
            return Unfit(
                f"{name}: {error.width:,} x {error.height:,} pixels are more than {error.limit:,}: scale it down"
            )
        case ImageHasFrames():
            return Unfit(f"{name}: it has more than one frame or page: send one picture")
        case ImageNeedsTooMuch():
            return Unfit(f"{name}: decoding it would take too much memory: scale it down")
        case UnknownImage():
            return WrongType(str(error))
    return Unfit(str(error))


def _same(header: Header, media_type: str) -> None:
    found = TYPES[header.format]
    if found != media_type:
        raise WrongType(f"{header.name}: Content-Type says {media_type}, and it is {found}: send it as that")
