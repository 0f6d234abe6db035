"""What has the centre to be told, and what does each setting mean?"""

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from ecg_center.contract.settings import Section


class CenterSettings(Section):
    """``[center]``: the web application and its jobs."""

    section: ClassVar[str] = "center"
    model_config = SettingsConfigDict(env_prefix="ECG_CENTER_", extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on; a reverse proxy with TLS stands before it.")
    port: int = Field(8080, ge=1, le=65535, description="TCP port to listen on.")
    public_url: str = Field(
        "http://127.0.0.1:8080",
        description="The address that people and QR codes use, e.g. https://ecg.county.example.",
    )
    signing_passphrase: SecretStr = Field(
        description="Unlocks the physicians' stored signing keys; at least 16 characters, kept out of backups.",
        min_length=16,
    )
    demo: bool = Field(False, description="Whether every page says that this is a demonstration, without patients.")
    report_remark: str = Field("", max_length=500, description="A remark that stands on every report.")
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses of reverse proxies whose X-Forwarded-For is believed, separated by commas."
    )
    job_concurrency: int = Field(2, ge=1, le=32, description="How many of the centre's jobs run at one time.")

    @field_validator("public_url")
    @classmethod
    def _http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/")
