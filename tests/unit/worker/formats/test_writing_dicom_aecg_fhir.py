import io
import json
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest

from ecg_center.contract.findings import Evidence, Findings, LeadQuality, Measurements, Quality, Statement
from ecg_center.contract.upload import RecordingIdentity
from worker.formats import read
from worker.formats.write import WRITERS, UnwritableRecording
from worker.formats.write.dicom import AMBULATORY, GENERAL, GENERAL_32_BIT, TWELVE_LEAD, class_of
from worker.recording import Annotation, Device, Filters, Gap, MedianBeat, Recording

FILES = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "formats"
TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
FORMATS = ("dicom", "aecg", "fhir")
START = datetime.fromisoformat("2024-02-29T23:59:59.250000+08:00")


def recording(leads=TWELVE, n=2000, low=-3000, high=3000, **changes):
    digital = np.random.default_rng(5).integers(low, high, (len(leads), n))
    fits = np.abs(digital).max(initial=0) < 32768
    fields = {
        "format": "made",
        "kind": "resting",
        "leads": leads,
        "digital": digital.astype(np.int16 if fits else np.int32),
        "uv_per_lsb": np.full(len(leads), 4.88),
        "baseline": np.zeros(len(leads)),
        "sampling_hz": 500.0,
        "started_at": START,
        "identity": RecordingIdentity(
            accession_number="A17", patient_id="P 1&<2>", patient_name="欧阳小明", sex="F", birth_date="1980-02-03"
        ),
        "device": Device("Maker & Sons", "M<1>", "S1", "1.0", "", "Clinic", "王"),
        "filters": Filters(0.05, 150.0, 50.0),
        "annotations": (Annotation("QRS", 0.5, 0.62), Annotation("pacing pulse", 1.25)),
        "median_beat": MedianBeat(leads, digital[:, :600].astype(np.int16 if fits else np.int32),
                                  np.full(len(leads), 2.5), np.zeros(len(leads)), 500.0),
        "device_measurements": {"qrs_ms": 96.0, "qtc_ms": 441.0, "qtc_hodges_ms": 430.0, "p_axis_deg": -12.0},
        "device_statements": ("Sinus rhythm <normal>", "偶发室早 & more"),
    }  # fmt: skip
    return Recording(**(fields | changes))


def back(made, to):
    files = WRITERS[to].write(made, "x")
    assert len(files) == 1
    return read(next(iter(files.values())))


@pytest.mark.parametrize("to", FORMATS)
def test_all_comes_back(to):
    made = recording()
    got = back(made, to)
    np.testing.assert_array_equal(got.digital, made.digital)
    np.testing.assert_array_equal(got.microvolts(), made.microvolts())
    assert got.signal_sha256 == made.signal_sha256
    for name in ("leads", "sampling_hz", "started_at", "filters", "derived", "gaps", "calibrated", "device_statements"):
        assert getattr(got, name) == getattr(made, name), name
    assert dict(got.device_measurements) == dict(made.device_measurements)
    assert got.identity.patient_name == "欧阳小明"
    assert got.identity.patient_id == "P 1&<2>"
    assert got.identity.birth_date == "1980-02-03"
    assert got.device.model == "M<1>"
    assert got.warnings == ()
    if to != "fhir":
        assert got.annotations == made.annotations
        np.testing.assert_array_equal(got.median_beat.digital, made.median_beat.digital)
        assert got.median_beat.uv_per_lsb[0] == 2.5


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize(
    "changes",
    [
        {"low": -9_000_000, "high": 9_000_000},
        {"uv_per_lsb": np.linspace(-5, 7, 12), "baseline": np.linspace(-1000, 1000, 12)},
        {"uv_per_lsb": np.full(12, 1 / 3), "baseline": np.full(12, 0.1)},
        {"sampling_hz": 511.844},
        {"sampling_hz": 100.0},
        {"sampling_hz": 16_000.0},
        {"started_at": None},
        {"median_beat": None, "annotations": (), "device_measurements": {}, "device_statements": ()},
        {"identity": RecordingIdentity(), "device": Device(), "filters": Filters()},
    ],
)
def test_every_step_rate_and_lack_comes_back(to, changes):
    made = recording(**changes)
    got = back(made, to)
    np.testing.assert_array_equal(got.digital, made.digital)
    np.testing.assert_allclose(got.microvolts(), made.microvolts(), rtol=1e-12, atol=1e-6)
    np.testing.assert_array_equal(got.int16_uv(), made.int16_uv())
    assert got.sampling_hz == made.sampling_hz
    assert got.started_at == made.started_at


@pytest.mark.parametrize("to", FORMATS)
def test_derived_leads_stay_derived(to):
    made = recording(("I", "II", *TWELVE[6:]), median_beat=None).with_derived_leads()
    got = back(made, to)
    assert got.derived == made.derived == {"III", "aVR", "aVL", "aVF"}
    assert got.signal_sha256 == made.signal_sha256
    for lead in made.leads:
        np.testing.assert_array_equal(got.microvolts()[got.row(lead)], made.microvolts()[made.row(lead)])


@pytest.mark.parametrize("to", FORMATS)
def test_gaps_come_back_whether_silent_or_not(to):
    made = recording(median_beat=None)
    digital = made.digital.copy()
    digital[1, 1900:] = 0
    made = replace(made, digital=digital, gaps=(Gap(1900, 2000, ("II",)), Gap(0, 50, ("V1", "V2"))))
    got = back(made, to)
    covered = {(gap.start, gap.stop, lead) for gap in got.gaps for lead in gap.leads}
    assert covered == {(1900, 2000, "II"), (0, 50, "V1"), (0, 50, "V2")}
    measured = np.ones(made.digital.shape, bool)
    measured[1, 1900:] = False
    np.testing.assert_array_equal(got.digital[measured], made.digital[measured])


@pytest.mark.parametrize("to", FORMATS)
def test_leads_without_a_standard_name(to):
    made = recording(("ES", "AS", "channel 3"), median_beat=None)
    got = back(made, to)
    assert got.leads == made.leads
    np.testing.assert_array_equal(got.digital, made.digital)


@pytest.mark.parametrize("to", FORMATS)
def test_nothing_is_not_written(to):
    with pytest.raises(UnwritableRecording):
        WRITERS[to].write(recording(n=0, median_beat=None), "x")


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize(
    "path",
    [path for path in sorted(FILES.glob("*/*")) if path.suffix != ".edf"],
    ids=lambda path: path.stem[:20],
)
def test_real_recordings_come_back(to, path):
    made = read(path)
    got = back(made, to)
    assert got.signal_sha256 == made.signal_sha256
    assert got.leads == made.leads
    np.testing.assert_array_equal(got.microvolts(), made.microvolts())
    assert (got.sampling_hz, got.started_at, got.derived, got.gaps) == (
        made.sampling_hz, made.started_at, made.derived, made.gaps,
    )  # fmt: skip


# ---- DICOM, by other readers


@pytest.mark.parametrize(
    ("changes", "sop_class"),
    [
        ({}, TWELVE_LEAD),
        ({"n": 17_000}, GENERAL),
        ({"leads": ("I",), "median_beat": None}, GENERAL),
        ({"sampling_hz": 100.0}, GENERAL_32_BIT),
        ({"low": -70_000, "high": 70_000}, GENERAL_32_BIT),
        ({"kind": "holter", "leads": ("I", "V1", "V5"), "sampling_hz": 128.0, "median_beat": None}, AMBULATORY),
        ({"kind": "holter", "leads": tuple(f"X{n}" for n in range(60)), "median_beat": None}, GENERAL),
    ],
)
def test_the_class_and_the_samples_that_pydicom_finds(changes, sop_class):
    made = recording(**changes)
    assert class_of(made) == sop_class
    data = next(iter(WRITERS["dicom"].write(made, "x").values()))
    dataset = pydicom.dcmread(io.BytesIO(data))
    assert dataset.SOPClassUID == dataset.file_meta.MediaStorageSOPClassUID == sop_class
    groups = len(dataset.WaveformSequence) - (made.median_beat is not None)
    found = np.concatenate([dataset.waveform_array(number).T for number in range(groups)])
    np.testing.assert_allclose(found, made.microvolts(), rtol=1e-12, atol=1e-9)
    assert str(dataset.PatientName) == "=欧阳小明"
    assert dataset.AcquisitionDateTime == "20240229235959.250000+0800"
    if sop_class == AMBULATORY:
        assert read(data).kind == "holter"


def findings():
    return Findings(
        engine="resting",
        engine_version="1",
        kind="resting",
        duration_s=4.0,
        sampling_hz=500.0,
        leads=list(TWELVE),
        quality=Quality(verdict="usable", leads=[LeadQuality(lead="I", verdict="good")]),
        measurements=Measurements(
            heart_rate_bpm=72, pr_ms=160, qrs_ms=96, qt_ms=400, qtc_ms=430, qtc_formula="fridericia", p_axis_deg=-0.0,
            st_j_mv={"V2": 0.21}, rv5_mv=1.2,
        ),
        statements=[Statement(code="20", certainty="probable", evidence=[Evidence(leads=["II"])])],
        grade="major",
    )  # fmt: skip


def test_the_report_refers_to_the_waveform_and_is_no_diagnosis():
    files = WRITERS["dicom"].write(recording(), "x", findings())
    assert sorted(files) == ["x-report.dcm", "x.dcm"]
    waveform, report = (pydicom.dcmread(io.BytesIO(files[name])) for name in ("x.dcm", "x-report.dcm"))
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "3700"
    assert (report.CompletionFlag, report.VerificationFlag) == ("PARTIAL", "UNVERIFIED")
    assert report.StudyInstanceUID == waveform.StudyInstanceUID
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == waveform.SOPInstanceUID
    numbers = {}
    texts = []

    def walk(item):
        if item.get("ValueType") == "NUM":
            measured = item.MeasuredValueSequence[0]
            unit = measured.MeasurementUnitsCodeSequence[0].CodeValue
            numbers[item.ConceptNameCodeSequence[0].CodeValue] = (float(measured.NumericValue), unit)
        if item.get("ValueType") == "TEXT":
            texts.append(item.TextValue)
        for inner in item.get("ContentSequence", []):
            walk(inner)

    walk(report)
    assert numbers["2:16016"] == (72, "{H.B.}/min")
    assert numbers["2:15876"] == (430, "ms")
    assert numbers["2:1024"] == (0.21, "mV")
    assert str(numbers["2:16128"][0]) == "0.0"
    assert "Suggestion of an automatic analysis, not confirmed by a physician" in texts
    assert any(text.endswith("(probable)") for text in texts)


def test_the_same_recording_gives_the_same_bytes():
    assert WRITERS["dicom"].write(recording(), "x", findings()) == WRITERS["dicom"].write(recording(), "x", findings())


@pytest.mark.skipif(shutil.which("dsrdump") is None, reason="dcmtk is not installed (apt-get install dcmtk)")
def test_dcmtk_reads_both_objects(tmp_path):
    for name, content in WRITERS["dicom"].write(recording(), "x", findings()).items():
        (tmp_path / name).write_bytes(content)
    for command in (["dcmdump", "x.dcm"], ["dcm2xml", "x.dcm", "x.xml"], ["dsrdump", "-Er", "-Ec", "x-report.dcm"]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert b"E:" not in done.stderr, done.stderr


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="no dciodvfy (apt-get install dicom3tools)")
def test_dciodvfy_finds_no_error(tmp_path):
    for name, content in WRITERS["dicom"].write(recording(), "x", findings()).items():
        (tmp_path / name).write_bytes(content)
        done = subprocess.run(["dciodvfy", "-new", str(tmp_path / name)], capture_output=True, text=True, check=False)
        assert "Error" not in done.stderr + done.stdout


# ---- FHIR, by its own rules


def test_a_fhir_bundle_holds_together():
    bundle = json.loads(next(iter(WRITERS["fhir"].write(recording(), "x").values())))
    observation, patient, device = (entry["resource"] for entry in bundle["entry"])
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert observation["subject"]["reference"] == urls[1]
    assert observation["device"]["reference"] == urls[2]
    assert patient["gender"] == "female"
    assert device["modelNumber"] == "M<1>"
    lead = observation["component"][1]
    assert lead["code"]["coding"][0] == {
        "system": "urn:iso:std:iso:11073:10101", "code": "131330", "display": "MDC_ECG_ELEC_POTL_II",
    }  # fmt: skip
    sampled = lead["valueSampledData"]
    assert (sampled["period"], sampled["factor"], sampled["dimensions"], sampled["origin"]["value"]) == (
        2.0,
        4.88,
        1,
        0,
    )
