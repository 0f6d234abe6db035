"""What a DICOM header says of the patient, and that no header can stop a recording."""

import zlib
from datetime import datetime, timedelta, timezone
from io import BytesIO
from zoneinfo import ZoneInfo

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from ecg_center.contract.upload import RecordingIdentity
from gateway.devices.identity import read_identity

EXPLICIT, IMPLICIT, DEFLATED, BIG = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
)
TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
CHINA = ZoneInfo("Asia/Shanghai")


def encoded(dataset: Dataset, syntax: str = EXPLICIT) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = syntax == IMPLICIT, syntax != BIG
    write_dataset(buffer, dataset)
    data = buffer.getvalue()
    if syntax == DEFLATED:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = packer.compress(data) + packer.flush()
    return data


def recorded() -> Dataset:
    said = Dataset()
    said.SpecificCharacterSet = "ISO_IR 192"
    said.AcquisitionDateTime = "20260302101530.250"
    said.AccessionNumber = "E26030200001"
    said.PatientName = "Wang^Wei=王^伟"
    said.PatientID = "P001"
    said.PatientBirthDate = "19700102"
    said.PatientSex = "M"
    said.PatientAge = "056Y"
    said.WaveformSequence = [Dataset()]
    return said


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, DEFLATED, BIG])
def test_a_good_header_in_every_transfer_syntax(syntax: str) -> None:
    assert read_identity(encoded(recorded(), syntax), syntax, TWELVE_LEAD, CHINA) == RecordingIdentity(
        accession_number="E26030200001",
        patient_id="P001",
        patient_name="王伟",
        sex="M",
        birth_date="1970-01-02",
        age_years=56,
        started_at=datetime(2026, 3, 2, 10, 15, 30, 250_000, tzinfo=CHINA),
        study_kind="resting",
    )


def test_a_high_priority_is_urgent() -> None:
    said = read_identity(encoded(recorded()), EXPLICIT, "1.2.840.10008.5.1.4.1.1.9.1.3", CHINA, high_priority=True)
    assert said.urgent
    assert said.study_kind == "holter"


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
def test_undeclared_chinese_is_read(charset: str) -> None:
    said = recorded()
    del said.SpecificCharacterSet
    said.PatientName = ""
    raw = encoded(said).replace(
        b"\x10\x00\x10\x00PN\x00\x00", b"\x10\x00\x10\x00PN\x06\x00" + "王小明".encode(charset)[:6]
    )
    assert read_identity(raw, EXPLICIT, TWELVE_LEAD, CHINA).patient_name in {"王小明", "王小"}


def test_a_declared_gb18030_name_is_read() -> None:
    said = recorded()
    said.SpecificCharacterSet = "GB18030"
    assert read_identity(encoded(said), EXPLICIT, TWELVE_LEAD, CHINA).patient_name == "王伟"


TEN = datetime(2026, 3, 2, 10, 15, 30, tzinfo=CHINA)
NO_DATETIME = {"AcquisitionDateTime": ""}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"AcquisitionDateTime": "20260302101530+0100"}, TEN.replace(tzinfo=timezone(timedelta(hours=1)))),
        (NO_DATETIME | {"AcquisitionDate": "20260302", "AcquisitionTime": "101530"}, TEN),
        (NO_DATETIME | {"StudyDate": "2026.03.02", "StudyTime": "10:15:30"}, TEN),
        (
            {"TimezoneOffsetFromUTC": "-0530"},
            TEN.replace(microsecond=250_000, tzinfo=timezone(-timedelta(hours=5, minutes=30))),
        ),
        ({"AcquisitionDateTime": "20261302101530"}, None),
        ({"AcquisitionDateTime": "2026"}, None),
    ],
)
def test_the_start_of_the_recording(changed: dict[str, str], expected: datetime | None) -> None:
    said = recorded()
    with pydicom.config.disable_value_validation():
        for keyword, value in changed.items():
            setattr(said, keyword, value)
        data = encoded(said)
    assert read_identity(data, EXPLICIT, TWELVE_LEAD, CHINA).started_at == expected


def test_garbage_in_single_tags_costs_only_those_tags() -> None:
    said = recorded()
    with pydicom.config.disable_value_validation():
        said.PatientBirthDate = "UNKNOWN"
        said.PatientAge = "old"
        said.PatientSex = "X"
        said.PatientID = "9" * 200
        data = encoded(said)
    identity = read_identity(data, EXPLICIT, TWELVE_LEAD, CHINA)
    assert (identity.birth_date, identity.age_years, identity.sex) == (None, None, None)
    assert identity.patient_id == "9" * 64
    assert identity.patient_name == "王伟"


@given(st.binary(max_size=400), st.sampled_from([EXPLICIT, IMPLICIT, DEFLATED, BIG, "1.2.3"]))
def test_no_bytes_stop_a_recording(data: bytes, syntax: str) -> None:
    assert read_identity(data, syntax, "", CHINA)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=20))
def test_no_damage_to_a_good_header_stops_a_recording(at: int, damage: bytes) -> None:
    data = bytearray(encoded(recorded()))
    data[at : at + len(damage)] = damage
    assert read_identity(bytes(data), EXPLICIT, TWELVE_LEAD, CHINA)


def test_a_deflated_bomb_is_inflated_no_further_than_a_header() -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = packer.compress(b"\x08\x00\x05\x00CS\x00\x00" * 2_000_000) + packer.flush()
    assert read_identity(bomb, DEFLATED, TWELVE_LEAD, CHINA) is not None


def test_pydicoms_own_recording() -> None:
    path = pydicom.data.get_testdata_file("waveform_ecg.dcm")
    known = pydicom.dcmread(path)
    raw = BytesIO(open(path, "rb").read())  # noqa: SIM115, PTH123
    raw.seek(132)
    meta = pydicom.filereader._read_file_meta_info(raw)
    said = read_identity(raw.read(), str(meta.TransferSyntaxUID), str(known.SOPClassUID), CHINA)
    assert said.patient_id == known.PatientID
    assert said.started_at is not None
