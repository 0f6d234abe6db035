"""Uploads over real brokers: resumed, answered only when durable, and back after every loss of the line."""

import asyncio
import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt

from gateway.devices.mqtt import MqttReceiver
from gateway.health import Health
from gateway.settings import GatewaySettings
from gateway.spool import Spool

CLINIC, DEVICE = "C01", "4G-1"
SEGMENT = 16 * 1024


class Near:
    """The receiving half of a gateway."""

    def __init__(self, broker, folder: Path) -> None:
        login = broker.login("gateway")
        self.settings = GatewaySettings(
            centre_url="http://127.0.0.1:9",
            token="unused-here",
            spool=folder,
            reserve_bytes=0,
            devices={DEVICE: CLINIC},
            mqtt={
                "enabled": True,
                "url": f"mqtt://127.0.0.1:{broker.port}",
                "username": login.username,
                "password": login.password,
                "client_id": f"gw-{uuid.uuid4().hex[:8]}",
            },
        )
        self.spool = Spool(folder, self.settings)
        self.health = Health()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.spool.open()
        task = asyncio.create_task(MqttReceiver(self.settings, self.spool, self.health).run())
        await asyncio.sleep(0.3)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.spool.close()


class Device:
    """A bare device of the grammar."""

    def __init__(self, client: aiomqtt.Client, data: bytes, clinic: str = CLINIC, device: str = DEVICE) -> None:
        self.client = client
        self.data = data
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.upload_id = uuid.uuid4().hex
        self.base = f"ecg/v1/{clinic}/{device}"

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, broker, data: bytes, **who: str) -> AsyncIterator["Device"]:
        login = broker.login("device")
        async with aiomqtt.Client(
            "127.0.0.1",
            broker.port,
            username=login.username,
            password=login.password,
            protocol=aiomqtt.ProtocolVersion.V5,
            identifier=f"dev-{uuid.uuid4().hex[:8]}",
        ) as client:
            device = cls(client, data, **who)
            await client.subscribe(f"{device.base}/ack/{device.upload_id}", qos=1)
            yield device

    async def say(self, last: str, payload: bytes) -> None:
        await self.client.publish(f"{self.base}/file/{self.upload_id}/{last}", payload, qos=1)

    async def init(self, **more: object) -> None:
        await self.say("init", json.dumps({"size": len(self.data), "sha256": self.sha256, **more}).encode())

    async def segments(self, start: int = 0, end: int | None = None) -> None:
        for at in range(start, end or len(self.data), SEGMENT):
            await self.say(str(at), self.data[at : at + SEGMENT])

    async def fin(self) -> None:
        await self.say("fin", json.dumps({"size": len(self.data), "sha256": self.sha256}).encode())

    async def hear(self, *states: str, within_s: float = 10) -> dict[str, object]:
        """The next answer in one of these states."""
        async with asyncio.timeout(within_s):
            async for message in self.client.messages:
                said: dict[str, object] = json.loads(bytes(message.payload))  # type: ignore[arg-type]
                if said["state"] in states:
                    return said
        raise AssertionError("the line ended")


async def test_an_upload_is_safe_only_when_it_is_in_the_spool(mqtt_broker, tmp_path: Path) -> None:
    near = Near(mqtt_broker, tmp_path)
    data = os.urandom(200_000)
    async with near.running(), Device.connected(mqtt_broker, data) as device:
        await device.init(
            media_type="application/dicom", name="a.dcm", identity={"patient_id": "P1", "chest_pain": True}
        )
        said = await device.hear("receiving")
        assert said["offset"] == 0
        assert said["segment_bytes"] == near.settings.mqtt.segment_bytes
        assert said["window_bytes"] == near.settings.mqtt.window_bytes
        await device.segments()
        await device.fin()
        assert await device.hear("safe") == {"state": "safe", "offset": len(data)}
        (item,) = near.spool.items("waiting")
        assert item.recording.read_bytes() == data
        assert item.offer.transport == "mqtt"
        assert (item.offer.institution_code, item.offer.device, item.offer.file_name) == (CLINIC, DEVICE, "a.dcm")
        assert item.urgent
        await device.init()  # the answer was lost: the device asks again
        await device.hear("safe")
    assert len(near.spool.items("waiting")) == 1


async def test_a_restarted_gateway_goes_on_where_it_was(mqtt_broker, tmp_path: Path) -> None:
    data = os.urandom(20 * SEGMENT)
    async with Device.connected(mqtt_broker, data) as device:
        async with Near(mqtt_broker, tmp_path).running():
            await device.init()
            await device.segments(0, 8 * SEGMENT)
            while (await device.hear("receiving"))["offset"] != 8 * SEGMENT:
                pass
        near = Near(mqtt_broker, tmp_path)
        async with near.running():
            await device.init()
            assert (await device.hear("receiving"))["offset"] == 8 * SEGMENT
            await device.segments(8 * SEGMENT)
            await device.fin()
            await device.hear("safe")
            assert near.spool.items("waiting")[0].recording.read_bytes() == data


async def test_what_was_sent_while_the_gateway_was_away_is_not_lost(mqtt_broker, tmp_path: Path) -> None:
    near = Near(mqtt_broker, tmp_path)
    async with near.running():
        pass  # the broker knows the gateway's session from now on
    async with Device.connected(mqtt_broker, os.urandom(3 * SEGMENT)) as device:
        await device.init()
        await device.segments()
        await device.fin()
        async with near.running():
            await device.hear("safe")


async def test_missing_bytes_are_asked_for(mqtt_broker, tmp_path: Path) -> None:
    near = Near(mqtt_broker, tmp_path)
    async with near.running(), Device.connected(mqtt_broker, os.urandom(5 * SEGMENT)) as device:
        await device.init()
        await device.segments(0, SEGMENT)
        await device.segments(2 * SEGMENT)  # one was lost on the way
        await device.fin()
        said = await device.hear("receiving")
        while not said.get("resend"):
            said = await device.hear("receiving")
        await device.segments(int(str(said["offset"])), 2 * SEGMENT)
        await device.hear("safe")


async def test_a_wrong_checksum_is_told(mqtt_broker, tmp_path: Path) -> None:
    near = Near(mqtt_broker, tmp_path)
    async with near.running(), Device.connected(mqtt_broker, b"x" * 100) as device:
        device.sha256 = "0" * 64
        await device.init()
        await device.segments()
        await device.fin()
        said = await device.hear("error")
        assert (said["reason"], said["retry"]) == ("checksum", True)
    assert not near.spool.items("waiting")


async def test_a_device_of_another_clinic_is_refused(mqtt_broker, tmp_path: Path) -> None:
    near = Near(mqtt_broker, tmp_path)
    for who in ({"clinic": "C02"}, {"device": "unknown"}):
        async with near.running(), Device.connected(mqtt_broker, b"x", **who) as device:
            await device.init()
            said = await device.hear("error")
            assert (said["reason"], said["retry"]) == ("device-unknown", False)


async def test_several_devices_at_once_and_messages_that_are_none(mqtt_broker, tmp_path: Path) -> None:
    near = Near(mqtt_broker, tmp_path)

    async def one(number: int) -> None:
        async with Device.connected(mqtt_broker, os.urandom(40_000 + number)) as device:
            await device.say("init", b"{not json")
            assert (await device.hear("error"))["reason"] == "bad-message"
            await device.say("7", b"a segment before its init")
            assert (await device.hear("error"))["reason"] == "no-upload"
            await device.client.publish(f"{device.base}/file/{device.upload_id}/nonsense", b"", qos=1)
            await device.init()
            await device.segments()
            await device.fin()
            await device.hear("safe")

    async with near.running():
        await asyncio.gather(*(one(number) for number in range(4)))
    assert len(near.spool.items("waiting")) == 4


async def test_a_broker_that_dies_is_found_again(mqtt_broker, tmp_path: Path) -> None:
    near = Near(mqtt_broker, tmp_path)
    async with near.running():
        await asyncio.to_thread(mqtt_broker.stop)
        async with asyncio.timeout(10):
            while not near.health.problems():
                await asyncio.sleep(0.02)
        await asyncio.to_thread(mqtt_broker.start)
        async with asyncio.timeout(20):
            while near.health.problems():
                await asyncio.sleep(0.05)
        async with Device.connected(mqtt_broker, b"after the broker's restart") as device:
            await device.init()
            await device.segments()
            await device.fin()
            await device.hear("safe")
