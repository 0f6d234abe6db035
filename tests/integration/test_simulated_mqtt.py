"""The simulated 4G recorder against the gateway's receiver over real brokers: resumed, never lost, never doubled."""

import asyncio
import contextlib
import hashlib
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.network import wait_for

from ecg_center.contract.upload import RecordingIdentity
from gateway.devices.mqtt import MqttReceiver
from gateway.health import Health
from gateway.settings import GatewaySettings
from gateway.simulate.dicom_file import write_dicom
from gateway.simulate.generator import generate
from gateway.simulate.mqtt_device import MqttDevice, MqttDeviceError, UploadRefusedError
from gateway.simulate.patients import demo_person
from gateway.spool import Spool

CLINIC, DEVICE = "C01", "SIM-4G-1"
IDENTITY = RecordingIdentity(
    patient_id="DEMO-0004", patient_name="演示丁·前壁0004", chest_pain=True, study_kind="resting"
)


def a_recording(seconds: float = 10) -> bytes:
    ecg = generate("stemi-anterior", seed=4, duration_s=seconds)
    return write_dicom(ecg, demo_person(4, "stemi-anterior"), datetime(2026, 3, 2, 8, tzinfo=UTC)).content


class Gateway:
    """The receiving half of a gateway."""

    def __init__(self, broker, folder: Path) -> None:
        login = broker.login("gateway")
        self.settings = GatewaySettings(
            centre_url="http://127.0.0.1:9",
            token="not-used-in-this-test",
            spool=folder,
            reserve_bytes=0,
            devices={DEVICE: CLINIC},
            mqtt={
                "enabled": True,
                "url": f"mqtt://127.0.0.1:{broker.port}",
                "username": login.username,
                "password": login.password,
                "client_id": f"gw-{folder.name}",
            },
        )
        self.spool = Spool(folder, self.settings)

    @contextlib.asynccontextmanager
    async def running(self):
        self.spool.open()
        task = asyncio.create_task(MqttReceiver(self.settings, self.spool, Health()).run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.spool.close()

    def held(self) -> list[tuple[str, bytes]]:
        return [(path.parent.name, path.read_bytes()) for path in (self.spool.root / "waiting").glob("*/recording")]


@pytest.fixture
def gateway(mqtt_broker, tmp_path):
    return Gateway(mqtt_broker, tmp_path / "spool")


def a_device(broker, folder: Path, **more) -> MqttDevice:
    login = broker.login("device")
    url = f"mqtt://127.0.0.1:{broker.port_311 if more.get('mqtt_311') else broker.port}"
    settings = {"ack_timeout_s": 0.5, "username": login.username, "password": login.password, **more}
    return MqttDevice(CLINIC, settings.pop("device", DEVICE), url, folder, **settings)


@pytest.mark.parametrize("mqtt_311", [False, True])
async def test_a_recording_is_safe_and_then_forgotten_by_the_device(gateway, mqtt_broker, tmp_path, mqtt_311):
    device, content = a_device(mqtt_broker, tmp_path / "device", mqtt_311=mqtt_311), a_recording()
    async with gateway.running():
        times = await device.upload(content, IDENTITY, give_up_after_s=30)
        ((_, bytes_held),) = gateway.held()
    assert bytes_held == content
    assert times.sha256 == hashlib.sha256(content).hexdigest()
    assert times.sent_at < times.success_at
    assert device.outbox.pending() == []
    assert list((tmp_path / "device").iterdir()) == []
    (manifest,) = (gateway.spool.root / "waiting").glob("*/manifest.json")
    assert "演示丁·前壁0004" in manifest.read_text("utf-8")


async def test_the_same_recording_twice_is_one_and_costs_no_bytes(gateway, mqtt_broker, tmp_path):
    device, content = a_device(mqtt_broker, tmp_path / "device"), a_recording()
    async with gateway.running():
        await device.upload(content, IDENTITY, give_up_after_s=30)
        again = await device.upload(content, IDENTITY, give_up_after_s=30)
        assert len(gateway.held()) == 1
    assert again.segments == 0


async def test_a_gateway_that_is_away_costs_patience_only(gateway, mqtt_broker, tmp_path):
    device, content = a_device(mqtt_broker, tmp_path / "device"), a_recording()
    upload = asyncio.create_task(device.upload(content, IDENTITY, give_up_after_s=60))
    await asyncio.sleep(1.5)
    assert not upload.done()
    async with gateway.running():
        await upload
        ((_, bytes_held),) = gateway.held()
    assert bytes_held == content


async def test_a_gateway_restarted_in_the_middle_goes_on_from_its_offset(gateway, mqtt_broker, tmp_path):
    content = a_recording(60)
    device = a_device(mqtt_broker, tmp_path / "device", segment_pause_s=0.02)
    async with gateway.running():
        upload = asyncio.create_task(device.upload(content, IDENTITY, give_up_after_s=60))
        await asyncio.sleep(0.8)
        assert not upload.done()
    async with gateway.running():
        times = await upload
        ((_, bytes_held),) = gateway.held()
    assert bytes_held == content
    total = -(-len(content) // device.segment_bytes)
    assert times.segments < 2 * total, "not all of it was sent again"


KILLED = """
import asyncio, sys
from pathlib import Path
from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.mqtt_device import MqttDevice
url, user, password, folder, recording = sys.argv[1:]
device = MqttDevice({clinic!r}, {device!r}, url, Path(folder), user, password, segment_pause_s=0.05, ack_timeout_s=0.5)
asyncio.run(device.upload(Path(recording).read_bytes(), RecordingIdentity(patient_id="DEMO-0004")))
"""


async def test_a_device_killed_in_the_middle_still_has_it_and_goes_on(gateway, mqtt_broker, tmp_path):
    content = a_recording(60)
    (tmp_path / "recording.dcm").write_bytes(content)
    login, folder = mqtt_broker.login("device"), tmp_path / "device"
    code = KILLED.format(clinic=CLINIC, device=DEVICE)
    url = f"mqtt://127.0.0.1:{mqtt_broker.port}"
    arguments = [url, login.username, login.password, str(folder), str(tmp_path / "recording.dcm")]
    async with gateway.running():
        process = subprocess.Popen([sys.executable, "-c", code, *arguments])
        partial = gateway.spool.root
        try:
            await asyncio.to_thread(wait_for, lambda: _arrived(partial) > 200_000, "no segments arrived", 30)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        assert gateway.held() == []
        device = a_device(mqtt_broker, folder)
        assert len(device.outbox.pending()) == 1
        (times,) = await device.upload_pending(give_up_after_s=30)
        ((_, bytes_held),) = gateway.held()
    assert bytes_held == content
    assert times.segments < -(-len(content) // device.segment_bytes), "it went on where the gateway stood"


def _arrived(root: Path) -> int:
    return max((path.stat().st_size for path in root.rglob("*") if path.is_file()), default=0)


async def test_a_device_that_is_not_listed_is_refused_and_keeps_its_recording(gateway, mqtt_broker, tmp_path):
    device = a_device(mqtt_broker, tmp_path / "device", device="STRANGER")
    async with gateway.running():
        with pytest.raises(UploadRefusedError, match="device-unknown"):
            await device.upload(a_recording(), IDENTITY, give_up_after_s=30)
    assert len(device.outbox.pending()) == 1


async def test_no_gateway_at_all_says_what_to_check_and_loses_nothing(mqtt_broker, tmp_path):
    device = a_device(mqtt_broker, tmp_path / "device", ack_timeout_s=0.1)
    with pytest.raises(MqttDeviceError, match="is it running"):
        await device.upload(a_recording(), IDENTITY, give_up_after_s=0.8)
    assert len(device.outbox.pending()) == 1


async def test_no_broker_at_all_loses_nothing(tmp_path, free_port):
    device = MqttDevice(CLINIC, DEVICE, f"mqtt://127.0.0.1:{free_port()}", tmp_path / "device")
    with pytest.raises(MqttDeviceError, match="not safe"):
        await device.upload(a_recording(), IDENTITY, give_up_after_s=0.5)
    assert device.outbox.read(device.outbox.pending()[0]).identity == IDENTITY
