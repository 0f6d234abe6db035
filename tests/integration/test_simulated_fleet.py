"""The demo's fleet against a real gateway's DICOM and MQTT ports: orders first, then walk-ins, and a clean end."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from support.network import wait_for

from ecg_center.contract.orders import OpenOrder, OpenOrders
from ecg_center.contract.upload import UploadOffer
from gateway.devices.dicom import DicomServer
from gateway.devices.mqtt import MqttReceiver
from gateway.health import Health
from gateway.orders import OrderCache
from gateway.settings import GatewaySettings
from gateway.simulate.dicom_device import DicomDevice
from gateway.simulate.dicom_file import write_dicom
from gateway.simulate.fleet import Fleet
from gateway.simulate.generator import generate
from gateway.simulate.mqtt_device import MqttDevice
from gateway.simulate.pathologies import Pathology
from gateway.simulate.patients import demo_person
from gateway.simulate.pressure_recorder import PressureRecorder
from gateway.spool import Spool

DEVICES = {"FLEET_T1": "T1", "FLEET_T2": "T2", "fleet-t3": "T3"}
ABPM = "fleet-t1-abpm"


@pytest.fixture(autouse=True)
def _log_stays(monkeypatch):
    """A command sets the process's log up for good, on a standard error that here is pytest's for one test."""
    monkeypatch.setattr("gateway.logs.configure", lambda **_: None)


def an_order(accession: str, institution: str = "T1", **more) -> OpenOrder:
    fields = {
        "study_id": uuid4(),
        "institution_code": institution,
        "accession_number": accession,
        "study_instance_uid": "1.2.826.0.1.3680043.9.1",
        "kind": "resting",
        "patient_id": f"P-{accession}",
        "patient_name": "演示赵六",
        "sex": "F",
        "birth_date": date(1951, 5, 4),
        "procedure": "常规心电图",
        "indication": "胸痛 1 小时",
        "urgent": True,
        "chest_pain": True,
        "registered_at": datetime.now(UTC),
        **more,
    }
    return OpenOrder(**fields)


class Gateway:
    """DICOM and MQTT reception of a gateway, with orders as the centre would have told them."""

    def __init__(self, folder: Path, dicom_port: int, broker) -> None:
        login = broker.login("gateway")
        self.settings = GatewaySettings(
            centre_url="http://127.0.0.1:9",
            token="not-used-in-this-test",
            spool=folder,
            reserve_bytes=0,
            devices=DEVICES | {ABPM: "T1"},
            dicom={"host": "127.0.0.1", "port": dicom_port},
            mqtt={
                "enabled": True,
                "url": f"mqtt://127.0.0.1:{broker.port}",
                "username": login.username,
                "password": login.password,
                "client_id": f"fleet-gw-{uuid4().hex[:8]}",
            },
        )
        self.spool = Spool(folder, self.settings)
        self.orders = OrderCache(folder / "orders.json")

    @contextlib.asynccontextmanager
    async def running(self):
        self.spool.open()
        dicom = DicomServer(self.settings, self.spool, self.orders, Health())
        await asyncio.to_thread(dicom.start)
        mqtt = asyncio.create_task(MqttReceiver(self.settings, self.spool, Health()).run())
        try:
            yield self
        finally:
            mqtt.cancel()
            await asyncio.gather(mqtt, return_exceptions=True)
            await asyncio.to_thread(dicom.stop)
            self.spool.close()

    def offers(self) -> list[UploadOffer]:
        manifests = (self.spool.root / "waiting").glob("*/manifest.json")
        found = [UploadOffer.model_validate_json(path.read_bytes()) for path in manifests]
        return sorted(found, key=lambda offer: offer.safe_at)


@pytest.fixture
def gateway(tmp_path, free_port, mqtt_broker):
    return Gateway(tmp_path / "spool", free_port(), mqtt_broker)


def a_fleet(gateway: Gateway, broker, folder: Path, **more) -> Fleet:
    login, port = broker.login("device"), gateway.settings.dicom.port
    mqtt = MqttDevice("T3", "fleet-t3", f"mqtt://127.0.0.1:{broker.port}", folder, login.username, login.password)
    settings = {"every_s": (0.05, 0.1), "order_poll_s": 0.2, "recording_s": 0.1, "first_after_s": 0.0, "seed": 1}
    return Fleet(
        dicom=[DicomDevice(title, "127.0.0.1", port, timeout_s=5) for title in ("FLEET_T1", "FLEET_T2")],
        mqtt=[mqtt],
        **{**settings, **more},
    )


async def test_every_recorder_has_its_turn(gateway, mqtt_broker, tmp_path):
    told = []
    fleet = a_fleet(gateway, mqtt_broker, tmp_path / "devices", count=6, order_poll_s=60.0)
    fleet.on_sent = lambda device, recorded, milliseconds: told.append((device, recorded.name, milliseconds))
    async with gateway.running():
        await asyncio.wait_for(fleet.run(), 60)
        offers = gateway.offers()
    assert fleet.sent == 6
    assert sorted(offer.device for offer in offers) == sorted([*DEVICES, *DEVICES])
    assert all((offer.identity.patient_id or "").startswith("DEMO-") for offer in offers)
    assert all(offer.institution_code == DEVICES[offer.device] for offer in offers)
    assert [device for device, _, _ in told] == ["FLEET_T1", "FLEET_T2", "fleet-t3"] * 2
    assert all(name.startswith("演示") and milliseconds > 0 for _, name, milliseconds in told)


async def test_an_order_is_recorded_once_by_a_recorder_of_its_clinic(gateway, mqtt_broker, tmp_path):
    fleet = a_fleet(gateway, mqtt_broker, tmp_path / "devices", every_s=(60.0, 60.0), first_after_s=60.0)
    async with gateway.running():
        gateway.orders.keep(
            OpenOrders(
                as_of=datetime.now(UTC), orders=[an_order("H1", procedure="动态心电图"), an_order("A260302001")]
            ),
            None,
            datetime.now(UTC),
        )
        running = asyncio.create_task(fleet.run())
        await asyncio.to_thread(wait_for, gateway.offers, "the order was not recorded", 30)
        await asyncio.sleep(1.0)  # the order stays in the list, as while the centre is away
        fleet.stop()
        await asyncio.wait_for(running, 10)
        (offer,) = gateway.offers()
    assert (offer.device, offer.institution_code) == ("FLEET_T1", "T1")
    identity = offer.identity
    assert (identity.accession_number, identity.patient_id) == ("A260302001", "P-A260302001")
    assert identity.patient_name
    assert "演示赵六" in identity.patient_name
    assert identity.urgent, "C-STORE with priority HIGH"


async def test_a_recorder_of_pressures_answers_its_orders_once(gateway, mqtt_broker, tmp_path):
    login = mqtt_broker.login("device")
    address = f"mqtt://127.0.0.1:{mqtt_broker.port}"
    recorder = PressureRecorder(
        MqttDevice("T1", ABPM, address, tmp_path / "abpm", login.username, login.password),
        DicomDevice("FLEET_T1", "127.0.0.1", gateway.settings.dicom.port, timeout_s=5),
        poll_s=0.2,
    )
    fleet = Fleet(dicom=[recorder.worklist], worn=[recorder], first_after_s=60.0, order_poll_s=60.0, seed=1)
    async with gateway.running():
        orders = [
            an_order("A1"),
            an_order("A2", institution="T2", procedure="动态血压监测", kind="abpm"),
            an_order("A3", procedure="动态血压监测", kind="abpm", urgent=False, chest_pain=False),
        ]
        gateway.orders.keep(OpenOrders(as_of=datetime.now(UTC), orders=orders), None, datetime.now(UTC))
        running = asyncio.create_task(fleet.run())
        await asyncio.to_thread(wait_for, gateway.offers, "the order was not answered", 30)
        await asyncio.sleep(1.0)  # the order stays in the list, as while the centre is away
        fleet.stop()
        await asyncio.wait_for(running, 10)
        (offer,) = gateway.offers()
    assert (offer.device, offer.institution_code, recorder.sent) == (ABPM, "T1", 1)
    assert (offer.identity.accession_number, offer.identity.study_kind) == ("A3", "abpm")
    assert offer.media_type == "application/json"


async def test_a_gateway_that_is_away_does_not_keep_the_fleet_from_ending(tmp_path, free_port, mqtt_broker):
    away = Gateway(tmp_path / "spool", free_port(), mqtt_broker)
    fleet = a_fleet(away, mqtt_broker, tmp_path / "devices", pathology=Pathology.SINUS)
    running = asyncio.create_task(fleet.run())
    await asyncio.sleep(1.5)
    assert not running.done()
    fleet.stop()
    await asyncio.wait_for(running, 8)
    assert fleet.sent == 0


async def test_the_command_sends_over_both_protocols_and_obeys_sigterm(gateway, mqtt_broker, tmp_path):
    login = mqtt_broker.login("device")
    environment = {
        **os.environ,
        "ECG_SIMULATE_MQTT_USERNAME": login.username,
        "ECG_SIMULATE_MQTT_PASSWORD": login.password,
    }
    command = [sys.executable, "-c", "import sys; from gateway.cli import main; sys.exit(main())", "simulate", "fleet"]
    command += ["--dicom", f"FLEET_T1@127.0.0.1:{gateway.settings.dicom.port}", "--mqtt", "T3/fleet-t3"]
    command += ["--broker", f"mqtt://127.0.0.1:{mqtt_broker.port}", "--folder", str(tmp_path / "devices")]
    command += ["--every", "0.1", "--only", "stemi-inferior"]
    async with gateway.running():
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            await asyncio.to_thread(wait_for, lambda: len(gateway.offers()) >= 2, "nothing arrived", 60)
            process.send_signal(signal.SIGTERM)
            said, _ = await asyncio.to_thread(process.communicate, timeout=15)
        finally:
            process.kill()
            process.wait()
        offers = gateway.offers()
    assert process.returncode == 0
    assert {"FLEET_T1", "fleet-t3"} <= {offer.device for offer in offers}
    assert "stemi-inferior" in said
    assert any(offer.identity.chest_pain for offer in offers if offer.device == "fleet-t3")


async def test_the_dicom_command_takes_an_order_from_the_worklist(gateway, tmp_path, capfd):
    from gateway.cli import main

    to = f"127.0.0.1:{gateway.settings.dicom.port}"
    words = ["simulate", "dicom", "--to", to, "--ae", "FLEET_T1", "--give-up", "5"]
    async with gateway.running():
        assert await asyncio.to_thread(main, [*words, "--echo"]) == 0
        assert await asyncio.to_thread(main, [*words, "--order"]) == 1
        assert "register an exam first" in capfd.readouterr().err
        orders = [an_order("A1", indication="体检", urgent=False, chest_pain=False), an_order("A2", institution="T2")]
        gateway.orders.keep(OpenOrders(as_of=datetime.now(UTC), orders=orders), None, datetime.now(UTC))
        assert await asyncio.to_thread(main, [*words, "--order", "sinus"]) == 0
        said = json.loads(next(line for line in capfd.readouterr().out.splitlines() if line.startswith("{")))
        (offer,) = gateway.offers()
    assert said["accession_number"] == "A1" == offer.identity.accession_number
    assert said["attempts"] == 1
    assert said["sent_at"] < said["success_at"]


@pytest.mark.parametrize("own_file", [False, True])
async def test_the_mqtt_command_sends_a_file_with_the_typed_accession_number(
    gateway, mqtt_broker, tmp_path, capfd, monkeypatch, own_file
):
    from gateway.cli import main

    login = mqtt_broker.login("device")
    monkeypatch.setenv("ECG_SIMULATE_MQTT_USERNAME", login.username)
    monkeypatch.setenv("ECG_SIMULATE_MQTT_PASSWORD", login.password)
    words = ["simulate", "mqtt", "--broker", f"mqtt://127.0.0.1:{mqtt_broker.port}", "--clinic", "T3"]
    words += ["--device", "fleet-t3", "--folder", str(tmp_path / "memory"), "--accession", "A77", "--give-up", "20"]
    if own_file:
        path = tmp_path / "my.dcm"
        path.write_bytes(write_dicom(generate("rbbb", seed=2), demo_person(2, "rbbb"), datetime.now(UTC)).content)
        words += ["--file", str(path)]
    async with gateway.running():
        assert await asyncio.to_thread(main, words) == 0
        (offer,) = gateway.offers()
    said = json.loads(next(line for line in capfd.readouterr().out.splitlines() if line.startswith("{")))
    assert said["sha256"] == offer.sha256
    assert offer.identity.accession_number == "A77"
    assert (offer.identity.patient_id is None) == own_file, "a file speaks for itself"
