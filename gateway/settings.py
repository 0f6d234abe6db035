"""What has a clinic's gateway to be told, and what does each setting mean?

One table ``[gateway]`` of the TOML file, with ``[gateway.dicom]``, ``[gateway.mqtt]``, ``[gateway.devices]`` and
``[gateway.printers]`` inside it. The environment wins: ``ECG_GATEWAY_TOKEN``, ``ECG_GATEWAY_MQTT__PASSWORD``.
"""

import re
from pathlib import Path
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from ecg_center.contract.settings import Section
from ecg_center.contract.upload import MAX_RECORDING_BYTES

MIB = 1024**2
GIB = 1024**3

InstitutionCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,16}$")]
"""The contract's 16 characters, kept to those that are safe in an MQTT topic and in a file name."""

AeTitle = Annotated[
    str, StringConstraints(pattern=r"^[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?$")
]
"""DICOM PS3.5 table 6.2-1, AE: up to 16 characters without backslash; outer spaces mean nothing."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DicomSettings(_Table):
    """``[gateway.dicom]``: the DICOM port that the clinic's recorders send to."""

    enabled: bool = Field(True, description="Whether the gateway listens for DICOM recorders.")
    host: str = Field("0.0.0.0", description="Address to listen on; 127.0.0.1 keeps it to this machine.")  # noqa: S104
    port: int = Field(11112, ge=1, le=65535, description="TCP port; 104 is DICOM's own, 11112 its unprivileged one.")
    ae_title: AeTitle = Field("ECGGATEWAY", description="The gateway's own AE title, which recorders call.")
    require_called_ae_title: bool = Field(
        False, description="Whether an association that calls another AE title than `ae_title` is refused."
    )
    max_associations: int = Field(
        64, ge=1, le=1000, description="How many recorders may be connected at one time; more are refused for now."
    )
    idle_seconds: float = Field(
        120, ge=1, description="An association on which nothing happens for this long is ended."
    )


class MqttSettings(_Table):
    """``[gateway.mqtt]``: the broker that 4G recorders upload through."""

    enabled: bool = Field(False, description="Whether the gateway takes uploads from an MQTT broker.")
    url: str = Field(
        "mqtt://127.0.0.1:1883", description="The broker: mqtt://host:1883, or mqtts://host:8883 with TLS."
    )
    username: str | None = Field(None, description="The gateway's user name at the broker.")
    password: SecretStr | None = Field(None, description="The gateway's password at the broker.")
    client_id: str = Field(
        "ecg-gateway",
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="The gateway's client id; two gateways on one broker need two, or they throw each other out.",
    )
    ca_file: Path | None = Field(None, description="PEM file of the CA that signed the broker's certificate.")
    segment_bytes: int = Field(
        16 * 1024,
        ge=1024,
        le=MIB,
        description="Segment size told to devices; must fit the broker's packet limit.",
    )
    window_bytes: int = Field(
        256 * 1024,
        ge=1024,
        le=16 * MIB,
        description="How much a device may send beyond the last acknowledged offset; told to devices.",
    )
    max_uploads_per_device: int = Field(4, ge=1, le=64, description="Unfinished uploads that one device may have.")
    idle_hours: float = Field(
        72, gt=0, description="An unfinished upload that nobody continued for this long is dropped."
    )

    @field_validator("url")
    @classmethod
    def _broker_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError("must be mqtt://host:port or mqtts://host:port")
        if parts.username or parts.password:
            raise ValueError("put user name and password into `username` and `password`, not into the address")
        _ = parts.port  # raises a ValueError that says so where the port is no number
        return url


class GatewaySettings(Section):
    """``[gateway]``: the edge of one clinic, or of several."""

    section: ClassVar[str] = "gateway"
    model_config = SettingsConfigDict(env_prefix="ECG_GATEWAY_")

    centre_url: str = Field(description="Address of the centre, e.g. https://ecg.county.example.")
    token: SecretStr = Field(description="The gateway's secret, made at the centre; sent as `Authorization: Bearer`.")
    ca_file: Path | None = Field(
        None, description="PEM file of the CA that signed the centre's certificate, where no public one did."
    )
    allow_plain_http: bool = Field(
        False,
        description="Permit http:// to another machine. The recordings and the token then travel in the clear: "
        "only inside a VPN or a container network.",
    )
    spool: Path = Field(
        Path("/var/lib/ecg-gateway"), description="Folder of the durable journal; a local disk, not a network share."
    )
    devices: dict[Annotated[str, Field(min_length=1, max_length=64)], InstitutionCode] = Field(
        default_factory=dict,
        description="Which device belongs to which institution: calling AE title or MQTT device id → institution "
        "code. A device that is not listed is refused.",
    )
    printers: dict[InstitutionCode, str] = Field(
        default_factory=dict,
        description="Institution code → IPP address of its printer, e.g. ipp://192.168.1.20:631/ipp/print.",
    )
    reserve_bytes: int = Field(
        512 * MIB,
        ge=0,
        description="Free disk space that new recordings may not use, so that those already safe can be worked on.",
    )
    max_file_bytes: int = Field(
        MAX_RECORDING_BYTES, ge=1, le=MAX_RECORDING_BYTES, description="The largest single recording taken."
    )
    keep_delivered_days: float = Field(
        7, ge=0, description="How long a copy is kept after the centre's receipt, as the last line of safety."
    )
    keep_delivered_bytes: int = Field(
        20 * GIB, ge=0, description="How much those copies may take together; the oldest go first."
    )
    parallel_uploads: int = Field(3, ge=1, le=32, description="Routine uploads at one time; urgent ones come on top.")
    verify_printer_tls: bool = Field(
        False,
        description="Whether an ipps:// printer's certificate is checked; clinic printers sign their own.",
    )
    timezone: str = Field(
        "Asia/Shanghai", description="Time zone of the clinics, in which recorders write times without one."
    )
    dicom: DicomSettings = Field(DicomSettings(), description="The DICOM port; see its own table.")
    mqtt: MqttSettings = Field(MqttSettings(), description="The MQTT broker; see its own table.")

    @field_validator("token")
    @classmethod
    def _token_is_a_header(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[\x21-\x7e]{8,512}", token.get_secret_value()):
            raise ValueError("must be 8 to 512 printable ASCII characters without spaces")
        return token

    @field_validator("printers")
    @classmethod
    def _printers_are_ipp(cls, printers: dict[str, str]) -> dict[str, str]:
        for code, uri in printers.items():
            parts = urlsplit(uri)
            if parts.scheme not in {"ipp", "ipps"} or not parts.hostname:
                raise ValueError(f"printer of {code}: must be ipp://host:port/path or ipps://host:port/path")
        return printers

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{name!r} is no IANA time zone, such as Asia/Shanghai") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the clinics."""
        return ZoneInfo(self.timezone)

    @model_validator(mode="after")
    def _centre_is_reached_safely(self) -> Self:
        parts = urlsplit(self.centre_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("centre_url must be https://host or https://host:port")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and not self.allow_plain_http:
            raise ValueError(
                "centre_url is http:// to another machine, which would send recordings and token in the clear; "
                "use https://, or set allow_plain_http = true where the network itself is private"
            )
        return self

    def institution_of(self, device: str) -> str | None:
        """The institution that a calling AE title or MQTT device id belongs to; None where it is not listed."""
        return self.devices.get(device.strip())
