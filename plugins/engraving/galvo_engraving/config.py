"""The application's own settings; galvo's are in settings/galvo.toml."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from galvo import SettingsError

FILE = Path("engraving.toml")


class EngravingSettings(BaseSettings):
    """Defaults < engraving.toml < ENGRAVING_<KEY>."""

    model_config = SettingsConfigDict(env_prefix="ENGRAVING_", extra="forbid", toml_file=FILE)

    token_days: float = Field(
        default=30, gt=0, le=3650, description="Days for which somebody stays signed in.", allow_inf_nan=False
    )
    image_bytes: int = Field(default=32 << 20, ge=1024, le=1 << 30, description="Bytes of an uploaded picture at most.")
    user_bytes: int = Field(default=1 << 30, ge=1024, le=1 << 40, description="Bytes of a user's pictures together.")
    image_pixels: int = Field(default=100_000_000, ge=1, le=1_000_000_000, description="Pixels of a picture at most.")
    image_ttl: float = Field(
        default=86_400, gt=0, le=31_536_000, allow_inf_nan=False,
        description="Seconds that the dots of an engraved picture are kept.",
    )  # fmt: skip
    file_bytes: int = Field(
        default=4 << 20, ge=1024, le=1 << 28, description="Bytes of an imported library or catalogue."
    )
    warm: int = Field(default=50, ge=0, le=10_000, description="Templates and materials made ready at the start.")
    registration: bool = Field(default=True, description="Whether anybody may make an account.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read() -> EngravingSettings:
    """Those of the working directory and the environment. Raises SettingsError."""
    try:
        return EngravingSettings()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SettingsError(f"{FILE} or ENGRAVING_{where.upper()}: {where}: {first['msg']}") from None
    except ValueError as error:
        raise SettingsError(f"{FILE}: {error}") from None
