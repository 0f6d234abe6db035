import datetime
import io
import os
import time
from contextlib import suppress
from pathlib import Path

import edfio
import numpy as np
import pytest

from worker.formats import edf, errors, read

FILES = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "formats" / "edf"


def noise(n_samples=5000, seed=1, high=3000, kind=np.int16):
    return np.random.default_rng(seed).integers(-high, high, n_samples).astype(kind)


def made(labels=("ECG I", "ECG II"), rate=500, n_samples=5000, wide=False, annotations=(), physical=(-5, 5), **more):
    signal_class = edfio.BdfSignal if wide else edfio.EdfSignal
    signals = [
        signal_class.from_digital(
            noise(n_samples, seed, 3_000_000 if wide else 3000, np.int32 if wide else np.int16), rate, label=label,
            physical_dimension="mV", physical_range=physical, prefiltering="HP:0.05Hz LP:150Hz N:50Hz",
        )
        for seed, label in enumerate(labels)
    ]  # fmt: skip
    file = (edfio.Bdf if wide else edfio.Edf)(signals, annotations=list(annotations) or None, **more)
    out = io.BytesIO()
    file.write(out)
    return out.getvalue(), signals


def plain(records, labels=("ECG I", "ECG II"), per_record=100, seconds=0.2, reserved="", texts=None, n_records=None):
    """An EDF file byte by byte; ``texts`` are the annotation bytes of each record."""
    names = [*labels, *(["EDF Annotations"] if texts else [])]
    count = len(names)
    column = lambda values, size: b"".join(str(value).ljust(size).encode() for value in values)  # noqa: E731
    head = (
        column(["0"], 8) + column(["P1 F 02-MAR-1970 Wang_X"], 80) + column(["Startdate 06-MAY-2024 ADM Tech Box"], 80)
    )
    head += column(["06.05.24", "07.08.09", 256 * (count + 1)], 8) + column([reserved], 44)
    head += column([len(records) if n_records is None else n_records, seconds], 8) + column([count], 4)
    head += column(names, 16) + column([""] * count, 80) + column(["uV"] * count, 8)
    head += column([-3276.8] * count, 8) + column([3276.7] * count, 8) + column([-32768] * count, 8)
    head += column([32767] * count, 8) + column([""] * count, 80)
    head += column([per_record] * len(labels) + [60] * bool(texts), 8) + column([""] * count, 32)
    body = b"".join(
        record.astype("<i2").tobytes() + (texts[place].ljust(120, b"\0") if texts else b"")
        for place, record in enumerate(records)
    )
    return head + body


@pytest.mark.skipif(not FILES.is_dir(), reason="no real recordings: set ECG_DATA")
def test_real_file_with_annotations_alone_is_refused_by_name():
    with pytest.raises(errors.NoWaveform, match="annotations alone"):
        read(FILES / "wfdb_test_edfann.edf")


@pytest.mark.parametrize("wide", [False, True])
def test_samples_and_scale_agree_with_edfio(wide):
    raw, signals = made(wide=wide, physical=(-4.2, 5.1))
    recording = read(raw)
    theirs = (edfio.read_bdf if wide else edfio.read_edf)(io.BytesIO(raw))
    assert recording.format == ("bdf" if wide else "edf")
    assert recording.leads[:2] == ("I", "II")
    assert recording.sampling_hz == 500
    for row, signal in enumerate(signals):
        np.testing.assert_array_equal(recording.digital[row], signal.digital)
        np.testing.assert_allclose(recording.microvolts()[row], theirs.signals[row].data * 1000, rtol=1e-12, atol=1e-9)
    assert recording.filters == type(recording.filters)(0.05, 150.0, 50.0)


def test_samples_agree_with_pyedflib(tmp_path):
    pyedflib = pytest.importorskip("pyedflib", reason="pyedflib is not installed")
    path = tmp_path / "a.edf"
    path.write_bytes(made(annotations=[edfio.EdfAnnotation(1, None, "x")])[0])
    with pyedflib.EdfReader(str(path)) as theirs:
        for row in range(2):
            np.testing.assert_array_equal(read(path).digital[row], theirs.readSignal(row, digital=True))
            np.testing.assert_allclose(
                read(path).microvolts()[row], theirs.readSignal(row) * 1000, rtol=1e-12, atol=1e-9
            )


def test_patient_start_and_annotations():
    raw, _ = made(
        annotations=[edfio.EdfAnnotation(1.5, None, "心房颤动"), edfio.EdfAnnotation(3, 2, "pause")],
        patient=edfio.Patient(code="P1", sex="F", birthdate=datetime.date(1970, 3, 2), name="Wang_Xiao"),
        recording=edfio.Recording(startdate=datetime.date(2024, 5, 6), equipment_code="Box_7"),
        starttime=datetime.time(7, 8, 9, 250_000),
    )
    recording = read(raw)
    who = recording.identity
    assert (who.patient_id, who.sex, who.birth_date, who.patient_name) == ("P1", "F", "1970-03-02", "Wang Xiao")
    assert recording.started_at.isoformat() == "2024-05-06T07:08:09.250000+08:00"
    assert recording.device.model == "Box 7"
    assert [(mark.label, mark.start_s, mark.end_s) for mark in recording.annotations] == [
        ("心房颤动", 1.5, None), ("pause", 3.0, 5.0),
    ]  # fmt: skip


def test_only_ecg_of_one_rate_is_taken():
    rng = np.random.default_rng(0)
    signals = [
        edfio.EdfSignal.from_digital(rng.integers(-9, 9, rate * 10).astype(np.int16), rate, label=label,
                                     physical_dimension=unit, physical_range=(-1, 1))
        for label, rate, unit in (("EEG Fpz-Cz", 100, "uV"), ("EKG II", 200, "mV"), ("ECG V1", 200, "mV"),
                                  ("ECG slow", 100, "mV"), ("SaO2", 1, "%"))
    ]  # fmt: skip
    out = io.BytesIO()
    edfio.Edf(signals).write(out)
    recording = read(out.getvalue())
    assert recording.leads == ("II", "V1")
    assert recording.sampling_hz == 200
    assert "EEG Fpz-Cz, ECG slow, SaO2" in recording.warnings[0]


def test_a_file_without_ecg_says_what_it_holds():
    raw, _ = made(labels=("EEG C3", "EMG chin"))
    with pytest.raises(errors.NoWaveform, match="EEG C3, EMG chin"):
        read(raw)


def test_discontinuous_records_become_gaps():
    records = [np.full((2, 100), place + 1) for place in range(4)]
    onsets = (0, 0.2, 1.0, 1.2)
    texts = [f"+{onset}\x14\x14\0".encode() for onset in onsets]
    texts[2] += b"+1.1\x14lead off\x14\0"
    recording = read(plain(records, reserved="EDF+D", texts=texts))
    assert recording.n_samples == 700
    assert [(gap.start, gap.stop) for gap in recording.gaps] == [(200, 500)]
    assert recording.digital[0, 200] == 0
    assert recording.digital[0, 500] == 3
    assert [(mark.label, mark.start_s) for mark in recording.annotations] == [("lead off", 1.1)]
    assert recording.identity.patient_name == "Wang X"
    assert recording.device.technician == "Tech"


def test_long_interruptions_are_joined_and_marked():
    texts = [b"+0\x14\x14\0", b"+90000\x14\x14\0"]
    recording = read(plain([np.ones((2, 100)), np.zeros((2, 100))], reserved="EDF+D", texts=texts))
    assert recording.n_samples == 200
    assert recording.annotations[0].label == "recording resumes 90000.0 s after its start"
    assert recording.annotations[0].start_s == 0.2


def test_cut_and_unfinished_files():
    records = [np.full((2, 100), place) for place in range(5)]
    whole = plain(records)
    cut = read(whole[:-50])
    assert cut.n_samples == 400
    assert "it was cut" in cut.warnings[0]
    unfinished = read(plain(records, n_records=-1))
    assert unfinished.n_samples == 500
    assert "ended unexpectedly" in unfinished.warnings[0]
    for keep in (100, 256, 700, len(whole) - 5 * 400 + 399):
        with pytest.raises(errors.UnreadableRecording):
            read(whole[:keep])


def test_uncalibrated_signals_are_said():
    raw = bytearray(plain([np.ones((2, 100))] * 3))
    at = raw.index(b"-3276.8 ")
    raw[at : at + 8] = b"3276.7  "
    recording = read(bytes(raw))
    assert not recording.calibrated
    assert any("amplitudes are not known" in warning for warning in recording.warnings)


def test_anonymous_date_is_no_date():
    raw, _ = made()
    assert read(raw).started_at is None


@pytest.mark.parametrize(
    "field", [(236, b"abc"), (252, b"9999"), (252, b"0"), (184, b"zz"), (244, b"-1"), (256 + 216 * 2, b"99999999")]
)
def test_headers_that_contradict_themselves(field):
    raw = bytearray(plain([np.ones((2, 100))] * 3))
    raw[field[0] : field[0] + 4] = field[1].ljust(4)[:4]
    with suppress(errors.UnreadableRecording):
        assert read(bytes(raw)).n_samples > 0


def test_a_day_of_three_leads_reads_at_more_than_100_megabytes_a_second():
    raw, _ = made(("I", "II", "V5"), 250, 250 * 86_400, annotations=[edfio.EdfAnnotation(9, None, "N")])
    best = min(timed(raw) for _ in range(3))
    assert 3 * 2 * 250 * 86_400 / 1e6 / best > 100


def timed(raw):
    start = time.perf_counter()
    edf.read(raw)
    return time.perf_counter() - start


@pytest.mark.parametrize(
    ("announced", "behind", "read_records"), [(0, b"", 3), (1, b"", 3), (1, b"junk", 1), (9, b"", 3)]
)
def test_a_number_of_records_that_is_not_the_files(announced, behind, read_records):
    records = noise(600).reshape(3, 200)
    recording = edf.read(plain(list(records), n_records=announced) + behind)
    assert recording.n_samples == 100 * read_records
    np.testing.assert_array_equal(recording.digital[0, :100], records[0, :100])
    assert "data records" in recording.warnings[0]
    assert edf.read(plain(list(records))).warnings == ()
