"""The DICOM port against dcmtk: what a real recorder's library says and hears."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pydicom
import pytest
from pydicom.uid import generate_uid
from pynetdicom import AE, _config

import gateway.spool
from ecg_center.contract.orders import OpenOrder, OpenOrders
from gateway.devices.dicom import STORAGE_CLASSES, DicomServer
from gateway.health import Health
from gateway.orders import OrderCache
from gateway.settings import GatewaySettings
from gateway.spool import Spool

pytestmark = pytest.mark.skipif(
    shutil.which("storescu") is None, reason="dcmtk is not installed (apt-get install dcmtk)"
)

WAVEFORM = Path(str(pydicom.data.get_testdata_file("waveform_ecg.dcm")))


def order(number: int, institution: str, **changed) -> OpenOrder:
    known = {
        "study_id": UUID(int=number),
        "institution_code": institution,
        "accession_number": f"E{number:04d}",
        "study_instance_uid": f"1.2.3.{number}",
        "kind": "resting",
        "patient_id": f"P{number}",
        "patient_name": "王小明",
        "patient_name_latin": "Wang^Xiaoming",
        "sex": "F",
        "birth_date": date(1980, 5, 6),
        "procedure": "常规心电图",
        "indication": "心悸",
        "urgent": False,
        "chest_pain": False,
        "registered_at": datetime.now(UTC),
    }
    return OpenOrder(**(known | changed))


@pytest.fixture
def port(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[SimpleNamespace]:
    number = free_port()
    settings = GatewaySettings(
        centre_url="http://127.0.0.1:9",
        token="unused-here",
        spool=tmp_path / "spool",
        reserve_bytes=0,
        devices={"REC1": "C01", "REC2": "C02"},
        dicom={"host": "127.0.0.1", "port": number, "max_associations": 12},
    )
    spool = Spool(settings.spool, settings)
    spool.open()
    orders = OrderCache(tmp_path / "orders.json")
    health = Health()
    server = DicomServer(settings, spool, orders, health)
    server.start()
    yield SimpleNamespace(number=number, spool=spool, orders=orders, health=health)
    server.stop()
    spool.close()


def dcmtk(
    program: str, port: SimpleNamespace, *arguments: str, caller: str = "REC1"
) -> subprocess.CompletedProcess[str]:
    command = [program, "-aet", caller, "-aec", "ECGGATEWAY", "127.0.0.1", str(port.number), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


def variant(folder: Path, syntax: str | None = None, sop_class: str | None = None) -> Path:
    """The waveform as another instance."""
    known = pydicom.dcmread(WAVEFORM)
    known.SOPInstanceUID = known.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    if sop_class:
        known.SOPClassUID = known.file_meta.MediaStorageSOPClassUID = sop_class
    path = folder / f"{known.SOPInstanceUID}.dcm"
    known.save_as(path)
    if syntax:
        changed = folder / f"{known.SOPInstanceUID}.changed.dcm"
        subprocess.run(["dcmconv", syntax, str(path), str(changed)], check=True)
        return changed
    return path


def test_echo_is_for_known_devices(port: SimpleNamespace) -> None:
    assert dcmtk("echoscu", port).returncode == 0
    stranger = dcmtk("echoscu", port, caller="STRANGER")
    assert stranger.returncode != 0
    assert "Calling AE Title Not Recognized" in stranger.stderr


def test_success_means_that_the_same_dataset_is_in_the_spool(port: SimpleNamespace) -> None:
    assert dcmtk("storescu", port, str(WAVEFORM)).returncode == 0
    (item,) = port.spool.items("waiting")
    sent, kept = pydicom.dcmread(WAVEFORM), pydicom.dcmread(item.recording)
    assert kept == sent
    assert kept.waveform_array(0).tolist() == sent.waveform_array(0).tolist()
    assert hashlib.sha256(item.recording.read_bytes()).hexdigest() == item.offer.sha256
    assert item.offer.transport == "dicom"
    assert item.offer.media_type == "application/dicom"
    assert (item.offer.institution_code, item.offer.device) == ("C01", "REC1")
    assert item.offer.device_address == "127.0.0.1"
    assert item.offer.sop_instance_uid == sent.SOPInstanceUID
    assert item.offer.identity.patient_id == sent.PatientID


def test_the_same_dataset_twice_is_one_item_and_of_two_clinics_two(port: SimpleNamespace) -> None:
    for caller in ("REC1", "REC1", "REC2"):
        assert dcmtk("storescu", port, str(WAVEFORM), caller=caller).returncode == 0
    first, second = port.spool.items("waiting")
    assert first.offer.sha256 == second.offer.sha256
    assert {first.offer.institution_code, second.offer.institution_code} == {"C01", "C02"}


@pytest.mark.parametrize(("propose", "convert"), [("-xe", "+te"), ("-xi", "+ti"), ("-xb", "+tb"), ("-xd", "+td")])
def test_every_uncompressed_transfer_syntax(port: SimpleNamespace, tmp_path: Path, propose: str, convert: str) -> None:
    path = variant(tmp_path, convert)
    sent = dcmtk("storescu", port, propose, str(path))
    assert sent.returncode == 0, sent.stderr
    (item,) = port.spool.items("waiting")
    kept = pydicom.dcmread(item.recording)
    assert kept.file_meta.TransferSyntaxUID == pydicom.dcmread(path).file_meta.TransferSyntaxUID
    assert kept.waveform_array(0).shape == pydicom.dcmread(WAVEFORM).waveform_array(0).shape
    assert item.offer.identity.patient_name


def store_as_it_is(port: SimpleNamespace, path: Path, sop_class: str) -> int:
    """C-STORE the file's bytes unread; dcmtk 3.6.7 does not know every class and reads what it sends."""
    association_entity = AE("REC1")
    association_entity.add_requested_context(sop_class, "1.2.840.10008.1.2.1")
    association = association_entity.associate("127.0.0.1", port.number)
    assert association.is_established
    _config.STORE_SEND_CHUNKED_DATASET = True
    try:
        return int(association.send_c_store(path).Status)
    finally:
        _config.STORE_SEND_CHUNKED_DATASET = False
        association.release()


@pytest.mark.parametrize("sop_class", STORAGE_CLASSES)
def test_every_waveform_class(port: SimpleNamespace, tmp_path: Path, sop_class: str) -> None:
    assert store_as_it_is(port, variant(tmp_path, sop_class=sop_class), sop_class) == 0
    assert len(port.spool.items("waiting")) == 1


def test_a_header_nobody_can_read_is_taken_all_the_same(port: SimpleNamespace, tmp_path: Path) -> None:
    path = variant(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"\x10\x00\x10\x00PN", b"\x10\x00\x10\x00P\xff", 1))
    assert store_as_it_is(port, path, STORAGE_CLASSES[0]) == 0
    (item,) = port.spool.items("waiting")
    assert b"P\xff" in item.recording.read_bytes()


def test_many_recorders_at_once(port: SimpleNamespace, tmp_path: Path) -> None:
    paths = [variant(tmp_path) for _ in range(8)]
    command = ["storescu", "-aet", "REC1", "127.0.0.1", str(port.number)]
    running = [subprocess.Popen([*command, str(path)]) for path in paths]
    assert [process.wait(30) for process in running] == [0] * 8
    assert len(port.spool.items("waiting")) == 8


def test_a_full_disk_is_told_to_the_recorder(port: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.spool, "free_bytes", lambda _: 0)
    sent = dcmtk("storescu", port, "-v", str(WAVEFORM))
    assert sent.returncode != 0
    assert "Refused: OutOfResources" in sent.stderr
    assert not port.spool.items("waiting")
    assert "disk" in port.health.problems()[0]
    monkeypatch.undo()
    assert dcmtk("storescu", port, str(WAVEFORM)).returncode == 0
    assert not port.health.problems()


def test_the_worklist_is_the_callers_clinics_own(port: SimpleNamespace, tmp_path: Path) -> None:
    mine = [order(1, "C01"), order(2, "C01", urgent=True, patient_name="欧阳娜", patient_name_latin=None)]
    port.orders.keep(OpenOrders(as_of=datetime.now(UTC), orders=[*mine, order(3, "C02")]), None, datetime.now(UTC))
    found = worklist(port, tmp_path, "REC1")
    assert [str(item.PatientID) for item in found] == ["P2", "P1"], "urgent first"
    assert found[0].PatientName.ideographic == "欧阳娜"
    assert str(found[1].PatientName) == "Wang^Xiaoming=王小明"
    assert found[1].ScheduledProcedureStepSequence[0].Modality == "ECG"
    assert found[1].ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription == "常规心电图"
    assert [str(item.PatientID) for item in worklist(port, tmp_path, "REC2")] == ["P3"]
    today = datetime.now().astimezone().strftime("%Y%m%d")
    assert len(worklist(port, tmp_path, "REC1", f"(0040,0100)[0].ScheduledProcedureStepStartDate={today}-")) == 2
    assert len(worklist(port, tmp_path, "REC1", "PatientID=P1")) == 1
    assert len(worklist(port, tmp_path, "REC1", "PatientName=wang*")) == 1
    assert not worklist(port, tmp_path, "REC1", "(0040,0100)[0].Modality=CT")


def worklist(port: SimpleNamespace, tmp_path: Path, caller: str, *keys: str) -> list[pydicom.Dataset]:
    folder = tmp_path / "answers"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    asked = ["PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID"]
    asked += ["(0040,0100)[0].Modality", "(0040,0100)[0].ScheduledProcedureStepDescription", *keys]
    words = [word for key in asked for word in ("-k", key)]
    said = dcmtk("findscu", port, "-W", "-X", "-od", str(folder), *words, caller=caller)
    assert said.returncode == 0, said.stderr
    return [pydicom.dcmread(path, force=True) for path in sorted(folder.glob("rsp*.dcm"))]


def test_a_query_that_cannot_be_understood_fails_clearly(port: SimpleNamespace) -> None:
    port.orders.keep(OpenOrders(as_of=datetime.now(UTC), orders=[order(1, "C01")]), None, datetime.now(UTC))
    said = dcmtk("findscu", port, "-v", "-W", "-k", "PatientBirthDate=1980")
    assert "Error: DataSetDoesNotMatchSOPClass" in said.stderr
