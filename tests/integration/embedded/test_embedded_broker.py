"""MQTT as devices and the gateway use it, on the embedded broker and on Mosquitto."""

import asyncio
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from support.mqtt import TestBroker, TestEmbedded
from support.network import wait_listening

from ecg_center.embedded.broker import BrokerError, EmbeddedBroker

CHUNK = 256 * 1024


def client(broker: TestBroker, name: str, identifier: str, v5: bool = True, **more: object) -> aiomqtt.Client:
    login = broker.login(name)
    return aiomqtt.Client(
        broker.host,
        broker.port if v5 else broker.port_311,
        protocol=aiomqtt.ProtocolVersion.V5 if v5 else aiomqtt.ProtocolVersion.V311,
        username=login.username,
        password=login.password,
        identifier=identifier,
        **more,
    )


def session_of(seconds: int) -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = seconds
    return properties


async def take(gateway: aiomqtt.Client, count: int) -> list[bytes]:
    taken: list[bytes] = []
    async with asyncio.timeout(15):
        async for message in gateway.messages:
            assert isinstance(message.payload, bytes)
            taken.append(message.payload)
            if len(taken) == count:
                break
    return taken


async def test_chunks_of_256_kib_arrive_whole_and_in_order(mqtt_broker: TestBroker) -> None:
    chunks = [bytes([number]) * CHUNK for number in range(40)]
    async with client(mqtt_broker, "gateway", "gw") as gateway, client(mqtt_broker, "device", "dev") as device:
        await gateway.subscribe("ecg/v1/+/+/file/#", qos=1)
        for number, chunk in enumerate(chunks):
            await device.publish(f"ecg/v1/a/b/file/f1/{number * CHUNK}", chunk, qos=1)
        assert await take(gateway, len(chunks)) == chunks


async def test_a_mebibyte_crosses_between_both_protocol_versions(mqtt_broker: TestBroker) -> None:
    payload = bytes(1024 * 1024)
    for device_v5, gateway_v5 in ((False, True), (True, False)):
        async with (
            client(mqtt_broker, "gateway", "gw-x", v5=gateway_v5) as gateway,
            client(mqtt_broker, "device", "dev-x", v5=device_v5) as device,
        ):
            await gateway.subscribe("cross/#", qos=1)
            await device.publish("cross/1", payload, qos=1)
            assert await take(gateway, 1) == [payload]


async def test_a_persistent_session_gets_what_came_while_it_was_away(mqtt_broker: TestBroker) -> None:
    def gateway() -> aiomqtt.Client:
        return client(mqtt_broker, "gateway", "gw-p", clean_start=False, properties=session_of(3600))

    async with gateway() as first:
        await first.subscribe("away/#", qos=1)
    async with client(mqtt_broker, "device", "dev-p") as device:
        for number in range(5):
            await device.publish(f"away/{number}", str(number).encode(), qos=1)
    async with gateway() as second:
        assert await take(second, 5) == [b"0", b"1", b"2", b"3", b"4"]


async def test_nobody_connects_without_the_password(mqtt_broker: TestBroker) -> None:
    for username, password in (("device", "wrong"), (None, None), ("stranger", "x")):
        stranger = aiomqtt.Client(
            mqtt_broker.host,
            mqtt_broker.port,
            protocol=aiomqtt.ProtocolVersion.V5,
            username=username,
            password=password,
            timeout=1,
        )
        with pytest.raises(aiomqtt.MqttError):
            async with stranger:
                pass


async def test_after_kill_9_the_broker_starts_again_with_the_same_address_and_logins(mqtt_broker: TestBroker) -> None:
    assert mqtt_broker.stop(signal.SIGKILL) == -signal.SIGKILL
    mqtt_broker.start()
    async with client(mqtt_broker, "gateway", "gw-k") as gateway, client(mqtt_broker, "device", "dev-k") as device:
        await gateway.subscribe("k/#", qos=1)
        await device.publish("k/1", b"again", qos=1)
        assert await take(gateway, 1) == [b"again"]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_frees_its_ports(tmp_path: Path, sent: signal.Signals) -> None:
    broker = TestEmbedded(tmp_path)
    for _ in range(2):
        broker.start()
        assert broker.stop(sent) == 0


async def test_it_is_ready_only_when_it_listens(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path).prepare()
    assert not await broker.ready()
    process = subprocess.Popen(broker.command())
    try:
        wait_listening(broker.port_311)
        assert await broker.ready()
    finally:
        process.terminate()
        process.wait(5)


def test_ports_and_logins_stay(tmp_path: Path) -> None:
    first = EmbeddedBroker(tmp_path).prepare()
    second = EmbeddedBroker(tmp_path, users=("gateway", "device", "another")).prepare()
    assert (second.port, second.port_311) == (first.port, first.port_311)
    assert second.login("device") == first.login("device")
    assert second.login("another").password
    assert (tmp_path / "broker.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BrokerError, match="no user 'nobody'"):
        second.login("nobody")


def test_a_taken_port_is_said(tmp_path: Path, free_port: Callable[[], int]) -> None:
    holder = TestEmbedded(tmp_path / "a")
    holder.start()
    try:
        with pytest.raises(BrokerError, match="is taken"):
            EmbeddedBroker(tmp_path / "b", port=holder.port).prepare()
        command = EmbeddedBroker(tmp_path / "b", port_311=free_port()).prepare().command()
        command[command.index("--port") + 1] = str(holder.port)
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert answer.returncode == 1
        assert "cannot listen" in answer.stderr
        assert "Traceback" not in answer.stderr
    finally:
        holder.stop()
