import io
import os
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import wfdb

from worker.formats import errors, read, wfdb_annotations
from worker.formats.wfdb_header import looks_like_header, read_header
from worker.formats.wfdb_records import header_beside, read_record

DATA = Path(os.environ.get("ECG_DATA", "../shared/ecg-data"))
real = pytest.mark.skipif(not (DATA / "mitdb").is_dir(), reason="no real recordings: set ECG_DATA")

RANGES = {"80": 127, "212": 2047, "310": 511, "311": 511, "24": 2**23 - 1, "32": 2**31 - 1}
FORMATS = ["16", "24", "32", "61", "80", "160", "212", "310", "311", "508", "516", "524"]


def write_record(folder, name="a", storage="16", n_signals=2, n_samples=1001, seed=1):
    """A record by the wfdb package, or, in a format that it reads but does not write, packed here."""
    high = 127 if storage == "508" else 2**23 - 1 if storage == "524" else RANGES.get(storage, 32767)
    digital = np.random.default_rng(seed).integers(-high, high + 1, (n_samples, n_signals))
    leads = ["I", "II", "V1", "V2"][:n_signals]
    if storage in PACKERS:
        (folder / f"{name}.dat").write_bytes(PACKERS[storage](digital.reshape(-1)))
        lines = [f"{name}.dat {storage} 200 12 0 0 0 0 {lead}" for lead in leads]
        (folder / f"{name}.hea").write_text("\n".join([f"{name} {n_signals} 250 {n_samples}", *lines]))
        return digital
    wfdb.wrsamp(
        name, fs=250, units=["mV"] * n_signals, sig_name=leads, d_signal=digital, fmt=[storage] * n_signals,
        adc_gain=[200.0] * n_signals, baseline=[0] * n_signals, write_dir=str(folder),
    )  # fmt: skip
    return digital


def pack_310(flat):
    words = np.concatenate([flat & 0x3FF, np.zeros(-len(flat) % 3, int)]).reshape(-1, 3)
    first = words[:, 0] << 1 | (words[:, 2] & 0x1F) << 11
    second = words[:, 1] << 1 | (words[:, 2] >> 5) << 11
    return np.stack([first, second], 1).astype("<u2").tobytes()


def pack_311(flat):
    words = np.concatenate([flat & 0x3FF, np.zeros(-len(flat) % 3, int)]).reshape(-1, 3)
    return (words[:, 0] | words[:, 1] << 10 | words[:, 2] << 20).astype("<u4").tobytes()


def pack_212(flat):
    pairs = np.concatenate([flat & 0xFFF, np.zeros(-len(flat) % 2, int)]).reshape(-1, 2)
    trio = [pairs[:, 0] & 0xFF, pairs[:, 0] >> 8 | pairs[:, 1] >> 8 << 4, pairs[:, 1] & 0xFF]
    return np.stack(trio, 1).astype("u1").tobytes()


PACKERS = {
    "61": lambda flat: flat.astype(">i2").tobytes(),
    "160": lambda flat: (flat + 32768).astype("<u2").tobytes(),
    "212": pack_212,
    "310": pack_310,
    "311": pack_311,
}


@real
@pytest.mark.parametrize(
    "folder", ["mitdb", "ludb/data", "cpsc2018_12lead", "cinc2015", "cpsc2021", "cudb", "qtdb", "vfdb"]
)
def test_real_records_agree_with_wfdb_to_the_last_bit(folder):
    for path in sorted((DATA / folder).glob("*.hea"))[:8]:
        theirs = wfdb.rdrecord(str(path.with_suffix("")), physical=False)
        ours = read(path)
        names = [name for name in ours.leads if name not in ours.derived]
        volts = [place for place, unit in enumerate(theirs.units) if unit.lower() == "mv"]
        rows = [place for place in volts if theirs.sig_name[place] not in ("RESP", "ABP", "PLETH")]
        assert len(names) == len(rows)
        for row, place in enumerate(rows):
            np.testing.assert_array_equal(ours.digital[row], theirs.d_signal[:, place])
            gain, zero = theirs.adc_gain[place], theirs.baseline[place]
            expected = (theirs.d_signal[:, place] - float(zero)) * (1000 / gain)
            np.testing.assert_array_equal(ours.microvolts()[row], expected)


@real
def test_headers_that_wfdb_refuses_agree_with_their_matrices():
    from scipy.io import loadmat

    refused = 0
    for folder, count in (("cinc2017", 20), ("cinc2021_12lead", 12)):
        for path in sorted((DATA / folder).glob("*.hea"))[:count]:
            recording = read(path)
            matrix = loadmat(path.with_suffix(".mat"))["val"]
            np.testing.assert_array_equal(recording.digital[: len(matrix)], matrix)
            assert recording.started_at is not None
            try:
                wfdb.rdheader(str(path.with_suffix("")))
            except Exception:
                refused += 1
    assert refused >= 22


@real
def test_any_file_of_a_record_leads_to_it():
    by_header = read(DATA / "mitdb" / "101.hea")
    by_signal = read(DATA / "mitdb" / "101.dat")
    assert by_header.signal_sha256 == by_signal.signal_sha256
    assert read(DATA / "cinc2017" / "A00001.mat").leads == ("ECG",)
    assert header_beside(DATA / "README.md") is None
    assert by_header.kind == "holter"
    assert by_header.identity.age_years == 75
    assert by_header.identity.sex == "F"


@real
def test_annotations_agree_with_wfdb():
    for name in ("101", "201", "207"):
        recording = read(DATA / "mitdb" / f"{name}.hea")
        theirs = wfdb.rdann(str(DATA / "mitdb" / name), "atr")
        assert [mark.label.split(" ")[0] for mark in recording.annotations] == theirs.symbol
        assert [round(mark.start_s * 360) for mark in recording.annotations] == theirs.sample.tolist()
        texts = [mark.label.partition(" ")[2] for mark in recording.annotations]
        assert texts == [note.strip("\0 ") for note in theirs.aux_note]


@pytest.mark.parametrize("storage", FORMATS)
@pytest.mark.parametrize(("n_signals", "n_samples"), [(1, 1000), (2, 1001), (3, 1002)])
def test_every_storage_format_agrees_with_wfdb(tmp_path, storage, n_signals, n_samples):
    digital = write_record(tmp_path, storage=storage, n_signals=n_signals, n_samples=n_samples)
    theirs = wfdb.rdrecord(str(tmp_path / "a"), physical=False)
    recording = read(tmp_path / "a.hea")
    np.testing.assert_array_equal(recording.digital[:n_signals], theirs.d_signal.T)
    np.testing.assert_array_equal(recording.digital[:n_signals], digital.T)
    assert not [warning for warning in recording.warnings if "checksum" in warning]


def test_differences_agree_with_wfdb(tmp_path):
    (tmp_path / "a.hea").write_text("a 2 250 400\na.dat 8 200 12 0 -50 0 0 I\na.dat 8 200 12 0 30 0 0 II\n")
    raw = np.random.default_rng(1).integers(-128, 128, 800).astype(np.int8)
    (tmp_path / "a.dat").write_bytes(raw.tobytes())
    theirs = wfdb.rdrecord(str(tmp_path / "a"), physical=False)
    np.testing.assert_array_equal(read(tmp_path / "a.hea").digital[:2], theirs.d_signal.T)


def test_frames_skew_and_offset_agree_with_wfdb(tmp_path):
    header = "a 3 125 100\na.dat 16x2:3+10 200(5)/mV 16 0 0 0 0 I\na.dat 16x2:0+10 200 16 0 0 0 0 II\n"
    header += "a.dat 16+10 1 16 0 0 0 0 RESP\n"
    (tmp_path / "a.hea").write_text(header)
    raw = np.random.default_rng(1).integers(-30000, 30000, 500).astype("<i2")
    (tmp_path / "a.dat").write_bytes(b"0123456789" + raw.tobytes())
    theirs = wfdb.rdrecord(str(tmp_path / "a"), physical=False, smooth_frames=False)
    recording = read(tmp_path / "a.hea")
    assert recording.sampling_hz == 250
    np.testing.assert_array_equal(recording.digital[0, :194], theirs.e_d_signal[0][:194])
    assert [(gap.start, gap.stop) for gap in recording.gaps if gap.leads[0] == "I"] == [(194, 200)]
    np.testing.assert_array_equal(recording.digital[1], theirs.e_d_signal[1])
    assert "RESP" in recording.warnings[0]


def test_segments_agree_with_wfdb_and_nulls_are_gaps(tmp_path):
    write_record(tmp_path, "s1", n_samples=500, seed=1)
    write_record(tmp_path, "s2", n_samples=300, seed=2)
    (tmp_path / "m.hea").write_text("m/3 2 250 1000\ns1 500\n~ 200\ns2 300\n")
    recording = read(tmp_path / "m.hea")
    theirs = [wfdb.rdrecord(str(tmp_path / name), physical=False).d_signal.T for name in ("s1", "s2")]
    np.testing.assert_array_equal(recording.digital[:2, :500], theirs[0])
    np.testing.assert_array_equal(recording.digital[:2, 700:], theirs[1])
    assert {(gap.start, gap.stop) for gap in recording.gaps} == {(500, 700)}


def test_variable_layout_and_another_scale(tmp_path):
    write_record(tmp_path, "s1", n_signals=2, n_samples=500, seed=1)
    digital = write_record(tmp_path, "s2", n_signals=1, n_samples=300, seed=2)
    header = (tmp_path / "s2.hea").read_text().replace("200.0(0)", "100.0(7)")
    (tmp_path / "s2.hea").write_text(header)
    (tmp_path / "layout.hea").write_text("layout 2 250 0\n~ 0 200 16 0 0 0 0 I\n~ 0 200 16 0 0 0 0 II\n")
    (tmp_path / "m.hea").write_text("m/3 2 250 800\nlayout 0\ns1 500\ns2 300\n")
    recording = read(tmp_path / "m.hea")
    expected = np.clip((digital[:, 0] - 7) * 2, -32768, 32767)
    np.testing.assert_array_equal(recording.digital[0, 500:], expected)
    assert [(gap.start, gap.stop, gap.leads[0]) for gap in recording.gaps if gap.leads[0] == "II"] == [(500, 800, "II")]
    assert any("differ in their scale" in warning for warning in recording.warnings)


def archive_of(folder, kind):
    out = io.BytesIO()
    files = sorted(path for path in folder.iterdir() if path.suffix in (".hea", ".dat"))
    if kind == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, f"recordings/{path.name}")
    else:
        with tarfile.open(fileobj=out, mode=kind) as archive:
            for path in files:
                archive.add(path, f"recordings/{path.name}")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz"])
def test_a_record_in_one_archive(tmp_path, kind):
    digital = write_record(tmp_path)
    np.testing.assert_array_equal(read(archive_of(tmp_path, kind)).digital[:2], digital.T)
    write_record(tmp_path, "b")
    with pytest.raises(errors.UnsupportedRecording, match="2 records"):
        read(archive_of(tmp_path, kind))


def test_an_archive_of_something_else_is_refused_by_name(tmp_path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.add(Path(__file__), "a.txt")
    with pytest.raises(errors.UnsupportedRecording, match="no WFDB header"):
        read(out.getvalue())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(errors.UnknownFormat, match="ZIP"):
        read(out.getvalue())


def test_archives_that_unpack_to_too_much_are_refused(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.hea", "a 1 250 100\na.dat 16 200 16 0 0 0 0 I\n")
        archive.writestr("a.dat", bytes(300 * 1024**2))
    with pytest.raises(errors.TooLargeRecording, match="unpacks to more"):
        read(out.getvalue())


def test_files_alone_and_files_elsewhere_are_refused_by_name(tmp_path):
    write_record(tmp_path)
    with pytest.raises(errors.UnsupportedRecording, match=r"a\.dat"):
        read((tmp_path / "a.hea").read_bytes())
    (tmp_path / "a.dat").unlink()
    with pytest.raises(errors.UnsupportedRecording, match="not there"):
        read(tmp_path / "a.hea")
    (tmp_path / "e.hea").write_text("e 1 250 100\n../../etc/passwd 16 200 16 0 0 0 0 I\n")
    with pytest.raises(errors.UnsupportedRecording, match="another folder"):
        read(tmp_path / "e.hea")
    with pytest.raises(errors.UnsupportedRecording, match="header"):
        read(struct.pack("<5i", 30, 1, 10, 0, 4) + b"val\0" + bytes(20))


def test_a_signal_file_that_was_cut(tmp_path):
    digital = write_record(tmp_path, n_samples=1000)
    raw = (tmp_path / "a.dat").read_bytes()
    (tmp_path / "a.dat").write_bytes(raw[:-1001])
    recording = read(tmp_path / "a.hea")
    np.testing.assert_array_equal(recording.digital[:2], digital.T[:, :749])
    assert any("one was cut" in warning for warning in recording.warnings)


def test_wrong_checksum_is_said_and_absent_gain_is_no_calibration(tmp_path):
    (tmp_path / "a.hea").write_text("a 1 250 4\na.dat 16 0 16 0 1 999 0 I\n")
    (tmp_path / "a.dat").write_bytes(np.array([1, 2, 3, 4], "<i2").tobytes())
    recording = read_record(tmp_path / "a.hea")
    assert not recording.calibrated
    assert any("checksums of these leads are wrong: I" in warning for warning in recording.warnings)


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("a 1 300 9000 2014-05-08 05:05:15 ", "2014-05-08T05:05:15+08:00"),
        ("a 1 500 5000 12-May-2020 12:33:59", "2020-05-12T12:33:59+08:00"),
        ("a.mat 12 500 5000 05-May-2020 14:50:55", "2020-05-05T14:50:55+08:00"),
        ("a 2 360 650000 13:05:00.5 25/04/1989", None),
        ("a 2 360/360(1.5) 650000 13:05:00.5 25/04/2089", "2089-04-25T13:05:00.500000+08:00"),
        ("a 2 250", None),
    ],
)
def test_record_lines_of_the_field(line, start):
    count = int(line.split()[1])
    raw = (line + "\r\n" + "\n".join(["a.mat 16+24 1000/mV 16 0 -47 409 0 I"] * count)).encode()
    assert looks_like_header(raw)
    header = read_header(raw)
    if start:
        assert header.started_at.isoformat() == start
    assert header.signals[0].description == "I"
    assert header.signals[0].offset == 24


@pytest.mark.parametrize("text", ["", "hello world", "I,II\n1,2\n", "<xml>", "12 34\n56 78\n", "{}", "a 1 b\nc 16\n"])
def test_other_texts_are_no_headers(text):
    assert not looks_like_header(text.encode())


def test_a_day_of_three_leads_reads_at_more_than_100_megabytes_a_second(tmp_path):
    signal = np.random.default_rng(1).integers(-2000, 2000, (250 * 86_400, 3)).astype("<i2")
    lines = "".join(f"a.dat 16 200 16 0 0 0 0 {lead}\n" for lead in ("I", "II", "V5"))
    (tmp_path / "a.hea").write_text(f"a 3 250 {len(signal)}\n{lines}")
    (tmp_path / "a.dat").write_bytes(signal.tobytes())
    best = min(timed(tmp_path / "a.hea") for _ in range(3))
    assert signal.nbytes / 1e6 / best > 100


def timed(path):
    start = time.perf_counter()
    read_record(path)
    return time.perf_counter() - start


def test_more_annotations_than_a_fortnight_has_are_cut_and_said(monkeypatch):
    monkeypatch.setattr(wfdb_annotations, "MAX_ANNOTATIONS", 1000)
    marks, notes = wfdb_annotations.read_annotations(b"\x01\x04" * 2000, 250)
    assert len(marks) == 1000
    assert notes == ("only the first 1000 annotations were read",)
    monkeypatch.setattr(wfdb_annotations, "MAX_BYTES", 40)
    assert len(wfdb_annotations.read_annotations(b"\x01\x04" * 2000, 250)[0]) == 19
    assert wfdb_annotations.read_annotations(b"\x01\xf0" * 2000, 250)[0] == ()
