import os
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scp_files as f

from worker.formats import errors, read, scp

FILES = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "formats" / "scp"
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def rhythm(n_leads=8, n_samples=5000, seed=1):
    """Steps of all sizes: rests of 0, small ones, and jumps of more than 8 bits."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-9, 10, (n_leads, n_samples)) * (rng.random((n_leads, n_samples)) < 0.7)
    steps += rng.integers(-900, 900, (n_leads, n_samples)) * (rng.random((n_leads, n_samples)) < 0.01)
    return np.clip(np.cumsum(steps, axis=1), -20000, 20000).astype(np.int64)


@pytest.mark.skipif(not FILES.is_dir(), reason="no real recordings: set ECG_DATA")
def test_real_file():
    recording = read(FILES / "ecgtoolkit_Example.scp")
    assert recording.format == "scp"
    assert recording.leads == ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "III", "aVR", "aVL", "aVF")
    assert recording.digital.shape == (12, 5000)
    assert set(recording.uv_per_lsb) == {2.5}
    assert recording.sampling_hz == 500
    assert recording.started_at.isoformat() == "2002-11-22T09:10:00+08:00"
    assert recording.identity.patient_id == "SBJ-123"
    assert recording.identity.birth_date == "1953-05-08"
    assert recording.device_measurements["qrs_ms"] == 120
    assert recording.median_beat.digital.shape == (12, 599)
    assert not recording.warnings


@pytest.mark.skipif(not FILES.is_dir(), reason="no real recordings: set ECG_DATA")
def test_real_file_agrees_with_a_second_reader():
    reader = pytest.importorskip("ecgdatakit.parsing.parsers.scp_ecg", reason="ecgdatakit is not installed")
    path = FILES / "ecgtoolkit_Example.scp"
    theirs = reader.SCPECGParser().parse(path)
    ours = read(path)
    np.testing.assert_array_equal(ours.digital, [lead.samples for lead in theirs.leads])
    np.testing.assert_array_equal(ours.median_beat.digital, [lead.samples for lead in theirs.median_beats])


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("encode", [None, f.default_bits])
def test_every_way_of_differences(order, encode):
    rows = rhythm()
    bodies = {1: f.header(), 3: f.leads(EIGHT, 5000), 6: f.data(rows, order, encode=encode)}
    if encode:
        bodies[2] = struct.pack("<H", 19999)
    recording = scp.read(f.record(bodies))
    np.testing.assert_array_equal(recording.digital[:8], rows)
    assert recording.warnings == ()


def test_header_words():
    recording = scp.read(f.simple(rhythm(2), ("I", "II")))
    who = recording.identity
    assert (who.patient_id, who.patient_name, who.sex, who.birth_date) == ("P-1", "Doe Jane", "F", "1963-02-28")
    assert who.age_years == 61
    assert recording.started_at.isoformat() == "2024-05-06T07:08:09+08:00"
    assert recording.filters == type(recording.filters)(0.05, 150.0, 50.0)
    assert recording.device.manufacturer == "Acme"
    assert recording.device.serial == "SER1"
    assert recording.device.technician == "Tech"
    assert recording.derived == {"III", "aVR", "aVL", "aVF"}


def test_chinese_name_in_a_declared_and_in_no_character_set():
    for language, raw in (
        (0x37, "王小明".encode()),
        (0x27, "王小明".encode("gb18030")),
        (0, "王小明".encode("gb18030")),
    ):
        header = f.tag(0, raw + b"\0") + f.header(language=language)[7:]
        bodies = {1: header, 3: f.leads(("I",), 500), 6: f.data(rhythm(1, 500), encode=None)}
        assert scp.read(f.record(bodies)).identity.patient_name.startswith("王小明")


def test_own_tables_with_a_switch_between_them():
    first = [
        ("0", 0, 1, 0),
        ("10", 0, 1, 1),
        ("110", 0, 1, -1),
        ("1110", 8, 1, 0),
        ("11110", 16, 1, 0),
        ("11111", 0, 0, 2),
    ]
    second = [("1", 0, 1, 5), ("01", 0, 1, -5), ("001", 16, 1, 0), ("000", 0, 0, 1)]
    words = {0: "0", 1: "10", -1: "110"}

    def encode(values):
        out, table = [], 1
        for value in values:
            if abs(value) == 5:
                out.append(("11111" if table == 1 else "") + ("1" if value > 0 else "01"))
                table = 2
                continue
            if table == 2:
                out.append("000")
                table = 1
            if value in words:
                out.append(words[value])
            elif -128 <= value < 128:
                out.append("1110" + format(value & 0xFF, "08b"))
            else:
                out.append("11110" + format(value & 0xFFFF, "016b"))
        return "".join(out)

    rows = rhythm(3, 2000, seed=4)
    for reverse in (True, False):
        tables = struct.pack("<H", 2) + f.table(first, reverse) + f.table(second, reverse)
        bodies = {1: f.header(), 2: tables, 3: f.leads(("I", "II", "V1"), 2000), 6: f.data(rows, 1, encode=encode)}
        recording = scp.read(f.record(bodies))
        np.testing.assert_array_equal(recording.digital[:3], rows)
        assert bool(recording.warnings) is not reverse


def test_prefixes_longer_than_a_window():
    codes = [("0" * 20 + "1", 0, 1, 3), ("1", 0, 1, 0), ("01", 0, 1, 1), ("001", 0, 1, -1), ("0001", 16, 1, 0)]
    words = {3: "0" * 20 + "1", 0: "1", 1: "01", -1: "001"}
    rows = np.cumsum(np.random.default_rng(2).choice([0, 1, -1, 3], (2, 800)), axis=1)

    def encode(values):
        return "".join(words.get(value) or "0001" + format(value & 0xFFFF, "016b") for value in values)

    bodies = {
        1: f.header(), 2: struct.pack("<H", 1) + f.table(codes), 3: f.leads(("I", "II"), 800),
        6: f.data(rows, 1, encode=encode),
    }  # fmt: skip
    np.testing.assert_array_equal(scp.read(f.record(bodies)).digital[:2], rows)


def with_reference_beat(avm=2500, median_avm=1000, version=20, protect=True):
    """Rhythm = residual × AVM + beat × median AVM within the zones of type 0."""
    rng = np.random.default_rng(7)
    beat = (200 * np.hanning(300))[None] * rng.uniform(0.5, 2, (2, 1))
    beat = beat.astype(np.int64)
    residual = rng.integers(-20, 20, (2, 5000))
    fiducials = (400, 1100, 1900, 2700, 3600, 4990)
    zones = [(0 if place != 2 else 1, max(at - 119, 1), at, min(at + 180, 5000)) for place, at in enumerate(fiducials)]
    zones[2] = (1, 0, fiducials[2], 0)
    areas = [(at - 30, min(at + 30, 5000)) for at in fiducials] if protect else ()
    bodies = {
        1: f.header(version), 2: struct.pack("<H", 19999), 3: f.leads(("I", "II"), 5000, flags=1),
        4: f.beats(600, 120, zones, areas), 5: f.data(beat, 2, median_avm), 6: f.data(residual, 2, avm),
    }  # fmt: skip
    truth = residual * avm
    for kind, first, fiducial, last in zones:
        if kind == 0:
            for sample in range(first, last + 1):
                place = sample - fiducial + 120 - 1
                if 0 <= place < 300:
                    truth[:, sample - 1] += beat[:, place] * median_avm
    return f.record(bodies, version), truth


@pytest.mark.parametrize(("avm", "median_avm"), [(2500, 2500), (2500, 1000), (1000, 4880)])
def test_reference_beat_is_put_back_without_rounding(avm, median_avm):
    raw, truth = with_reference_beat(avm, median_avm)
    recording = scp.read(raw)
    nanovolts = np.rint(recording.uv_per_lsb[0] * 1000).astype(np.int64)
    np.testing.assert_array_equal(recording.digital[:2].astype(np.int64) * nanovolts, truth)
    assert recording.median_beat.digital.shape == (2, 300)


def test_reference_beat_agrees_with_a_second_reader(tmp_path):
    reader = pytest.importorskip("ecgdatakit.parsing.parsers.scp_ecg", reason="ecgdatakit is not installed")
    path = tmp_path / "beat.scp"
    path.write_bytes(with_reference_beat()[0])
    theirs = reader.SCPECGParser().parse(path)
    np.testing.assert_array_equal(read(path).digital[:2], [lead.samples for lead in theirs.leads])


def test_subtracted_rhythm_without_its_beat_is_refused():
    zones = [(0, 300, 400, 500)]
    bodies = {
        1: f.header(), 3: f.leads(("I",), 1000, flags=1), 4: f.beats(600, 120, zones),
        6: f.data(rhythm(1, 1000), encode=None),
    }  # fmt: skip
    with pytest.raises(errors.DamagedRecording, match="reference beat"):
        scp.read(f.record(bodies))


def bimodal(rows, areas, factor=4):
    """Every ``factor``-th mean outside the areas, whole within; what is left of a stretch is stored as it is."""
    out = []
    for row in rows:
        stored, at = [], 0
        for first, last in [*areas, (len(row) + 1, len(row))]:
            stretch = row[at : first - 1]
            whole = len(stretch) // factor
            stored += stretch[: whole * factor].reshape(whole, factor).mean(axis=1).round().astype(int).tolist()
            stored += stretch[whole * factor :].tolist() + row[first - 1 : last].tolist()
            at = last
        out.append(stored)
    return out


def test_bimodal_compression_keeps_the_protected_areas_and_follows_the_rest():
    time_s = np.arange(5000) / 500
    slow = np.rint(400 * np.sin(2 * np.pi * 0.7 * time_s))
    rows = np.stack([slow, -slow]).astype(np.int64)
    areas = [(391, 430), (1091, 1130), (2001, 2040)]
    for first, last in areas:
        rows[:, first - 1 : last] += np.random.default_rng(1).integers(-500, 500, last - first + 1)
    zones = [(0, first, first + 10, last) for first, last in areas]
    bodies = {
        1: f.header(), 2: struct.pack("<H", 19999), 3: f.leads(("I", "II"), 5000),
        4: f.beats(600, 120, zones, areas), 5: f.data(np.zeros((2, 300), int), 2, interval=2000),
        6: f.data(bimodal(rows, areas), 2, interval=8000, flag=1),
    }  # fmt: skip
    recording = scp.read(f.record(bodies))
    assert recording.sampling_hz == 500
    assert recording.digital.shape == (6, 5000)
    for first, last in areas:
        np.testing.assert_array_equal(recording.digital[0, first : last - 1], rows[0, first : last - 1])
    assert np.abs(recording.digital[:2] - rows).max() <= 8
    assert "interpolated" in recording.warnings[0]


@pytest.mark.parametrize("place", [0, 150, 700, -30])
def test_wrong_checksums_are_read_and_said(place):
    rows = rhythm(2)
    raw = bytearray(f.simple(rows, ("I", "II")))
    raw[0] ^= 0xFF
    section = int.from_bytes(raw[6 + 16 + 6 * 10 + 6 :][:4], "little") - 1
    raw[section] ^= 0x55
    recording = scp.read(bytes(raw))
    np.testing.assert_array_equal(recording.digital[:2], rows)
    assert "the checksum of the record, section 6 is wrong" in recording.warnings[0]


def test_positions_from_zero_and_wrong_lengths_are_repaired():
    rows = rhythm(2)
    bodies = {1: f.header(), 2: struct.pack("<H", 19999), 3: f.leads(("I", "II"), 5000), 6: f.data(rows)}
    np.testing.assert_array_equal(scp.read(f.record(bodies, first=0)).digital[:2], rows)
    longer = f.record(bodies) + b"trailing"
    assert "8 bytes after the end" in scp.read(longer).warnings[0]


def test_version_one_without_its_mark_is_recognised():
    raw = bytearray(f.simple(rhythm(1, 600), ("I",), version=10))
    raw[16:22] = bytes(6)
    assert scp.recognises(bytes(raw))
    assert scp.read(bytes(raw)).digital.shape == (1, 600)


@pytest.mark.parametrize("keep", [10, 60, 150, 400, 2000, -1])
def test_cut_files_are_refused_by_name(keep):
    raw = f.simple(rhythm(2), ("I", "II"))[:keep]
    with pytest.raises(errors.UnreadableRecording):
        read(raw)


def test_measurements_beyond_the_end_are_left_out_and_said():
    rows = rhythm(2)
    section_7 = struct.pack("<BBHH", 0, 0, 800, 29999)
    raw = f.simple(rows, ("I", "II"), bodies={7: section_7})[:-4]
    recording = scp.read(raw)
    np.testing.assert_array_equal(recording.digital[:2], rows)
    assert any("section 7 is not where" in warning for warning in recording.warnings)


def test_no_rhythm_is_said():
    with pytest.raises(errors.NoWaveform, match="section 6"):
        scp.read(f.record({1: f.header()}))


def test_a_lead_shorter_than_announced_is_a_gap():
    rows = rhythm(2, 4000)
    bodies = {1: f.header(), 3: f.leads(("I", "V1"), 5000), 6: f.data([rows[0], rows[1][:3000]], encode=None)}
    recording = scp.read(f.record(bodies))
    assert recording.gaps[0].start == 3000
    assert any("shorter than section 3 says" in warning for warning in recording.warnings)


def test_measurements_statements_and_spikes():
    block = struct.pack("<5H3h", 100, 200, 260, 350, 660, 44, -61, 999)
    section_7 = struct.pack("<BBHH", 1, 2, 800, 29999) + block + struct.pack("<HhHh", 120, 900, 920, 900)
    section_7 += (
        struct.pack("<BBHH", 1, 1, 1, 500) * 2
        + struct.pack("<H", 2)
        + b"\0\0"
        + struct.pack("<HHHB", 75, 0xFFFF, 431, 1)
    )
    texts = [b"Sinus rhythm\0", b"Left axis\0"]
    section_8 = b"\0" + bytes(7) + b"\2" + b"".join(struct.pack("<BH", n, len(t)) + t for n, t in enumerate(texts, 1))
    words = [0] * 26
    words[10], words[11] = 1234, -2345
    section_10 = struct.pack("<HH", 2, 0)
    for number in (7, 3):
        section_10 += struct.pack("<HH", number, 52) + struct.pack("<26h", *words)
    recording = scp.read(f.simple(rhythm(2), ("I", "II"), bodies={7: section_7, 8: section_8, 10: section_10}))
    said = recording.device_measurements
    assert (said["p_ms"], said["pr_ms"], said["qrs_ms"], said["qt_ms"]) == (100, 160, 90, 400)
    assert (said["p_axis_deg"], said["qrs_axis_deg"]) == (44, -61)
    assert "t_axis_deg" not in said
    assert (said["heart_rate_bpm"], said["qtc_ms"], said["rr_mean_ms"]) == (75, 431, 800)
    assert (said["rv5_mv"], said["sv1_mv"]) == (1.234, 2.345)
    assert recording.device_statements == ("Sinus rhythm", "Left axis")
    assert [mark.start_s for mark in recording.annotations] == [0.12, 0.92]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_long_rhythm_of_version_three(width):
    high = 1 << (8 * width - 2)
    rows = np.random.default_rng(3).integers(-high, high, (3, 30_000))
    raw = rows.T.astype("<i8").tobytes()
    samples = b"".join(raw[at : at + width] for at in range(0, len(raw), 8))
    body = struct.pack("<IBIB", 500, 3, 30_000, width) + struct.pack("<HBBBBB", 2024, 5, 6, 1, 2, 3)
    body = body.ljust(70, b"\0") + b"".join(struct.pack("<BHB", n, 1220, 0) for n in (1, 2, 7)) + samples
    raw = f.record({1: f.header(30), 12: body}, version=30, n_pointers=13)
    recording = read(raw)
    assert recording.leads[:3] == ("I", "II", "V5")
    np.testing.assert_array_equal(recording.digital[:3], rows)
    assert set(recording.uv_per_lsb[:3]) == {1.22}
    assert recording.started_at.isoformat() == "2024-05-06T01:02:03+08:00"
    cut = raw[:-3000]
    with pytest.raises(errors.TruncatedRecording):
        read(cut)


def test_a_ten_second_record_reads_quickly():
    raw = f.simple(rhythm(12), (*EIGHT, "III", "aVR", "aVL", "aVF"))
    scp.read(raw)
    best = min(timed(raw) for _ in range(5))
    assert best < 0.1, f"{best * 1e3:.0f} ms"


def timed(raw):
    start = time.process_time()
    scp.read(raw)
    return time.process_time() - start


def version_three(rows, median=None, flag=0, encode=None, median_encode=None, section_5=None):
    bodies = {1: f.header(30), 3: f.leads(("I", "II"), len(rows[0])), 6: f.data(rows, 1, flag=flag, encode=encode)}
    bodies[2] = struct.pack("<H", 19999)
    if median is not None:
        bodies[5] = section_5 or f.data(median, 1, 1000, encode=median_encode)
    return bodies


@pytest.mark.parametrize(("flag", "encode"), [(0, None), (1, f.default_bits), (0, f.default_bits)])
def test_version_three_is_unpacked_by_what_its_bytes_are(flag, encode):
    rows = rhythm(2, 1000)
    recording = scp.read(f.record(version_three(rows, flag=flag, encode=encode), version=30))
    np.testing.assert_array_equal(recording.digital[:2], rows)
    assert recording.warnings == ()


def test_the_reference_beat_of_version_three_is_read_where_its_form_is_certain():
    rows, beat = rhythm(2, 1000), rhythm(2, 300, seed=3)
    recording = scp.read(f.record(version_three(rows, beat), version=30))
    np.testing.assert_array_equal(recording.median_beat.digital, beat)
    assert recording.median_beat.sampling_hz == 500
    assert recording.median_beat.uv_per_lsb.tolist() == [1.0, 1.0]
    assert recording.warnings == ()


@pytest.mark.parametrize("section_5", [f.data(rhythm(2, 300), 1), b"\1\0" * 40, b"\1"])
def test_a_reference_beat_of_version_three_of_another_form_is_left_out_and_said(section_5):
    rows = rhythm(2, 1000)
    recording = scp.read(f.record(version_three(rows, rows, section_5=section_5), version=30))
    assert recording.median_beat is None
    np.testing.assert_array_equal(recording.digital[:2], rows)
    assert any("reference beat" in warning for warning in recording.warnings)


def test_a_packed_reference_beat_without_its_length_is_left_out_and_said():
    bodies = {5: f.data(rhythm(2, 300), 2)}
    recording = scp.read(f.simple(rhythm(2), ("I", "II"), bodies=bodies))
    assert recording.median_beat is None
    assert any("section 4" in warning for warning in recording.warnings)


def test_subtraction_in_a_record_of_version_three_is_undone_all_the_same():
    raw, truth = with_reference_beat(version=30)
    recording = scp.read(raw)
    nanovolts = np.rint(recording.uv_per_lsb[0] * 1000).astype(np.int64)
    np.testing.assert_array_equal(recording.digital[:2].astype(np.int64) * nanovolts, truth)


def test_a_subtracted_rhythm_whose_beats_have_no_place_is_refused():
    bodies = {
        1: f.header(), 2: struct.pack("<H", 19999), 3: f.leads(("I",), 1000, flags=1), 5: f.data(rhythm(1, 300)),
        6: f.data(rhythm(1, 1000)),
    }  # fmt: skip
    with pytest.raises(errors.DamagedRecording, match="section 4"):
        scp.read(f.record(bodies))
    bodies.pop(5)
    assert any("subtracted" in warning for warning in scp.read(f.record(bodies)).warnings)


def test_what_is_not_read_is_named():
    raw = f.simple(rhythm(2), ("I", "II"), version=30, bodies={9: b"own words", 15: b"\1" * 40, 17: b"\2" * 20})
    warning = next(one for one in scp.read(raw).warnings if "not read" in one)
    for words in ("section 9", "section 15", "section 17", "every beat", "pacemaker spikes"):
        assert words in warning


def test_sections_that_lie_over_one_another_are_refused_before_they_are_copied():
    n, size = 800, 400_000
    table = 16 + 10 * n
    raw = bytearray(6 + table + size)
    pointers = struct.pack("<HII", 0, table, 7)
    for number in range(1, n):
        at = 6 + table + 16 * number
        pointers += struct.pack("<HII", 1000 + number, size - 16 * number, at + 1)
        struct.pack_into("<HHIBB6s", raw, at, 0, 1000 + number, size - 16 * number, 20, 20, b"")
    raw[6:22] = struct.pack("<HHIBB6s", 0, 0, table, 20, 20, b"SCPECG")
    raw[22 : 22 + len(pointers)] = pointers
    tracemalloc.start()
    with pytest.raises(errors.DamagedRecording, match="over one another"):
        read(bytes(raw))
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_tables_that_only_switch_to_one_another_do_not_hold_up_the_reader():
    switching = [("0", 0, 0, 2), ("1", 0, 1, 1)]
    back = [("0", 0, 0, 1), ("1", 0, 1, 1)]
    body = struct.pack("<HHBB", 2500, 2000, 1, 0) + struct.pack("<H", 65534) + bytes(65534)
    bodies = {
        1: f.header(),
        2: struct.pack("<H", 2) + f.table(switching) + f.table(back),
        3: f.leads(("I",), 5000),
        6: body,
    }
    start = time.process_time()
    with pytest.raises(errors.DamagedRecording, match="too often"):
        read(f.record(bodies))
    assert time.process_time() - start < 0.5


def test_more_packed_leads_than_any_device_has_are_refused():
    names = ("I",) * 60
    body = struct.pack("<HHBB", 2500, 2000, 1, 0) + struct.pack("<H", 65534) * 60 + bytes(65534 * 60)
    with pytest.raises(errors.TooLargeRecording, match="packed"):
        read(f.record({1: f.header(), 2: struct.pack("<H", 19999), 3: f.leads(names, 5000), 6: body}))
