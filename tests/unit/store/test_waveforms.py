from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecg_center.store.waveforms import WaveformError, decode, encode, encode_to

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def ecg(n_leads=12, n_samples=5000, high=2000, dtype=np.int16):
    steps = np.random.default_rng(3).integers(-20, 21, (n_leads, n_samples)).cumsum(axis=1)
    return np.clip(steps, -high, high).astype(dtype)


def wfdb_reads(folder, name, files):
    for suffix, content in files.items():
        (folder / f"{name}{suffix}").write_bytes(content)
    return wfdb.rdrecord(str(folder / name), physical=False), wfdb.rdrecord(str(folder / name))


@pytest.mark.parametrize(("high", "dtype", "fmt"), [(2000, np.int16, "516"), (4_000_000, np.int32, "524")])
def test_wfdb_reads_what_we_write_to_the_last_bit(tmp_path, high, dtype, fmt):
    samples = ecg(high=high, dtype=dtype) if fmt == "516" else (ecg(dtype=np.int32) * 1999)
    start = datetime(2025, 3, 4, 5, 6, 7, 890_000, tzinfo=timezone(timedelta(hours=8)))
    files = encode("rec_1", TWELVE, samples, 500.0, [2.5] * 12, [0.0] * 11 + [16.0], start)
    assert set(files) == {".hea", "_1.flac", "_2.flac"}
    digital, physical = wfdb_reads(tmp_path, "rec_1", files)
    np.testing.assert_array_equal(digital.d_signal.T, samples)
    assert digital.fmt == [fmt] * 12
    assert digital.sig_name == list(TWELVE)
    assert digital.fs == 500
    assert physical.units == ["uV"] * 12
    np.testing.assert_allclose(physical.p_signal[:, 11], (samples[11] - 16.0) * 2.5, rtol=1e-12)
    assert digital.base_datetime == start.replace(tzinfo=None)
    assert [value & 0xFFFF for value in digital.checksum] == [value & 0xFFFF for value in digital.calc_checksum()]


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.int32, st.tuples(st.integers(1, 20), st.integers(1, 300)), elements=st.integers(-(2**23), 2**23 - 1)),
    st.floats(0.001, 1000),
    st.floats(-1e4, 1e4),
    st.sampled_from([128.0, 250.0, 256.41, 360.0, 1000.0]),
)
def test_round_trip_is_lossless(samples, scale, zero, rate):
    n_leads = len(samples)
    waveform = decode(
        encode("r", [f"L {n}" for n in range(n_leads)], samples, rate, [scale] * n_leads, [zero] * n_leads)
    )
    np.testing.assert_array_equal(waveform.samples, samples)
    assert waveform.sampling_hz == rate
    assert waveform.uv_per_lsb == (scale,) * n_leads
    assert waveform.baseline == (zero,) * n_leads
    assert waveform.leads[0] == "L 0"


def test_sixteen_bits_stay_sixteen_and_compress():
    samples = ecg()
    files = encode("r", TWELVE, samples, 500, [4.88] * 12, [0] * 12)
    waveform = decode(files)
    assert waveform.samples.dtype == np.int16
    assert sum(map(len, files.values())) < samples.nbytes
    np.testing.assert_allclose(waveform.microvolts(), samples * 4.88)


def test_a_stretch_is_the_stretch():
    samples = ecg(3, 100_000)
    files = encode("r", ("I", "II", "V1"), samples, 500, [1] * 3, [0] * 3)
    part = decode(files, 50_000, 55_000)
    np.testing.assert_array_equal(part.samples, samples[:, 50_000:55_000])
    assert (part.start_sample, part.total_samples) == (50_000, 100_000)
    assert decode(files, 99_999, 200_000).samples.shape == (3, 1)
    assert decode(files, 5, 5).samples.shape == (3, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"record_name": "a/b"},
        {"samples": np.zeros((2, 5), np.int16)},
        {"samples": np.zeros((1, 5))},
        {"samples": np.zeros((1, 0), np.int16)},
        {"samples": np.full((1, 5), 1 << 23, np.int32)},
        {"uv_per_lsb": [0.0]},
        {"leads": ["a\nb"]},
        {"sampling_hz": 0},
    ],
)
def test_what_cannot_be_kept_is_refused(wrong):
    values = {
        "record_name": "r", "leads": ["I"], "samples": np.zeros((1, 5), np.int16), "sampling_hz": 500,
        "uv_per_lsb": [1.0], "baseline": [0.0],
    } | wrong  # fmt: skip
    with pytest.raises(WaveformError):
        encode(**values)


def test_damage_is_said():
    files = encode("r", TWELVE, ecg(), 500, [1] * 12, [0] * 12)
    for broken in (
        {},
        {".hea": b"x"},
        files | {"_2.flac": files["_2.flac"][:200]},
        files | {"_1.flac": b"nonsense"},
        {name: content for name, content in files.items() if name != "_2.flac"},
        files | {"_2.flac": files["_1.flac"]},
    ):
        with pytest.raises(WaveformError):
            decode(broken)


@pytest.mark.parametrize(("n_leads", "dtype"), [(3, np.int16), (12, np.int32)])
def test_files_written_block_by_block_are_the_same_bytes(tmp_path, monkeypatch, n_leads, dtype):
    monkeypatch.setattr("ecg_center.store.waveforms.READ_BLOCK", 1000)
    samples = ecg(n_leads, 5300, dtype=dtype) * (1 if dtype == np.int16 else 1000)
    interleaved = np.ascontiguousarray(samples.T)
    arguments = (TWELVE[:n_leads], 250.0, [2.5] * n_leads, [0.0] * n_leads)
    told: list[float] = []
    paths = encode_to(tmp_path, "day", arguments[0], interleaved.T, *arguments[1:], progress=told.append)
    assert {suffix: path.read_bytes() for suffix, path in paths.items()} == encode(
        "day", arguments[0], samples, *arguments[1:]
    )
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_stretch_is_read_where_the_file_lies(tmp_path):
    samples = ecg(3, 100_000)
    paths = encode_to(tmp_path, "day", TWELVE[:3], samples, 250.0, [1] * 3, [0] * 3)
    np.testing.assert_array_equal(decode(paths, 70_000, 72_500).samples, samples[:, 70_000:72_500])
    with paths["_1.flac"].open("rb") as opened:
        part = decode({".hea": paths[".hea"], "_1.flac": opened}, 99_000, 100_500)
    np.testing.assert_array_equal(part.samples, samples[:, 99_000:])
