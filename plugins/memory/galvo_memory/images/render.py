"""From an open file to a small upright picture in sRGB. Runs in a thread."""

from __future__ import annotations

import io
from threading import Event
from typing import BinaryIO

from PIL import Image

from galvo_memory.images import by_pillow, colour
from galvo_memory.images.decoded import Decoded
from galvo_memory.images.errors import CorruptImage, ImageProblem, TruncatedImage
from galvo_memory.images.header import Header
from galvo_memory.images.plan import Output, Plan
from galvo_memory.images.source import Stoppable

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF's orientation. Source: EXIF 2.32, 4.6.4; the same as Pillow's `exif_transpose`."""


def render(file: BinaryIO, header: Header, plan: Plan, stop: Event | None = None) -> Image.Image:
    """In mode L, RGB or RGBA, without metadata. Raises CorruptImage, TruncatedImage."""
    try:
        image, icc, upright = _decoded(Stoppable(file, stop), header, plan)
    except ImageProblem:
        raise
    except MemoryError:
        raise
    except Exception as error:
        raise _problem(header.name, error) from error
    image = colour.to_srgb(image, icc)
    if plan.grey:
        image = colour.opaque(image).convert("L")
    if not upright and header.orientation in TURNS:
        image = image.transpose(TURNS[header.orientation])
    image.info = {}
    return image


def _decoded(file: Stoppable, header: Header, plan: Plan) -> Decoded:
    if plan.route == "pillow":
        return by_pillow.decode(file, header, plan)
    from galvo_memory.images import by_vips  # an extra

    return by_vips.decode(file, header, plan)


def _problem(name: str, error: Exception) -> CorruptImage:
    """What a decoder says of a file, in a sentence; decoders raise whatever comes to hand."""
    words = str(error).strip().replace("\n", "; ") or type(error).__name__
    kind = TruncatedImage if "truncated" in words or "end of" in words else CorruptImage
    return kind(name, f"it cannot be decoded: {words}: send it again")


def encode(image: Image.Image, output: Output, quality: int) -> bytes:
    """The same bytes for the same pixels."""
    target = io.BytesIO()
    if output == "jpeg":
        colour.opaque(image).save(target, "JPEG", quality=quality)
    elif output == "webp":
        image.save(target, "WEBP", quality=quality)
    else:
        image.save(target, "PNG")
    return target.getvalue()
