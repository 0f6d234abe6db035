import numpy as np
import pytest

from worker.holter.bands import bands_for, curves
from worker.holter.day import Day
from worker.recording import Gap, Recording
from worker.signal.filters import Spectrum, highpass, lowpass


def day(digital, hz=250.0, *, leads=None, scale=2.5, zero=100.0, gaps=()):
    n = len(digital)
    names = leads or tuple(f"L{row}" for row in range(n))
    return Day(Recording("", "holter", names, digital, np.full(n, scale), np.full(n, zero), hz, gaps=gaps))


@pytest.mark.parametrize("kind", [np.int16, np.int32])
@pytest.mark.parametrize("side_by_side", [False, True])
def test_a_block_is_the_recording_in_microvolts_whatever_lies_behind_it(kind, side_by_side):
    rng = np.random.default_rng(1)
    digital = rng.integers(-3000, 3000, (3, 9001)).astype(kind)
    whole = day(np.asfortranarray(digital) if side_by_side else digital)
    expected = whole.recording.microvolts()
    np.testing.assert_allclose(whole.block(0, 9001), expected, atol=0.01)
    np.testing.assert_allclose(whole.block(700, 5200, (2, 0)), expected[[2, 0], 700:5200], atol=0.01)


def test_before_the_first_and_behind_the_last_sample_it_stays_as_it_is():
    whole = day(np.array([[100, 102, 104]], np.int16))
    assert whole.block(-2, 5).tolist() == [[0, 0, 0, 5, 10, 10, 10]]
    assert whole.block(7, 9).tolist() == [[0, 0]]


def test_blocks_cover_the_day_once_and_see_beyond_their_ends():
    whole = day(np.arange(2600, dtype=np.int16)[None], zero=0.0, scale=1.0)
    blocks = list(whole.blocks(4.0, 1.0))
    assert [(block.start, block.stop) for block in blocks] == [(0, 1000), (1000, 2000), (2000, 2600)]
    assert [block.first for block in blocks] == [0, 750, 1750]
    assert blocks[1].uv[0, 0] == 750
    assert blocks[1].uv[0, -1] == 2249
    assert blocks[2].uv.shape == (1, 850)


def test_a_gap_makes_no_edge():
    digital = np.full((2, 1000), 500, np.int16)
    digital[0, 300:400] = -32768
    digital[1, 900:] = -32768
    whole = day(digital, zero=0.0, scale=1.0, gaps=(Gap(300, 400, ("L0",)), Gap(900, 1000, ("L1",))))
    assert np.ptp(whole.block(0, 1000)) == 0
    assert np.ptp(whole.block(350, 360)) == 0
    assert whole.gaps_of(0).tolist() == [[300, 400]]


def test_leads_that_follow_from_others_are_not_independent():
    digital = np.zeros((6, 10), np.int16)
    assert day(digital, leads=("I", "II", "III", "aVR", "aVF", "V1")).independent == (0, 1, 5)
    assert day(digital[:2], leads=("III", "V1")).independent == (0, 1)


@pytest.mark.parametrize("hz", [125.0, 128.0, 180.0, 200.0, 250.0, 360.0, 500.0, 1000.0])
def test_the_fast_bands_are_those_of_the_resting_detector(hz):
    rng = np.random.default_rng(2)
    n = round(40 * hz)
    seconds = np.arange(n) / hz
    wander = 300 * np.sin(2 * np.pi * 0.3 * seconds)
    beats = 1000 * np.exp(-(((seconds % 0.8 - 0.4) / 0.015) ** 2))
    uv = (wander + beats + 5 * rng.normal(size=n))[None]
    bands = bands_for(hz)
    slope, broad = curves(uv.astype(np.float32), bands)
    spectrum = Spectrum(uv, hz)
    f = spectrum.frequencies
    same_slope = spectrum.band(highpass(f, 7) * lowpass(f, 26) * 2j * np.pi * f)[:, :: bands.factor]
    same_broad = spectrum.band(highpass(f, 1) * lowpass(f, 30))[:, :: bands.factor]
    middle = slice(round(3 * bands.hz), round(37 * bands.hz))
    assert np.corrcoef(slope[0, middle], same_slope[0, middle])[0, 1] > 0.99
    assert np.corrcoef(broad[0, middle], same_broad[0, middle])[0, 1] > 0.99
    assert np.std(slope[0, middle]) == pytest.approx(np.std(same_slope[0, middle]), rel=0.12)
