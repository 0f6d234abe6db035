import datetime
import io
import zipfile

import edfio
import numpy as np
import pytest
import wfdb

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import read
from worker.formats.fields import CHINA
from worker.formats.write import UnwritableRecording, write
from worker.recording import Annotation, Device, Filters, Recording

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def recording(n_samples=5000, leads=TWELVE, high=6000, seed=1, **changes):
    steps = np.random.default_rng(seed).integers(-60, 61, (len(leads), n_samples)) * max(high // 600, 1)
    digital = np.clip(np.cumsum(steps, axis=1), -high, high)
    start = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=CHINA)
    values = {
        "format": "test",
        "kind": "resting",
        "leads": leads,
        "digital": digital.astype(np.int16 if high < 2**15 else np.int32),
        "uv_per_lsb": np.full(len(leads), 2.5),
        "baseline": np.zeros(len(leads)),
        "sampling_hz": 500.0,
        "started_at": start,
        "identity": RecordingIdentity(
            patient_id="P-17", patient_name="王小明", sex="F", birth_date="1963-02-28", age_years=61.0, started_at=start
        ),
        "device": Device("Acme", "E9", "SN1", "2.0", "room 3", "clinic", "technician"),
        "filters": Filters(0.05, 150.0, 50.0),
        "annotations": (Annotation("N", 1.0), Annotation("+ (AFIB", 2.0), Annotation("心房颤动", 3.5)),
        "device_statements": ("Sinus rhythm", "左轴偏转"),
        "device_measurements": {"heart_rate_bpm": 72.0, "qtc_ms": 431.0},
    } | changes
    return Recording(**values)


def through(original, to, tmp_path, suffix):
    paths = write(original, to, tmp_path / f"out{suffix}")
    return read(paths[0]), paths


CASES = {
    "plain": {},
    "derived": {"leads": ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")},
    "odd length": {"n_samples": 4999},
    "prime rate": {"sampling_hz": 257.0, "n_samples": 3001},
    "4.88 µV": {"uv_per_lsb": np.full(12, 4.88)},
    "other baseline": {"baseline": np.full(12, 17.0)},
    "half baseline": {"baseline": np.full(12, -0.5)},
    "one lead": {"leads": ("II",)},
    "no date": {"started_at": None, "identity": RecordingIdentity(), "annotations": ()},
}
SUFFIX = {"scp": ".scp", "edf": ".edf", "wfdb": ".hea", "csv": ".csv"}


@pytest.mark.parametrize("to", sorted(SUFFIX))
@pytest.mark.parametrize("case", CASES)
def test_what_is_written_is_read_back(to, case, tmp_path):
    changes = dict(CASES[case])
    n_leads = len(changes.get("leads", TWELVE))
    for key in ("uv_per_lsb", "baseline"):
        changes[key] = np.array(changes.get(key, np.full(12, 2.5 if key == "uv_per_lsb" else 0.0)))[:n_leads]
    original = recording(**changes).with_derived_leads()
    back, _ = through(original, to, tmp_path, SUFFIX[to])
    assert back.leads == original.leads
    assert back.derived == original.derived
    assert back.n_samples == original.n_samples
    assert back.sampling_hz == pytest.approx(original.sampling_hz, rel=1e-9)
    np.testing.assert_allclose(back.microvolts(), original.microvolts(), rtol=1e-9, atol=0.03 if to == "scp" else 1e-6)
    assert back.signal_sha256 == original.signal_sha256
    assert back.started_at == original.started_at
    if case == "plain":
        np.testing.assert_array_equal(back.digital, original.digital)
        np.testing.assert_array_equal(back.uv_per_lsb, original.uv_per_lsb)
        assert back.identity.sex == "F"
        if to != "wfdb":
            assert back.identity.patient_id == "P-17"
            assert back.identity.patient_name == "王小明"
            assert back.filters == original.filters
    if to in ("edf", "wfdb") and original.annotations:
        assert [(mark.label, round(mark.start_s, 2)) for mark in back.annotations] == [
            ("N", 1.0), ("+ (AFIB", 2.0), ("心房颤动", 3.5),
        ]  # fmt: skip


@pytest.mark.parametrize("to", ["scp", "edf", "wfdb"])
def test_leads_of_several_steps_keep_them_to_the_stated_resolution(to, tmp_path):
    original = recording(leads=("I", "II", "V1"), uv_per_lsb=np.array([2.5, 1.22, 0.1526]), baseline=np.zeros(3))
    back, _ = through(original, to, tmp_path, SUFFIX[to])
    np.testing.assert_allclose(
        back.microvolts()[:3], original.microvolts(), rtol=1e-6, atol=0.3 if to == "scp" else 1e-3
    )
    if to != "scp":
        np.testing.assert_array_equal(back.digital[:3], original.digital)


def test_edf_is_read_by_edfio_and_pyedflib(tmp_path):
    original = recording(n_samples=4999)
    _, (path,) = through(original, "edf", tmp_path, ".edf")
    theirs = edfio.read_edf(path)
    assert [signal.label for signal in theirs.signals] == [f"ECG {lead}" for lead in TWELVE]
    for row, signal in enumerate(theirs.signals):
        np.testing.assert_array_equal(signal.digital[:4999], original.digital[row])
        np.testing.assert_allclose(signal.data[:4999], original.microvolts()[row], atol=1e-9)
    assert theirs.startdate == datetime.date(2024, 5, 6)
    assert any(mark.text == "心房颤动" for mark in theirs.annotations)
    pyedflib = pytest.importorskip("pyedflib", reason="pyedflib is not installed")
    with pyedflib.EdfReader(str(path)) as reader:
        for row in range(12):
            np.testing.assert_array_equal(reader.readSignal(row, digital=True)[:4999], original.digital[row])


def test_wide_samples_become_bdf(tmp_path):
    original = recording(high=8_000_000, uv_per_lsb=np.full(12, 0.03125))
    back, paths = through(original, "edf", tmp_path, "")
    assert paths[0].suffix == ".bdf"
    np.testing.assert_array_equal(back.digital, original.digital)
    theirs = edfio.read_bdf(paths[0])
    np.testing.assert_array_equal(theirs.signals[0].digital, original.digital[0])


def test_wfdb_is_read_by_wfdb(tmp_path):
    for high in (6000, 3_000_000):
        original = recording(high=high)
        _, paths = through(original, "wfdb", tmp_path, ".hea")
        theirs = wfdb.rdrecord(str(tmp_path / "out"), physical=False)
        np.testing.assert_array_equal(theirs.d_signal.T, original.digital)
        assert theirs.sig_name == list(TWELVE)
        assert theirs.base_date == datetime.date(2024, 5, 6)
        assert {path.suffix for path in paths} == {".hea", ".dat", ".atr"}
        physical = wfdb.rdrecord(str(tmp_path / "out"))
        np.testing.assert_allclose(physical.p_signal.T, original.microvolts(), rtol=1e-12, atol=1e-9)
        marks = wfdb.rdann(str(tmp_path / "out"), "atr")
        assert marks.symbol == ["N", "+", '"']
        assert marks.sample.tolist() == [500, 1000, 1750]
        assert marks.aux_note[1] == "(AFIB"


def test_scp_is_read_by_a_second_reader(tmp_path):
    reader = pytest.importorskip("ecgdatakit.parsing.parsers.scp_ecg", reason="ecgdatakit is not installed")
    original = recording()
    _, (path,) = through(original, "scp", tmp_path, ".scp")
    theirs = reader.SCPECGParser().parse(path)
    np.testing.assert_array_equal([lead.samples for lead in theirs.leads], original.digital)
    assert theirs.raw_metadata["checksum_valid"]
    assert theirs.patient.last_name == "王小明"
    assert [line for line, _ in theirs.interpretation.statements] == ["Sinus rhythm", "左轴偏转"]
    assert theirs.measurements.heart_rate == 72


def test_a_long_recording_becomes_section_12(tmp_path):
    original = recording(
        n_samples=500 * 700, leads=("I", "II", "V5"), kind="holter", uv_per_lsb=np.full(3, 2.5), baseline=np.zeros(3)
    )
    back, _ = through(original, "scp", tmp_path, ".scp")
    assert back.kind == "holter"
    np.testing.assert_array_equal(back.digital, original.digital)
    assert back.started_at == original.started_at


def test_annotations_far_apart_survive(tmp_path):
    marks = tuple(Annotation("N", float(second)) for second in (0, 1, 100, 90_000 / 500, 650))
    original = recording(
        n_samples=500 * 700, leads=("I",), uv_per_lsb=np.ones(1), baseline=np.zeros(1), annotations=marks
    )
    back, _ = through(original, "wfdb", tmp_path, ".hea")
    assert [mark.start_s for mark in back.annotations] == sorted(mark.start_s for mark in marks)


def test_uncalibrated_stays_uncalibrated(tmp_path):
    for to, suffix in (("scp", ".scp"), ("edf", ".edf"), ("wfdb", ".hea")):
        back, _ = through(recording(calibrated=False), to, tmp_path, suffix)
        assert not back.calibrated


def test_what_cannot_be_written_is_said(tmp_path):
    with pytest.raises(UnwritableRecording, match="not a format"):
        write(recording(), "gif", tmp_path / "a.gif")
    with pytest.raises(UnwritableRecording, match="24 bits"):
        write(recording(high=2**28), "edf", tmp_path / "a.edf")


def test_a_record_in_a_zip_is_read(tmp_path):
    original = recording()
    _, paths = through(original, "wfdb", tmp_path, ".hea")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    back = read(out.getvalue())
    assert back.signal_sha256 == original.signal_sha256
    assert len(back.annotations) == 3


@pytest.mark.parametrize(("lead", "scp"), [("MLII", "channel 1"), ("V", "V"), ("CM5", "CM5"), ("ECG", "channel 1")])
def test_leads_of_a_holter_keep_their_names(lead: str, scp: str, tmp_path) -> None:
    original = recording(leads=(lead, "V5"), uv_per_lsb=np.full(2, 2.5), baseline=np.zeros(2))
    for to, suffix in (("dicom", ".dcm"), *SUFFIX.items(), ("aecg", ".xml"), ("fhir", ".json")):
        back, _ = through(original, to, tmp_path, suffix)
        assert back.leads == ((scp if to == "scp" else lead), "V5")
        again, _ = through(back, to, tmp_path, suffix)
        assert again.leads == back.leads


def test_steps_that_no_decimal_holds_go_through_csv_unchanged(tmp_path) -> None:
    steps, zeros = 1000 / np.array([11468.251078034213, 20421.104451734194]), np.array([-17331.0, 5623.25])
    original = recording(leads=("I", "V1"), uv_per_lsb=steps, baseline=zeros)
    back, _ = through(original, "csv", tmp_path, ".csv")
    np.testing.assert_array_equal(back.digital, original.digital)
    np.testing.assert_array_equal(back.uv_per_lsb, steps)
    np.testing.assert_array_equal(back.baseline, zeros)


@pytest.mark.parametrize("step", [0.1, 0.3, 1.22, 4.88])
def test_the_step_of_an_edf_file_is_the_decimal_that_was_meant(step: float, tmp_path) -> None:
    back, _ = through(recording(uv_per_lsb=np.full(12, step)), "edf", tmp_path, ".edf")
    assert back.uv_per_lsb.tolist() == [step] * 12
    assert back.baseline.tolist() == [0.0] * 12


@pytest.mark.parametrize("to", ["dicom", "aecg", "fhir", "scp", "edf", "wfdb", "csv"])
def test_a_start_in_another_zone_stays_the_same_instant(to: str, tmp_path) -> None:
    start = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    suffix = {**SUFFIX, "dicom": ".dcm", "aecg": ".xml", "fhir": ".json"}[to]
    back, _ = through(recording(started_at=start), to, tmp_path, suffix)
    assert back.started_at == start
