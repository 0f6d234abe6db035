"""How does the gateway take uploads from an MQTT broker?

One MQTT 5 connection subscribes to all uploads of the grammar (``docs/mqtt-upload.md``). Each upload has a worker of
its own, so a large file delays no small one: it takes all that has arrived for it, writes, fsyncs once, and answers
with the offset that is durable now. Nothing here relies on MQTT's own acknowledgement: aiomqtt gives that before
anything is stored. What is lost between broker and disk the device sends again, from the offset it was told last.
"""

import asyncio
import contextlib
import random
import ssl
import time
from urllib.parse import urlsplit

import aiomqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.devices.grammar import (
    SUBSCRIPTION,
    Ack,
    Address,
    GrammarError,
    Part,
    error_ack,
    parse_part,
    parse_topic,
)
from gateway.devices.partial import PartialStore, PartialUpload
from gateway.health import Health
from gateway.retry import BROKER, delay_s
from gateway.settings import GatewaySettings
from gateway.spool import Spool

log = structlog.get_logger(__name__)

QOS = 1
SESSION_EXPIRY_S = 3600
"""The broker keeps the subscription and what arrives while the gateway restarts."""

MAX_PACKET_BYTES = 2 * 1024**2
"""No segment is larger than a mebibyte; a broker that knows this limit (MQTT 5) keeps larger ones away."""

MAX_QUEUED_MESSAGES = 2048
"""Read from the broker and not yet with a worker; at 16 KiB a segment 32 MiB. What comes beyond is dropped, which
costs the device a re-send and nothing else."""

MAX_PENDING_PARTS = 256
"""The same for one upload."""

MAX_WORKERS = 256
"""Uploads in memory at one time."""

WORKER_IDLE_S = 60.0
"""A worker without messages for this long lets go of its file; the upload stays on disk."""

EXPIRY_CHECK_S = 3600.0
KEEPALIVE_S = 20
"""A dead 4G route is noticed within half a minute."""


class MqttReceiver:
    """Takes uploads until cancelled."""

    def __init__(self, settings: GatewaySettings, spool: Spool, health: Health) -> None:
        self._settings = settings
        self._health = health
        self._store = PartialStore(spool, settings.mqtt)
        self._workers: dict[Address, _Worker] = {}
        self._client: aiomqtt.Client | None = None

    async def run(self) -> None:
        """Connect, receive, connect again, for as long as it takes."""
        await asyncio.to_thread(self._store.open)
        expiry = asyncio.create_task(self._expire())
        failures = 0
        try:
            while True:
                connected_at = time.monotonic()
                try:
                    await self._receive()
                except aiomqtt.MqttError as error:
                    if time.monotonic() - connected_at > BROKER.cap_s:
                        failures = 0
                    failures += 1
                    wait = delay_s(BROKER, failures, random.random())  # noqa: S311
                    self._health.report("mqtt", f"no connection to the broker {self._settings.mqtt.url}: {error}")
                    await asyncio.sleep(wait)
        finally:
            expiry.cancel()
            for worker in self._workers.values():
                worker.task.cancel()
            await asyncio.gather(expiry, *(w.task for w in self._workers.values()), return_exceptions=True)

    async def _receive(self) -> None:
        async with self._connection() as client:
            await client.subscribe(SUBSCRIPTION, qos=QOS)
            self._client = client
            self._health.clear("mqtt")
            log.info("MQTT connected", broker=self._settings.mqtt.url)
            try:
                async for message in client.messages:
                    payload = message.payload if isinstance(message.payload, bytes) else b""
                    await self._dispatch(str(message.topic), payload)
            finally:
                self._client = None

    def _connection(self) -> aiomqtt.Client:
        ours = self._settings.mqtt
        parts = urlsplit(ours.url)
        secure = parts.scheme == "mqtts"
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        tls = ssl.create_default_context(cafile=str(ours.ca_file) if ours.ca_file else None) if secure else None
        return aiomqtt.Client(
            parts.hostname or "",
            parts.port or (8883 if secure else 1883),
            username=ours.username,
            password=ours.password.get_secret_value() if ours.password else None,
            identifier=ours.client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=False,
            properties=properties,
            keepalive=KEEPALIVE_S,
            max_queued_incoming_messages=MAX_QUEUED_MESSAGES,
            tls_context=tls,
        )

    async def _dispatch(self, topic: str, payload: bytes) -> None:
        """Hand one message to the worker of its upload."""
        try:
            address, last = parse_topic(topic)
        except GrammarError as error:
            log.warning("MQTT message ignored", topic=topic[:200], error=str(error))
            return
        if self._settings.institution_of(address.device) != address.clinic:
            log.warning(
                "unknown MQTT device; list it in [gateway.devices]", device=address.device, clinic=address.clinic
            )
            await self.answer(address, error_ack("device-unknown", "device is not registered for this clinic"))
            return
        try:
            part = parse_part(last, payload)
        except GrammarError as error:
            log.warning("MQTT message refused", device=address.device, error=str(error))
            await self.answer(address, error_ack("bad-message", str(error)))
            return
        worker = self._worker(address)
        if worker is None:
            await self.answer(address, error_ack("too-many", "the gateway is busy", 30))
        else:
            worker.put(part)

    def _worker(self, address: Address) -> "_Worker | None":
        worker = self._workers.get(address)
        if worker is None:
            if len(self._workers) >= MAX_WORKERS:
                return None
            worker = _Worker(self, PartialUpload(self._store, address, address.clinic), address)
            self._workers[address] = worker
            worker.task.add_done_callback(lambda _: self._workers.pop(address, None))
        return worker

    async def answer(self, address: Address, ack: Ack) -> None:
        """Tell the device; where that fails it asks again."""
        if self._client is None:
            return
        try:
            await self._client.publish(address.ack_topic, ack.payload(), qos=QOS)
        except (aiomqtt.MqttError, ValueError) as error:
            log.info("answer not sent; the device will ask again", device=address.device, error=str(error))

    def report(self, ack: Ack) -> None:
        """Let the heartbeat know of a full disk, and that it is over."""
        if ack.reason in {"disk-full", "disk-failed"}:
            self._health.report("disk", ack.detail or "disk failed")
        elif ack.state == "safe":
            self._health.clear("disk")

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRY_CHECK_S)
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._store.expire, time.time())


class _Worker:
    """One upload's messages, worked on in batches."""

    def __init__(self, receiver: MqttReceiver, upload: PartialUpload, address: Address) -> None:
        self._receiver = receiver
        self._upload = upload
        self._address = address
        self._parts: asyncio.Queue[Part] = asyncio.Queue(MAX_PENDING_PARTS)
        self.task = asyncio.create_task(self._run(), name=f"mqtt-{address.upload_id}")

    def put(self, part: Part) -> None:
        """Take a message, or drop it where the disk cannot keep up: the device is told the offset and sends again."""
        with contextlib.suppress(asyncio.QueueFull):
            self._parts.put_nowait(part)

    async def _run(self) -> None:
        try:
            while True:
                try:
                    async with asyncio.timeout(WORKER_IDLE_S):
                        batch = [await self._parts.get()]
                except TimeoutError:
                    return
                while not self._parts.empty():
                    batch.append(self._parts.get_nowait())
                ack = await self._apply(batch)
                if ack is not None:
                    self._receiver.report(ack)
                    await self._receiver.answer(self._address, ack)
        except Exception:
            log.exception("MQTT upload failed", device=self._address.device, upload=self._address.upload_id)
        finally:
            self._upload.close()

    async def _apply(self, batch: list[Part]) -> Ack | None:
        """The disk's work in a thread, waited for even when this worker is cancelled: two may never write at once."""
        work = asyncio.ensure_future(asyncio.to_thread(self._upload.apply, batch))
        try:
            return await asyncio.shield(work)
        finally:
            if not work.done():
                await asyncio.wait([work])
