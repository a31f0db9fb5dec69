"""Why an image is refused. Each sentence names the image and the number, and says what to change."""

from __future__ import annotations

from typing import Any

from galvo.sizes import show
from galvo_memory.errors import MemoryProblem


class ImageProblem(MemoryProblem):
    """Base: this image cannot be had. `name` is the file's, or what the caller called the bytes."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)  # a child process sends it


def _restored(kind: type[ImageProblem], args: tuple[Any, ...], state: dict[str, Any]) -> ImageProblem:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class UnknownImage(ImageProblem):
    """None of the formats that are read, or a kind of one that is not."""


class CorruptImage(ImageProblem):
    """The file contradicts itself or its format."""


class TruncatedImage(CorruptImage):
    """The file ends too early."""


class EmptyImage(CorruptImage):
    """No bytes, or a side of no pixels."""


class ImageTooLarge(ImageProblem):
    """More pixels than the limit."""

    def __init__(self, name: str, width: int, height: int, limit: int, where: str = "") -> None:
        what = f"{width:,} x {height:,} pixels are more than the limit of {limit:,}"
        change = "cut it into parts" if where else "scale it down, or raise pixels="
        super().__init__(name, f"{what} {where}: {change}" if where else f"{what}: {change}")
        self.width, self.height, self.limit = width, height, limit


class ImageTooHeavy(ImageProblem):
    """A larger file than the limit."""

    def __init__(self, name: str, size: int, limit: int) -> None:
        super().__init__(name, f"{show(size)} are more than the limit of {show(limit)}: compress it, or raise size=")
        self.size, self.limit = size, limit


class ImageHasFrames(ImageProblem):
    """An animation, or several pages, where one picture is expected."""

    def __init__(self, name: str, limit: int) -> None:
        super().__init__(name, f"more than {limit} frame(s): send one picture, or raise frames= to use the first")
        self.limit = limit


class ImageBomb(ImageProblem):
    """A small part of the file that unpacks to far more than it may, or takes far longer."""


class ImageNeedsTooMuch(ImageProblem):
    """To decode it takes more memory than the whole budget."""

    def __init__(self, name: str, size: int, budget: int) -> None:
        super().__init__(
            name, f"{show(size)} to decode it are more than the budget of {show(budget)}: scale it down, or raise that"
        )
        self.size, self.budget = size, budget
