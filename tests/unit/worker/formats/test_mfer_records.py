import time

import mfer_files as f
import numpy as np
import pytest

from worker.formats import errors, mfer, mfer_tags, read

TYPED = f.tlv(0x0A, b"\0")


def rows(n_leads=12, n_samples=5000, seed=1, high=3000):
    return np.random.default_rng(seed).integers(-high, high, (n_leads, n_samples)).astype(np.int16)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("preamble", [False, True])
@pytest.mark.parametrize("block", [1, 50, 5000])
def test_every_sample_in_both_byte_orders_and_any_block(big, preamble, block):
    signal = rows()
    raw = f.resting(signal, big, preamble, block)
    recording = read(raw)
    np.testing.assert_array_equal(recording.digital, signal)
    assert recording.format == "mfer"
    assert recording.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert set(recording.uv_per_lsb) == {2.5}
    assert recording.sampling_hz == 500
    assert recording.warnings == ()


def test_words_beside_the_samples():
    recording = read(f.resting(rows()))
    who = recording.identity
    assert (who.patient_id, who.patient_name, who.sex, who.birth_date) == ("P-17", "王小明", "F", "1970-05-06")
    assert who.age_years == 54
    assert recording.started_at.isoformat() == "2024-03-01T09:30:15.250000+08:00"
    device = recording.device
    assert (device.manufacturer, device.model, device.software, device.serial) == (
        "Fukuda Denshi", "FX-8322", "1.02", "SN42",
    )  # fmt: skip
    assert recording.filters == type(recording.filters)(0.05, 150.0, 50.0)
    assert [(mark.label, mark.start_s, mark.end_s) for mark in recording.annotations] == [("AF", 1.0, 1.5)]


@pytest.mark.parametrize("big", [False, True])
def test_samples_agree_with_a_second_reader(tmp_path, big):
    reader = pytest.importorskip("ecgdatakit.parsing.parsers.mfer", reason="ecgdatakit is not installed")
    path = tmp_path / "a.mwf"
    path.write_bytes(f.resting(rows(), big, block=100))
    theirs = reader.MFERParser().parse(path)
    np.testing.assert_array_equal(read(path).digital, [lead.samples for lead in theirs.leads])


@pytest.mark.parametrize("kind", ["i2", "u2", "i4", "u1", "i1", "u4", "f4"])
def test_every_data_type(kind):
    numbers = {"i2": 0, "u2": 1, "i4": 2, "u1": 3, "i1": 5, "u4": 6, "f4": 7}
    low, high = {"i2": (-30000, 30000), "u2": (0, 65535), "i4": (-(2**24), 2**24), "u1": (0, 255), "i1": (-128, 127),
                 "u4": (0, 2**30), "f4": (-9000, 9000)}[kind]  # fmt: skip
    signal = np.random.default_rng(2).integers(low, high, (2, 1000))
    file = f.Mfer().rate().step().add(0x0A, bytes([numbers[kind]])).layout(2, 1000, 1).leads((1, 2))
    recording = read(file.samples(signal, 1000, kind).bytes())
    np.testing.assert_array_equal(recording.digital[:2], signal)


def test_offset_null_and_scale_of_one_channel():
    signal = rows(2, 1000)
    signal[0, 300:400] = -32768
    file = f.Mfer().rate(1000, 0, unit=0).step().layout(2, 1000, 1)
    sensitivity = bytes([0]) + b"\xfa" + (5).to_bytes(2, "little")
    file.channel(0, (0x09, (1).to_bytes(2, "little")), (0x0D, (-10).to_bytes(2, "little", signed=True)),
                 (0x12, (-32768).to_bytes(2, "little", signed=True)))  # fmt: skip
    file.channel(1, (0x09, (2).to_bytes(2, "little")), (0x0C, sensitivity))
    recording = read(file.samples(signal, 1000).bytes())
    assert recording.sampling_hz == 1000
    assert recording.baseline.tolist()[:2] == [10, 0]
    assert recording.uv_per_lsb.tolist()[:2] == [2.5, 5.0]
    assert [(gap.start, gap.stop, gap.leads) for gap in recording.gaps] == [(300, 400, ("I",))]
    assert recording.microvolts()[0, 0] == (signal[0, 0] - 10) * 2.5


def test_frames_follow_one_another_and_pointers_make_gaps():
    signal = rows(4, 2000)
    file = f.Mfer().rate().step().layout(2, 1000, 1).leads((1, 3)).samples(signal[:2, :1000], 1000)
    file.samples(signal[:2, 1000:], 1000).count(0x07, 2500).samples(signal[2:, :1000], 1000)
    recording = read(file.bytes())
    np.testing.assert_array_equal(recording.digital[:, :2000], signal[:2])
    np.testing.assert_array_equal(recording.digital[:, 2500:], signal[2:, :1000])
    assert {(gap.start, gap.stop) for gap in recording.gaps} == {(2000, 2500)}


def test_several_groups_the_beat_apart_another_rate_left_out_other_leads_beside():
    signal = rows(8, 2000)
    file = f.Mfer().count(0x08, 1, 2).rate().step().layout(2, 2000, 1).leads((1, 2)).samples(signal[:2], 2000)
    file.count(0x07, 0).layout(2, 2000, 1).leads((3, 4)).samples(signal[2:4], 2000)
    file.rate(8).layout(1, 500, 1).leads((7,)).samples(signal[4:5, :500], 500)
    file.count(0x08, 9, 2).rate().layout(2, 400, 1).leads((1, 2)).samples(signal[5:7, :400], 400)
    recording = read(file.bytes())
    assert recording.leads[:4] == ("I", "II", "V1", "V2")
    np.testing.assert_array_equal(recording.digital[:4], signal[:4])
    np.testing.assert_array_equal(recording.median_beat.digital, signal[5:7, :400])
    assert "125 Hz was left out" in recording.warnings[0]


def test_channels_of_other_block_lengths_are_other_rates():
    fast, slow = rows(2, 1000), rows(1, 250, seed=5)
    file = f.Mfer().rate().step().count(0x05, 3, 2).count(0x04, 100).count(0x06, 10)
    file.leads((1, 2))
    quarter = bytes([1, 0xFD]) + (8).to_bytes(2, "little")
    file.channel(2, (0x09, (7).to_bytes(2, "little")), (0x04, (25).to_bytes(4, "little")), (0x0B, quarter))
    frames = b"".join(
        fast[:, at * 100 : at * 100 + 100].astype("<i2").tobytes()
        + slow[:, at * 25 : at * 25 + 25].astype("<i2").tobytes()
        for at in range(10)
    )
    recording = read(file.add(0x1E, frames).bytes())
    np.testing.assert_array_equal(recording.digital[:2], fast)
    assert "125 Hz was left out" in recording.warnings[0]


@pytest.mark.parametrize(("block", "keep"), [(5000, 65_000), (50, 65_000), (5000, 115_001)])
def test_a_file_that_was_cut_is_read_as_far_as_it_goes(block, keep):
    signal = rows()
    recording = read(f.resting(signal, block=block)[:keep])
    assert any("cut" in warning for warning in recording.warnings)
    for lead, values in zip(recording.leads, recording.digital, strict=True):
        if lead in recording.derived:
            continue
        missing = sum(gap.stop - gap.start for gap in recording.gaps if lead in gap.leads)
        there = recording.n_samples - missing
        place = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6").index(lead)
        np.testing.assert_array_equal(values[:there], signal[place, :there])


def test_no_scale_no_amplitude():
    file = f.Mfer().rate().layout(1, 1000, 1).leads((1,)).samples(rows(1, 1000), 1000)
    recording = read(file.bytes())
    assert not recording.calibrated


@pytest.mark.parametrize(
    ("tag", "value", "reason"),
    [(0x0A, b"\x09", "AHA"), (0x0E, b"\1\0\0\0\0\0", "compressed"), (0x0A, b"\x0b", "not defined"),
     (0x0B, b"\x02\xfd\x02\x00", "spaced in time"), (0x05, b"\0\0", "0 channels")],
)  # fmt: skip
def test_what_is_not_read_is_refused_by_name(tag, value, reason):
    file = f.Mfer().rate().step().layout(1, 100, 1).leads((1,)).add(tag, value).samples(rows(1, 100), 100)
    with pytest.raises(errors.UnreadableRecording, match=reason):
        read(file.bytes())


def test_a_file_without_samples():
    with pytest.raises(errors.NoWaveform):
        read(f.Mfer().rate().step().layout(1, 100, 1).bytes())


@pytest.mark.parametrize(
    "text", [b"", b"hello", b"A00001 1 300 9000\nA.dat 16 200\n", bytes(500), b"\x01\x01\x01" * 50]
)
def test_other_bytes_are_no_mfer(text):
    assert not mfer.recognises(text)


def test_indefinite_lengths():
    signal = rows(2, 500)
    raw = f.Mfer().rate().step().layout(2, 500, 1).out
    raw += b"\x3f\x00\x80" + f.tlv(0x09, (1).to_bytes(2, "little")) + b"\0\0"
    raw += b"\x3f\x01\x80" + f.tlv(0x09, (2).to_bytes(2, "little")) + b"\0\0"
    raw += f.tlv(0x1E, signal.astype("<i2").tobytes())
    np.testing.assert_array_equal(read(raw).digital[:2], signal)


def test_a_day_of_three_leads_reads_at_more_than_100_megabytes_a_second():
    signal = rows(3, 250 * 86_400)
    raw = f.Mfer().rate(4).step().layout(3, 250, 86_400).leads((1, 2, 7)).samples(signal, 250).bytes()
    best = min(timed(raw) for _ in range(3))
    assert signal.nbytes / 1e6 / best > 100


def timed(raw):
    start = time.perf_counter()
    mfer.read(raw)
    return time.perf_counter() - start


def frames(n, channels=1, between=b""):
    start = f.Mfer().add(0x05, channels.to_bytes(2, "little")).out
    return start + (between + f.tlv(0x1E, b"\x01\x00" * channels)) * n


def test_a_frame_a_second_is_read_in_a_time_that_grows_with_the_frames():
    raw = frames(20_000)
    assert read(raw).n_samples == 20_000
    assert min(processor_s(raw) for _ in range(2)) < 1.0  # 100 s where each frame looks at all before


@pytest.mark.parametrize(("module", "limit", "between"), [(mfer, "MAX_ROWS", b""), (mfer_tags, "MAX_LAID_OUT", TYPED)])
def test_more_frames_of_more_channels_than_any_recorder_writes_are_refused(monkeypatch, module, limit, between):
    raw = frames(100, 512, between)
    assert read(raw).n_samples == 100
    monkeypatch.setattr(module, limit, 20_000)
    with pytest.raises(errors.TooLargeRecording):
        read(raw)


def test_a_long_padding_is_passed_by():
    raw = frames(10) + bytes(20_000_000)
    assert processor_s(raw) < 1.0


def processor_s(raw):
    start = time.process_time()
    read(raw)
    return time.process_time() - start
