"""Simulated recorders against dcmtk: the object is readable, a real SCP takes it, a lost SCP is waited for."""

import shutil
import socket
import subprocess
import threading
import time
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import ModalityWorklistInformationFind, TwelveLeadECGWaveformStorage, Verification

from gateway.simulate.dicom_device import DicomDevice, DicomDeviceError, ObjectRefusedError
from gateway.simulate.dicom_file import WorklistOrder, write_dicom
from gateway.simulate.generator import LEADS, generate
from gateway.simulate.patients import demo_person

WHEN = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
needs_dcmtk = pytest.mark.skipif(shutil.which("storescp") is None, reason="dcmtk is not installed")


def a_file(**more):
    return write_dicom(generate("stemi-inferior", seed=5), demo_person(5, "stemi-inferior"), WHEN, **more)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def storescp(tmp_path):
    """Dcmtk's storage SCP, started and stopped by the test."""
    running: list[subprocess.Popen] = []

    def start(port: int) -> Path:
        folder = tmp_path / "stored"
        folder.mkdir(exist_ok=True)
        command = ["storescp", "-od", str(folder), "-aet", "ECGGATEWAY", "--accept-all", str(port)]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return folder
            time.sleep(0.05)
        raise AssertionError("storescp did not start")

    yield start
    for process in running:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("coding", ["SCPECG", "MDC"])
def test_pydicom_reads_back_every_microvolt(coding):
    ecg = generate("lbbb", seed=8)
    dataset = dcmread(BytesIO(write_dicom(ecg, demo_person(8, "lbbb"), WHEN, coding=coding).content))
    group = dataset.WaveformSequence[0]
    assert np.array_equal(dataset.waveform_array(0).T, ecg.samples_uv)
    assert [c.ChannelLabel for c in group.ChannelDefinitionSequence] == list(LEADS)
    assert {c.ChannelSourceSequence[0].CodingSchemeDesignator for c in group.ChannelDefinitionSequence} == {coding}
    assert float(group.SamplingFrequency) == 500


def test_nobody_can_take_it_for_a_patient():
    dataset = dcmread(BytesIO(a_file().content))
    assert dataset.Manufacturer == "ECG-CENTER SIMULATOR"
    assert dataset.QualityControlSubject == "YES"
    assert "NOT A PATIENT" in dataset.PatientComments
    assert "NOT A PATIENT" in dataset.StudyDescription
    assert "NOT A PATIENT" in dataset.WaveformAnnotationSequence[0].UnformattedTextValue
    assert str(dataset.PatientName).startswith("DEMO^")
    assert dataset.PatientName.ideographic.startswith("演示")
    assert dataset.PatientID.startswith("DEMO-")


def test_the_same_recording_has_the_same_bytes_and_another_has_another_identity():
    one, again = a_file(), a_file()
    assert one == again
    other = write_dicom(generate("sinus", seed=6), demo_person(5), WHEN)
    assert other.sop_instance_uid != one.sop_instance_uid


def test_an_order_gives_patient_accession_number_and_study():
    order = WorklistOrder(
        "A26030200001", "1.2.3.4", "P-77", "WANG^MEI=王梅", "F", date(1950, 1, 31), "A26030200001", "S1"
    )
    dataset = dcmread(BytesIO(a_file(order=order).content))
    assert (dataset.AccessionNumber, dataset.StudyInstanceUID, dataset.PatientID) == ("A26030200001", "1.2.3.4", "P-77")
    assert dataset.PatientName.ideographic == "王梅"
    assert (dataset.PatientSex, dataset.PatientBirthDate, dataset.PatientAge) == ("F", "19500131", "076Y")
    assert dataset.RequestAttributesSequence[0].ScheduledProcedureStepID == "S1"
    assert dataset.QualityControlSubject == "YES"


def test_long_recordings_become_general_ecg_and_too_fast_ones_are_refused():
    long = write_dicom(generate("sinus", seed=1, duration_s=60), demo_person(1), WHEN)
    assert long.sop_class_uid == "1.2.840.10008.5.1.4.1.1.9.1.2"
    with pytest.raises(ValueError, match="1000 Hz"):
        write_dicom(generate("sinus", seed=1, sampling_hz=2000), demo_person(1), WHEN)
    with pytest.raises(ValueError, match="time zone"):
        write_dicom(generate("sinus", seed=1), demo_person(1), datetime(2026, 3, 2))  # noqa: DTZ001


@needs_dcmtk
def test_dcmtk_parses_it_without_a_word(tmp_path):
    path = tmp_path / "ecg.dcm"
    path.write_bytes(a_file().content)
    for command in (["dcmdump", "+U8", str(path)], ["dcmftest", str(path)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "W:" not in done.stderr
        assert "E:" not in done.stderr
    assert "演示戊" in subprocess.run(["dcmdump", "+U8", str(path)], capture_output=True, text=True, check=True).stdout


@needs_dcmtk
def test_a_real_scp_stores_the_same_waveform(storescp):
    port = free_port()
    folder = storescp(port)
    device, file = DicomDevice("SIM1", "127.0.0.1", port), a_file()
    assert device.echo() < 5000
    times = device.deliver(file)
    assert times.attempts == 1
    assert times.sent_at <= times.success_at
    (stored,) = folder.iterdir()
    sent = dcmread(BytesIO(file.content))
    assert dcmread(stored).WaveformSequence[0].WaveformData == sent.WaveformSequence[0].WaveformData


@needs_dcmtk
def test_a_gateway_that_comes_back_gets_the_recording(storescp):
    port = free_port()
    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            storescp(port)

    times = DicomDevice("SIM1", "127.0.0.1", port, timeout_s=5).deliver(a_file(), sleep=wait)
    assert times.attempts == 3
    assert pauses == [1.0, 2.0]


def test_what_the_gateway_refuses_for_good_is_not_sent_again():
    seen = threading.Semaphore(0)

    def refuse(event: evt.Event) -> int:
        seen.release()
        return 0xC000

    entity = AE(ae_title="ECGGATEWAY")
    entity.add_supported_context(TwelveLeadECGWaveformStorage)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, refuse)])
    try:
        device = DicomDevice("SIM1", "127.0.0.1", server.socket.getsockname()[1], timeout_s=5)
        with pytest.raises(ObjectRefusedError, match="0xC000"):
            device.deliver(a_file(), sleep=lambda _: pytest.fail("must not try again"))
    finally:
        server.shutdown()
    assert seen.acquire(blocking=False)
    assert not seen.acquire(blocking=False), "sent once"


def test_nobody_there_says_what_to_check():
    device = DicomDevice("SIM1", "127.0.0.1", free_port(), timeout_s=2)
    with pytest.raises(DicomDeviceError, match="is the gateway running"):
        device.echo()
    with pytest.raises(DicomDeviceError, match="is the gateway running"):
        device.deliver(a_file(), give_up_after_s=0.1)


def test_the_worklist_is_asked_for_ecg_and_read_with_chinese_names():
    asked: list[Dataset] = []

    def find(event: evt.Event):
        asked.append(event.identifier)
        step = Dataset()
        step.ScheduledProcedureStepID = "S9"
        step.ScheduledProcedureStepDescription = "常规心电图"
        answer = Dataset()
        answer.SpecificCharacterSet = "ISO_IR 192"
        answer.AccessionNumber = "A1"
        answer.StudyInstanceUID = "1.2.3"
        answer.PatientID = "P1"
        answer.PatientName = "LI^SI=李四"
        answer.PatientSex = "M"
        answer.PatientBirthDate = "19600229"
        answer.ScheduledProcedureStepSequence = [step]
        yield 0xFF00, answer

    entity = AE(ae_title="ECGGATEWAY")
    entity.add_supported_context(ModalityWorklistInformationFind)
    entity.add_supported_context(Verification)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, find)])
    try:
        device = DicomDevice("SIM1", "127.0.0.1", server.socket.getsockname()[1], timeout_s=5)
        (order,) = device.worklist(date(2026, 3, 2))
    finally:
        server.shutdown()
    step = asked[0].ScheduledProcedureStepSequence[0]
    assert (step.Modality, step.ScheduledProcedureStepStartDate) == ("ECG", "20260302")
    assert order == WorklistOrder("A1", "1.2.3", "P1", "LI^SI=李四", "M", date(1960, 2, 29), "", "S9", "常规心电图")
