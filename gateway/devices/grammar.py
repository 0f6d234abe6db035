"""Which topics and messages does an MQTT upload consist of? (``docs/mqtt-upload.md``)

Device to gateway, below ``ecg/v1/{clinic}/{device}/file/{id}/``: ``init``, ``{offset}``, ``fin``. Gateway to device:
``ecg/v1/{clinic}/{device}/ack/{id}``. The form is that of EMQX file transfer, with an answer on the application's level
added, because MQTT's own acknowledgement says nothing of a disk.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ecg_center.contract.base import Sha256
from ecg_center.contract.upload import RecordingIdentity

SUBSCRIPTION = "ecg/v1/+/+/file/#"

_TOPIC = re.compile(
    r"ecg/v1/(?P<clinic>[A-Za-z0-9._-]{1,16})/(?P<device>[^/+#\x00-\x1f]{1,64})"
    r"/file/(?P<id>[A-Za-z0-9._-]{1,64})/(?P<part>init|fin|\d{1,12})"
)

Reason = Literal[
    "device-unknown", "bad-message", "no-upload", "too-large", "too-many", "checksum", "disk-full", "disk-failed"
]

FINAL_REASONS: frozenset[Reason] = frozenset({"device-unknown", "bad-message", "too-large"})
"""A person has to look; sending the same again cannot help."""


class GrammarError(Exception):
    """A topic or message that is not of the grammar."""


@dataclass(frozen=True, slots=True)
class Address:
    """One upload of one device."""

    clinic: str
    device: str
    upload_id: str

    @property
    def ack_topic(self) -> str:
        """Where the device listens."""
        return f"ecg/v1/{self.clinic}/{self.device}/ack/{self.upload_id}"


class Init(BaseModel):
    """``init``: what is coming. Fields that a later grammar adds are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    size: Annotated[int, Field(gt=0)]
    sha256: Sha256
    media_type: Annotated[str, Field(max_length=64)] = "application/octet-stream"
    name: Annotated[str, Field(max_length=255)] | None = None
    identity: RecordingIdentity = Field(default_factory=RecordingIdentity)


@dataclass(frozen=True, slots=True)
class Segment:
    """``{offset}``: bytes of the file from there on."""

    offset: int
    data: bytes


class Fin(BaseModel):
    """``fin``: that was all."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    size: Annotated[int, Field(gt=0)]
    sha256: Sha256


Part = Init | Segment | Fin


class Ack(BaseModel):
    """The gateway's answer."""

    model_config = ConfigDict(frozen=True)

    state: Literal["receiving", "safe", "error"]
    offset: int = 0
    """How many bytes from the start are durable; everything from here on may have to be sent again."""
    resend: bool | None = None
    """True: bytes are missing, go back to ``offset`` and send from there."""
    segment_bytes: int | None = None
    window_bytes: int | None = None
    reason: Reason | None = None
    retry: bool | None = None
    """With ``error``: whether to start over with ``init``, after ``retry_after_s``."""
    retry_after_s: int | None = None
    detail: str | None = None

    def payload(self) -> bytes:
        """JSON without what is not said."""
        return self.model_dump_json(exclude_none=True).encode()


def error_ack(reason: Reason, detail: str, retry_after_s: int = 5) -> Ack:
    """The ``error`` answer; whether to try again follows from the reason."""
    if reason in FINAL_REASONS:
        return Ack(state="error", reason=reason, retry=False, detail=detail)
    return Ack(state="error", reason=reason, retry=True, retry_after_s=retry_after_s, detail=detail)


def parse_topic(topic: str) -> tuple[Address, str]:
    """The upload that a topic speaks of, and its last level.

    Raises:
        GrammarError: the topic is not of the grammar.
    """
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise GrammarError("topic is not ecg/v1/{clinic}/{device}/file/{id}/(init|offset|fin)")
    return Address(found["clinic"], found["device"], found["id"]), found["part"]


def parse_part(part: str, payload: bytes) -> Part:
    """The message under that last level.

    Raises:
        GrammarError: the payload is not of the grammar.
    """
    if part.isdigit():
        return Segment(int(part), payload)
    model: type[Init | Fin] = Init if part == "init" else Fin
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        if model is Init and (forgiven := _without_identity(payload)):
            return forgiven
        first: Any = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        raise GrammarError(f"{part}: {where}: {first['msg']}"[:300]) from None


def _without_identity(payload: bytes) -> Init | None:
    """The same ``init`` where only its identity is wrong: a typing error in a name never costs a recording."""
    try:
        return _Bare.model_validate_json(payload).init()
    except ValidationError:
        return None


class _Bare(BaseModel):
    """``init`` with its identity field by field."""

    model_config = ConfigDict(extra="ignore")

    size: Annotated[int, Field(gt=0)]
    sha256: Sha256
    media_type: Any = None
    name: Any = None
    identity: Any = None

    def init(self) -> Init:
        fields: dict[str, Any] = {"size": self.size, "sha256": self.sha256, "identity": self._identity()}
        for name, most in (("media_type", 64), ("name", 255)):
            value = getattr(self, name)
            if isinstance(value, str):
                fields[name] = value[:most]
        return Init.model_validate(fields)

    def _identity(self) -> RecordingIdentity:
        if not isinstance(self.identity, dict):
            return RecordingIdentity()
        kept: dict[str, Any] = {}
        for name, value in self.identity.items():
            try:
                RecordingIdentity.model_validate({name: value})
            except ValidationError:
                continue
            kept[name] = value
        return RecordingIdentity.model_validate(kept)
