"""Where does a setting come from, and what does a wrong one say?

Every command reads one TOML file (``--config``, else ``ECG_CONFIG``, else ``./ecg-center.toml`` where it exists)
and environment variables, which win. A section of the file is one model; a model's prefix names its variables:
``[gateway] centre_url`` is ``ECG_GATEWAY_CENTRE_URL``.
"""

import os
import tomllib
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

SECTIONS = ("store", "center", "gateway", "worker", "demo")
DEFAULT_FILE = Path("ecg-center.toml")


class SettingsError(Exception):
    """The settings cannot be used; the message names each key and says what it should be."""


class Section(BaseSettings):
    """One table of the TOML file, overridden by environment variables."""

    section: ClassVar[str]
    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_nested_delimiter="__")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file (which arrives as the init arguments)."""
        return env_settings, init_settings

    @classmethod
    def load(cls, file: Path | None = None) -> Self:
        """Read and check this section.

        Raises:
            SettingsError: naming every key that is missing, unknown or wrong.
        """
        path = settings_file(file)
        table = _read_table(path, cls.section) if path else {}
        try:
            return cls(**table)
        except ValidationError as error:
            raise SettingsError(_explain(cls, path, error)) from None


def settings_file(file: Path | None) -> Path | None:
    """The file to read: the one given, else ``ECG_CONFIG``, else ``./ecg-center.toml``, else none."""
    if file is None and (named := os.environ.get("ECG_CONFIG")):
        file = Path(named)
    if file is not None:
        if not file.is_file():
            raise SettingsError(f"settings file {file} does not exist; name one with --config or ECG_CONFIG")
        return file
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _read_table(path: Path, section: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    if unknown := sorted(set(document) - set(SECTIONS)):
        raise SettingsError(f"{path}: unknown section [{unknown[0]}]; known: {', '.join(SECTIONS)}")
    table = document.get(section, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: [{section}] must be a table")
    return table


def _explain(cls: type[Section], path: Path | None, error: ValidationError) -> str:
    lines = [f"settings of [{cls.section}]{f' in {path}' if path else ''} cannot be used:"]
    lines += [f"  {_name(cls, item)}: {item['msg']}" for item in error.errors()]
    return "\n".join(lines)


def _name(cls: type[Section], item: ErrorDetails) -> str:
    key = ".".join(str(part) for part in item["loc"])
    first = str(item["loc"][0]) if item["loc"] else ""
    variable = f"{cls.model_config.get('env_prefix', '')}{first}".upper()
    return f"{key} (environment {variable})" if first in cls.model_fields else key


__all__ = ["Section", "SettingsError", "settings_file"]
