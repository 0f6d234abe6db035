"""Any window of a day has the extremes of its samples, and nothing else."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_center.store.pyramids import BASE, Lead, Pairs, level_for, of_samples, plan, unpack, window
from ecg_center.store.waveforms import WaveformError
from worker.holter import pyramid
from worker.recording import Recording


def recording(samples: np.ndarray) -> Recording:
    n_leads = len(samples)
    return Recording(
        format="test",
        kind="holter",
        leads=tuple(f"CH{row}" for row in range(n_leads)),
        digital=samples,
        uv_per_lsb=np.full(n_leads, 2.5),
        baseline=np.full(n_leads, 8.0),
        sampling_hz=250.0,
    )


def walk(n_leads: int, n_samples: int) -> np.ndarray:
    steps = np.random.default_rng(n_samples).integers(-20, 21, (n_leads, n_samples)).cumsum(axis=1)
    return np.clip(steps, -30_000, 30_000).astype(np.int16)


def read_window(path, start: int, stop: int, columns: int) -> Pairs:
    content = path.read_bytes()
    header = unpack(content)
    level = level_for(header, start, stop, columns)
    assert level is not None

    async def read(offset: int, length: int) -> bytes:
        return content[offset : offset + length]

    return asyncio.run(window(read, header, level, start, stop, columns))


@settings(max_examples=25, deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(100_000, 300_000))
def test_a_window_holds_its_extremes(tmp_path_factory, data, n_leads, n_samples):
    path = tmp_path_factory.mktemp("pyramid") / "day.pyr"
    samples = walk(n_leads, n_samples)
    interleaved = np.ascontiguousarray(samples.T).T  # as a mapped file lies
    header = pyramid.write(path, recording(interleaved))
    assert path.stat().st_size == header.size_bytes
    assert unpack(path.read_bytes()) == header
    columns = data.draw(st.integers(10, 200))
    start = data.draw(st.integers(0, n_samples - BASE * columns - 1))
    stop = data.draw(st.integers(start + BASE * columns, n_samples))
    pairs = read_window(path, start, stop, columns)
    assert pairs.shape == (n_leads, columns, 2)
    slack = level_for(header, start, stop, columns).factor
    edges = np.append(np.linspace(start, stop, columns, endpoint=False), stop)
    for column in range(columns):
        a, b = int(edges[column]), int(edges[column + 1])
        inside, around = samples[:, a + slack : b - slack], samples[:, max(0, a - slack) : b + slack]
        assert (pairs[:, column, 0] >= around.min(axis=1)).all()
        assert (pairs[:, column, 1] <= around.max(axis=1)).all()
        if inside.size:
            assert (pairs[:, column, 0] <= inside.min(axis=1)).all()
            assert (pairs[:, column, 1] >= inside.max(axis=1)).all()


def test_one_spike_of_a_day_is_never_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(pyramid, "BLOCK", 1 << 16)
    samples = np.zeros((1, 3_000_000), np.int16)
    samples[0, 2_345_678] = 7000
    pyramid.write(tmp_path / "day.pyr", recording(samples))
    for start, stop in ((0, 3_000_000), (2_000_000, 2_900_000), (2_345_000, 2_420_000)):
        assert read_window(tmp_path / "day.pyr", start, stop, 1000)[0, :, 1].max() == 7000


def test_what_was_not_recorded_is_neither_low_nor_high(tmp_path):
    samples = np.full((2, 100_000), 5, np.int16)
    samples[0, 40_000:60_000] = -32768
    samples[1, 50_000] = -32768
    pyramid.write(tmp_path / "day.pyr", recording(samples))
    pairs = read_window(tmp_path / "day.pyr", 0, 100_000, 100)
    assert pairs[0, :39].tolist() == [[5, 5]] * 39
    assert pairs[0, 42:58].tolist() == [[32767, -32768]] * 16
    assert pairs[1].tolist() == [[5, 5]] * 100


def test_a_lead_of_24_bits_is_coarsened_and_says_so(tmp_path):
    samples = np.stack([np.full(100_000, 4_000_000), np.full(100_000, -100)]).astype(np.int32)
    header = pyramid.write(tmp_path / "day.pyr", recording(samples))
    pairs = read_window(tmp_path / "day.pyr", 0, 100_000, 100)
    assert header.shift == (7, 0)
    for row, level_uv in ((0, (4_000_000 - 8) * 2.5), (1, (-100 - 8) * 2.5)):
        lead = header.leads[row]
        assert (pairs[row] - lead.baseline) * lead.uv_per_lsb == pytest.approx(level_uv)


def test_the_samples_themselves_make_columns():
    samples = walk(2, 1003)
    pairs = of_samples(samples, 100)
    assert pairs[:, :, 0].min() == samples.min()
    assert pairs[:, :, 1].max() == samples.max()
    assert pairs.shape == (2, 100, 2)


def test_damage_is_said(tmp_path):
    pyramid.write(tmp_path / "day.pyr", recording(walk(1, 100_000)))
    whole = (tmp_path / "day.pyr").read_bytes()
    for broken in (b"", b"{}", whole[:100], whole.replace(b'"version": 1', b'"version": 9')):
        with pytest.raises(WaveformError):
            unpack(broken)
    (tmp_path / "day.pyr").write_bytes(whole[:9000])
    with pytest.raises(WaveformError, match="shorter"):
        read_window(tmp_path / "day.pyr", 0, 100_000, 100)


def test_fourteen_days_need_few_levels():
    header = plan(14 * 86400 * 250, 250.0, (Lead("I", 1, 0),), (0,))
    assert [level.factor for level in header.levels] == [64, 256, 1024, 4096, 16384, 65536, 262144]
    assert header.size_bytes < 0.05 * 14 * 86400 * 250 * 2
