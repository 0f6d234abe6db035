"""The beats of any stretch are those of the whole."""

import asyncio

import numpy as np
import pytest

from ecg_center.store.beats import HEADER_BYTES, ROW, pack, unpack, window
from ecg_center.store.waveforms import WaveformError


def beats(n: int = 40_000, hz: float = 250.0):
    rng = np.random.default_rng(7)
    sample = np.cumsum(rng.integers(100, 400, n)).astype(np.int64)
    return (
        sample,
        rng.integers(0, 6, n).astype(np.uint8),
        rng.integers(-1, 200, n).astype(np.int32),
        rng.random(n).astype(np.float32),
    )


def read_window(content: bytes, start: int, stop: int, asked: list[int] | None = None):
    async def read(offset: int, length: int) -> bytes:
        if asked is not None:
            asked.append(length)
        return content[offset : offset + length]

    return asyncio.run(window(read, unpack(content), start, stop))


def test_a_window_has_its_beats_and_reads_only_its_hours():
    sample, label, template, confidence = beats()
    content = pack(250.0, sample, label, template, confidence)
    assert unpack(content).size_bytes == len(content)
    for start, stop in ((0, 2500), (900_000, 900_001), (5_000_000, 5_002_500), (0, 10**9), (int(sample[-1]), 10**9)):
        rows = read_window(content, start, stop)
        inside = (sample >= start) & (sample < stop)
        np.testing.assert_array_equal(rows["sample"], sample[inside])
        np.testing.assert_array_equal(rows["label"], label[inside])
        np.testing.assert_array_equal(rows["template"], template[inside])
        np.testing.assert_allclose(rows["confidence"] / 100, confidence[inside], atol=0.006)
    asked: list[int] = []
    read_window(content, 5_000_000, 5_002_500, asked)
    assert sum(asked) < (len(content) - HEADER_BYTES) / 5


def test_a_day_without_beats_has_none():
    empty = np.empty(0)
    content = pack(250.0, empty.astype(np.int64), empty.astype(np.uint8), empty.astype(np.int32), empty)
    assert len(read_window(content, 0, 10**9)) == 0


def test_broken_beats_are_said():
    content = pack(250.0, *beats(100))
    for broken in (b"", content[:50], content.replace(b'"version": 1', b'"version": 3')):
        with pytest.raises(WaveformError):
            unpack(broken)
    with pytest.raises(WaveformError, match="fewer"):
        read_window(content[: -ROW.itemsize], 0, 10**9)
    last = np.array([130 * 86400 * 250], np.int64)
    with pytest.raises(WaveformError, match="six weeks"):
        pack(
            250.0,
            np.arange(0, int(last[0]), 1000),
            *[np.zeros(-(-int(last[0]) // 1000), kind) for kind in (np.uint8, np.int32, np.float32)],
        )
