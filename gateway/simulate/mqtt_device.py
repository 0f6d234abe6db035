"""How does a 4G recorder bring a recording to the gateway over MQTT, and when may it forget it?

Topics below ``ecg/v1/{clinic}/{device}/`` (docs/mqtt-upload.md): ``file/{id}/init`` announces size and checksum,
``file/{id}/{offset}`` carries a segment, ``file/{id}/fin`` ends; the gateway answers on ``ack/{id}`` with ``receiving``
and its durable offset, ``safe``, or ``error``. MQTT's own PUBACK says only that the broker has a message, so it counts
for nothing: the copy in the outbox goes when the gateway says ``safe``, never before. Whoever hears nothing sends
``init`` again and goes on from the offset in the answer.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import aiomqtt
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.outbox import Kept, Outbox

log = structlog.get_logger()

SEGMENT_BYTES: Final = 16 * 1024
"""On a 2G line (64 kB/s and less) a lost segment costs a quarter of a second."""

WINDOW_BYTES: Final = 256 * 1024
"""How far to send beyond the last acknowledged offset, until the gateway says otherwise."""

ACK_TIMEOUT_S: Final = 5.0
"""Silence after which ``init`` is sent again."""

SILENT_ROUNDS: Final = 6
"""After so many unanswered rounds the connection is closed and opened anew."""

RETRY_FIRST_S: Final = 0.5
RETRY_MOST_S: Final = 30.0
QOS: Final = 1


class MqttDeviceError(Exception):
    """The upload did not end in ``safe``; the recording is still in the outbox."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UploadRefusedError(MqttDeviceError):
    """The gateway says that this upload cannot be taken: a person has to look."""


class Ack(BaseModel):
    """What the gateway says of one upload; fields that a later gateway adds are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: Literal["receiving", "safe", "error"]
    offset: int = Field(0, ge=0)
    resend: bool = False
    reason: str | None = None
    detail: str | None = None
    retry: bool = True
    retry_after_s: float = Field(0, ge=0, le=600)
    segment_bytes: int | None = Field(None, ge=1)
    window_bytes: int | None = Field(None, ge=1)


@dataclass(frozen=True, slots=True)
class UploadTimes:
    """How one upload went."""

    file_id: str
    sha256: str
    size: int
    sent_at: datetime
    """The first ``init``."""
    success_at: datetime
    """The gateway's ``safe``."""
    connections: int
    segments: int
    """Segments sent in all connections, repeated ones counted."""

    @property
    def milliseconds(self) -> float:
        """From the first message to ``safe``."""
        return (self.success_at - self.sent_at).total_seconds() * 1000


@dataclass(slots=True)
class _Effort:
    sent_at: datetime
    connections: int = 0
    segments: int = 0


@dataclass(slots=True)
class MqttDevice:
    """One simulated 4G recorder."""

    clinic: str
    device: str
    url: str
    """``mqtt://host:port`` or ``mqtts://host:port``."""
    folder: Path
    """Where recordings are kept until they are safe."""
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    segment_bytes: int = SEGMENT_BYTES
    ack_timeout_s: float = ACK_TIMEOUT_S
    mqtt_311: bool = False
    """Speak MQTT 3.1.1, as older modules do, instead of 5."""
    segment_pause_s: float = 0.0
    """A pause after every segment, to imitate a slow line."""
    outbox: Outbox = field(init=False)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A broker ends the older of two connections of one client id."""

    def __post_init__(self) -> None:
        for name, value in (("clinic", self.clinic), ("device", self.device)):
            if not value or set(value) & set("/+#\0"):
                raise ValueError(f"{name} {value!r} stands in an MQTT topic: no '/', '+' or '#', and not empty")
        self.outbox = Outbox(self.folder)

    async def upload(
        self,
        content: bytes,
        identity: RecordingIdentity,
        *,
        media_type: str = "application/dicom",
        name: str = "recording.dcm",
        give_up_after_s: float = 600.0,
    ) -> UploadTimes:
        """Keep the recording, then send it until the gateway says ``safe``.

        Raises:
            UploadRefusedError: the gateway will not take it.
            MqttDeviceError: not safe in time; it stays in the outbox for :meth:`upload_pending`.
        """
        kept = await asyncio.to_thread(self.outbox.keep, content, identity, media_type=media_type, name=name)
        return await self._deliver(kept, give_up_after_s)

    async def upload_pending(self, give_up_after_s: float = 600.0) -> list[UploadTimes]:
        """Send all that an earlier run left in the outbox, oldest first."""
        return [await self._deliver(self.outbox.read(file_id), give_up_after_s) for file_id in self.outbox.pending()]

    async def _deliver(self, kept: Kept, give_up_after_s: float) -> UploadTimes:
        effort, pause_s = _Effort(datetime.now(UTC)), RETRY_FIRST_S
        loop = asyncio.get_running_loop()
        deadline = loop.time() + give_up_after_s
        while True:
            effort.connections += 1
            try:
                async with asyncio.timeout_at(deadline), self._one_at_a_time:
                    # gone while this task waited: another one brought the same bytes and heard "safe"
                    if kept.path.exists():
                        async with self._connected(kept) as line:
                            await _Transfer(self, kept, line, effort).run()
            except UploadRefusedError:
                raise
            except (aiomqtt.MqttError, MqttDeviceError, OSError) as error:
                # TimeoutError is an OSError: the deadline may have ended the connection
                pause_s = max(pause_s, error.retry_after_s if isinstance(error, MqttDeviceError) else 0)
                if loop.time() + pause_s >= deadline:
                    raise MqttDeviceError(f"{kept.file_id} is not safe after {give_up_after_s:g} s: {error}") from error
                log.warning("mqtt_upload_broken", device=self.device, error=str(error), retry_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_MOST_S)
            else:
                success_at = datetime.now(UTC)
                await asyncio.to_thread(self.outbox.release, kept.file_id)
                return UploadTimes(
                    kept.file_id,
                    kept.sha256,
                    kept.size,
                    effort.sent_at,
                    success_at,
                    effort.connections,
                    effort.segments,
                )

    @contextlib.asynccontextmanager
    async def _connected(self, kept: Kept) -> AsyncIterator["_Line"]:
        parts = urlsplit(self.url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise ValueError(f"broker address {self.url!r}: write mqtt://host:1883 or mqtts://host:8883")
        tls = ssl.create_default_context(cafile=self.ca_file) if parts.scheme == "mqtts" else None
        base = f"ecg/v1/{self.clinic}/{self.device}"
        async with aiomqtt.Client(
            parts.hostname,
            parts.port or (8883 if tls else 1883),
            username=self.username,
            password=self.password,
            identifier=self.device,
            protocol=aiomqtt.ProtocolVersion.V311 if self.mqtt_311 else aiomqtt.ProtocolVersion.V5,
            tls_context=tls,
            max_queued_incoming_messages=1000,
        ) as client:
            await client.subscribe(f"{base}/ack/{kept.file_id}", qos=QOS)
            yield _Line(client, f"{base}/file/{kept.file_id}")


@dataclass(slots=True)
class _Line:
    """The connection, seen from one upload."""

    client: aiomqtt.Client
    base: str

    async def say(self, last: str, payload: bytes) -> None:
        await self.client.publish(f"{self.base}/{last}", payload, qos=QOS)

    async def hear(self, timeout_s: float) -> Ack | None:
        """The next acknowledgement, or None after so long a silence."""
        try:
            async with asyncio.timeout(timeout_s):
                message = await anext(self.client.messages)
        except TimeoutError:
            return None
        try:
            assert isinstance(message.payload, (bytes, bytearray))
            return Ack.model_validate_json(bytes(message.payload))
        except ValidationError as error:
            raise MqttDeviceError(f"the gateway's acknowledgement cannot be read: {error}") from None

    def waiting(self) -> bool:
        return len(self.client.messages) > 0


@dataclass(slots=True)
class _Transfer:
    """One upload over one connection: from the durable offset to ``safe``."""

    device: MqttDevice
    kept: Kept
    line: _Line
    effort: _Effort
    acked: int = 0
    next: int = 0
    window: int = WINDOW_BYTES
    segment: int = SEGMENT_BYTES
    ended: bool = False

    async def run(self) -> None:
        """Returns when the gateway said ``safe``."""
        content = await asyncio.to_thread(self.kept.path.read_bytes)
        self.segment = self.device.segment_bytes
        silent = 0
        await self._announce()
        heard = await self.line.hear(self.device.ack_timeout_s)
        while True:
            if heard is None:
                silent += 1
                if silent >= SILENT_ROUNDS:
                    raise MqttDeviceError("the gateway does not answer; is it running and subscribed to this clinic?")
                await self._announce()
            else:
                silent = 0
                if self._take(heard):
                    return
                await self._send(content)
            heard = await self.line.hear(self.device.ack_timeout_s)
            if heard is not None and silent:
                # the answer to a repeated init is the truth about what is durable: go on from there
                self.next = min(self.next, heard.offset)

    async def _announce(self) -> None:
        self.ended = False
        await self.line.say("init", json.dumps(self.kept.init(), ensure_ascii=False).encode())

    def _take(self, ack: Ack) -> bool:
        """Learn from an acknowledgement; True when the recording is safe."""
        if ack.state == "safe":
            return True
        if ack.state == "error":
            said = f"the gateway answered {ack.reason} for {self.kept.file_id}: {ack.detail or 'no more was said'}"
            raise MqttDeviceError(said, ack.retry_after_s) if ack.retry else UploadRefusedError(said)
        self.acked = max(self.acked, min(ack.offset, self.kept.size))
        self.next = max(self.next, self.acked)
        if ack.resend:
            self.next, self.ended = ack.offset, False
        self.segment = min(self.segment, ack.segment_bytes or self.segment)
        self.window = ack.window_bytes or self.window
        return False

    async def _send(self, content: bytes) -> None:
        """Segments up to the window's end, then ``fin``; stops early when the gateway has something to say."""
        while self.next < min(self.kept.size, self.acked + self.window) and not self.line.waiting():
            part = content[self.next : self.next + self.segment]
            await self.line.say(str(self.next), part)
            self.effort.segments += 1
            self.next += len(part)
            if self.device.segment_pause_s:
                await asyncio.sleep(self.device.segment_pause_s)
        if self.next >= self.kept.size and not self.ended:
            self.ended = True
            fin = {"size": self.kept.size, "sha256": self.kept.sha256}
            await self.line.say("fin", json.dumps(fin).encode())


__all__ = ["Ack", "MqttDevice", "MqttDeviceError", "UploadRefusedError", "UploadTimes"]
