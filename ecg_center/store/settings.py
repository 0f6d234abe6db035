"""Where are the database and the stored bytes?"""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from ecg_center.contract.settings import Section


class StoreSettings(Section):
    """``[store]``: what the centre and its workers share."""

    section: ClassVar[str] = "store"
    model_config = SettingsConfigDict(env_prefix="ECG_", extra="forbid", frozen=True)

    database_url: str = Field(
        description="PostgreSQL 15 to 18 as the application's role (NOSUPERUSER NOBYPASSRLS), e.g. "
        "postgresql+psycopg://ecg_app:secret@127.0.0.1/ecg",
    )
    owner_database_url: str | None = Field(
        default=None, description="The same database as the schema's owner; only `ecg-center migrate` needs it."
    )
    blobs: str = Field(
        default="blobs",
        description="Where recordings and reports are kept: a folder, or s3://bucket/prefix "
        "(credentials from the usual AWS_ variables).",
    )
    uploads: Path = Field(
        default=Path("uploads"), description="A local folder for uploads under way; needs room for the largest file."
    )

    @field_validator("database_url", "owner_database_url")
    @classmethod
    def _psycopg(cls, url: str | None) -> str | None:
        if url is None:
            return None
        scheme, _, rest = url.partition("://")
        if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not rest:
            raise ValueError("must be a PostgreSQL address: postgresql://user:password@host:port/database")
        return f"postgresql+psycopg://{rest}"
