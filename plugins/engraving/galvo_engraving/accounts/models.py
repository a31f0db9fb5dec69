"""Accounts as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from galvo_engraving.fields import left

Line = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f-\x9f\uFFFE\uFFFF]+$"
    ),
    Field(examples=["Oak and light"]),
]
"""Text of one line, which XML can hold, too."""
Email = Annotated[
    str,
    StringConstraints(
        max_length=254, strip_whitespace=True, to_lower=True, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$"
    ),
    Field(examples=["ada@example.com"]),
]
Password = Annotated[str, StringConstraints(min_length=10, max_length=200), Field(examples=["correct horse battery"])]


class Strict(BaseModel):
    """What clients send: a key that is not known is told, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Registration(Strict):
    email: Email
    name: Line
    studio: Line
    password: Password


class SignIn(Strict):
    email: Email
    password: str = Field(max_length=200)


class AccountChange(Strict):
    """The rest stays. A new password needs the old one."""

    name: Line = left()
    studio: Line = left()
    password: Password = left()
    old_password: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _sure(self) -> Self:
        if ("password" in self.model_fields_set) != bool(self.old_password):
            raise ValueError("password, old_password: give both, or neither of them")
        return self


class Leave(Strict):
    """It has to be meant."""

    password: str = Field(max_length=200)


class Account(BaseModel):
    id: int
    email: str
    name: str
    studio: str
    role: str
    created_at: datetime
    dashboard: bool = Field(description="Whether /galvo is there, and admits this account.")


class Session(BaseModel):
    token: str
    expires_at: datetime
