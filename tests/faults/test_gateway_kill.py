"""kill -9 of the gateway at random moments: whatever a device was told is safe is at the centre, exactly once."""

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid
from support.contract_centre import ContractCentre, Line
from support.gateway_process import GatewayProcess
from support.network import wait_for

from ecg_center.contract.upload import RecordingIdentity
from gateway.files import hash_file
from gateway.simulate.mqtt_device import MqttDevice

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(shutil.which("storescu") is None, reason="dcmtk is not installed (apt-get install dcmtk)"),
]

KILLS = 8


@pytest.fixture
def far(tmp_path: Path) -> Iterator[ContractCentre]:
    centre = ContractCentre(tmp_path / "centre").start()
    yield centre
    centre.stop()


@pytest.fixture
def line(far: ContractCentre) -> Iterator[Line]:
    line = Line(far.port).start()
    yield line
    line.stop()


class DicomRecorder(threading.Thread):
    """Sends instance after instance, each until it was told Success."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._port = port
        self._known = pydicom.dcmread(str(pydicom.data.get_testdata_file("waveform_ecg.dcm")))
        self.safe: list[str] = []
        self.ends = threading.Event()

    def run(self) -> None:
        while not self.ends.is_set():
            uid = self._known.SOPInstanceUID = self._known.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            path = self._folder / "instance.dcm"
            self._known.save_as(path)
            command = ["storescu", "-aet", "REC1", "-ta", "5", "-td", "5", "127.0.0.1", str(self._port), str(path)]
            while not self.ends.is_set():
                if subprocess.run(command, check=False, capture_output=True, timeout=20).returncode == 0:
                    self.safe.append(str(uid))
                    break
                time.sleep(0.05)


async def send_mqtt(broker, folder: Path, ends: threading.Event) -> list[str]:
    """Upload file after file; the checksums of those that were said to be safe."""
    login = broker.login("device")
    safe: list[str] = []
    device = MqttDevice(
        clinic="C01",
        device="4G-1",
        url=f"mqtt://127.0.0.1:{broker.port}",
        folder=folder,
        username=login.username,
        password=login.password,
        ack_timeout_s=0.5,
    )
    while not ends.is_set():
        content = os.urandom(random.randrange(1000, 400_000))
        times = await device.upload(content, RecordingIdentity(), media_type="application/octet-stream")
        safe.append(times.sha256)
    return safe


def test_what_was_told_safe_is_at_the_centre_exactly_once(
    mqtt_broker, tmp_path: Path, far: ContractCentre, line: Line, free_port: Callable[[], int]
) -> None:
    login = mqtt_broker.login("gateway")
    gateway = GatewayProcess(
        tmp_path,
        f"http://127.0.0.1:{line.port}",
        free_port(),
        devices={"REC1": "C01", "4G-1": "C01"},
        mqtt={
            "enabled": True,
            "url": f"mqtt://127.0.0.1:{mqtt_broker.port}",
            "username": login.username,
            "password": login.password,
            "client_id": f"gw-kill-{mqtt_broker.kind}",
        },
    )
    recorder = DicomRecorder(tmp_path, gateway.port)
    mqtt_safe: list[str] = []
    mqtt = threading.Thread(
        target=lambda: mqtt_safe.extend(asyncio.run(send_mqtt(mqtt_broker, tmp_path / "outbox", recorder.ends))),
        daemon=True,
    )
    try:
        gateway.start()
        recorder.start()
        mqtt.start()
        dice = random.Random(7)
        for number in range(KILLS):
            time.sleep(dice.uniform(0.02, 0.5))
            gateway.kill()
            if number % 2:
                line.cut()
            gateway.start()
        recorder.ends.set()
        mqtt.join(30)
        recorder.join(30)
        assert not mqtt.is_alive()
        assert len(recorder.safe) >= KILLS // 2
        assert len(mqtt_safe) >= 1
        wait_for(lambda: not list((gateway.spool / "waiting").iterdir()), "the spool does not empty", 30)
        assert gateway.stop() == 0, gateway.log()
    finally:
        with contextlib.suppress(AssertionError):
            gateway.kill()

    assert max(Counter(far.taken).values()) == 1
    instances = Counter(far.offers[sha256].sop_instance_uid for sha256 in far.taken)
    missing = [uid for uid in recorder.safe if instances[uid] != 1]
    assert not missing, f"told safe by DICOM and not at the centre once: {missing}"
    missing = [sha256 for sha256 in mqtt_safe if far.taken.count(sha256) != 1]
    assert not missing, f"told safe by MQTT and not at the centre once: {missing}"
    for sha256 in far.taken:
        assert hash_file(far.stored / sha256).hexdigest() == sha256
    assert not list((gateway.spool / "corrupt").iterdir())
    assert "Traceback" not in gateway.log()
