"""Does it quiver, race, or neither: by windows of eight seconds."""

import numpy as np
import pytest

from worker.signal import fibrillation
from worker.signal.beats import describe
from worker.signal.fibrillation import NAMES, Stretch, regular
from worker.signal.filters import Spectrum, highpass, lowpass
from worker.signal.qrs import detect

HZ = 500.0


def stretches_of(uv):
    spectrum, rows = Spectrum(uv, HZ), list(range(len(uv)))
    shape = spectrum.band(highpass(spectrum.frequencies, 1.0) * lowpass(spectrum.frequencies, 40.0))
    return fibrillation.stretches(spectrum, rows, describe(shape, detect(spectrum, rows).beats, HZ))


def beating(seconds, bpm=72):
    t = np.arange(round(seconds * HZ)) / HZ
    phase = t % (60 / bpm)
    wave = 1000 * np.exp(-(((phase - 0.3) / 0.012) ** 2)) + 250 * np.exp(-(((phase - 0.55) / 0.05) ** 2))
    return np.stack([wave, 0.6 * wave]) + np.random.default_rng(3).normal(0, 8, (2, t.size))


def quivering(seconds, seed=1, size=400.0):
    rng, n = np.random.default_rng(seed), round(seconds * HZ)

    def wander(step_s):
        knots = rng.standard_normal(int(seconds / step_s) + 3)
        return np.interp(np.arange(n) / HZ / step_s, np.arange(knots.size), knots)

    wave = np.sin(2 * np.pi * np.cumsum(5.0 + 0.7 * wander(0.5)) / HZ) * (1 + 0.35 * wander(0.7))
    return size * np.stack([wave, 0.7 * wave + 0.15 * wander(0.3)]) + rng.normal(0, 8, (2, n))


@pytest.mark.parametrize(("seconds", "windows"), [(3.0, 1), (8.0, 1), (10.0, 2), (20.0, 4)])
def test_windows_cover_the_recording_to_its_end(seconds, windows):
    found = stretches_of(beating(seconds))
    assert len(found) == windows
    assert found[0].start_s == 0
    assert found[-1].end_s == pytest.approx(seconds)
    assert all(stretch.end_s - stretch.start_s <= 8.0 for stretch in found)


@pytest.mark.parametrize("bpm", [45, 72, 140])
def test_a_beating_heart_is_neither(bpm):
    assert {stretch.says for stretch in stretches_of(beating(10, bpm))} == {"N"}


@pytest.mark.parametrize("seed", range(4))
def test_a_quivering_heart_is_said_to(seed):
    assert {stretch.says for stretch in stretches_of(quivering(10, seed))} == {"F"}


def test_what_is_too_small_to_tell_is_not_said():
    assert {stretch.says for stretch in stretches_of(quivering(10, size=20.0))} == {"N"}


def test_gain_and_polarity_change_nothing():
    uv = quivering(8, 5)
    one, other = stretches_of(uv)[0], stretches_of(-1.3 * uv)[0]
    assert one.says == other.says == "F"


def test_a_blow_in_one_second_does_not_make_fibrillation_look_calm():
    uv = quivering(8, 2)
    uv[:, 2000:2050] += 6000.0
    band = fibrillation.band_of(Spectrum(uv, HZ), [0, 1])
    assert not fibrillation.calm(*fibrillation.thinned(band, HZ, 0, band.shape[1]))


def test_the_answer_is_the_first_that_is_sure_enough():
    def says(quivers, races, *, even=False, span_uv=900.0, rate_hz=4.0):
        return Stretch(0, 8, 0.4, rate_hz, span_uv, quivers, races, regular=even).says

    assert says(0.1, -1) == "F"
    assert says(-0.1, -1) == "N"
    assert says(-0.1, 0.1) == "T"
    assert says(0.1, 0.1, even=True) == "T"
    assert says(3.0, 3.0, span_uv=149.0) == "N"
    assert says(3.0, 3.0, rate_hz=9.6) == "N"


def test_even_beats_are_a_tachycardia():
    def is_even(alike, irregular):
        values = np.zeros(len(NAMES))
        for name, value in (("alike", alike), ("irregular", irregular)):
            values[NAMES.index(name)] = value
        return regular(values)

    assert is_even(0.9, 0.05)
    assert not is_even(0.89, 0.05)
    assert not is_even(0.9, 0.06)


def test_the_measures_are_as_many_as_their_coefficients():
    assert len(NAMES) == fibrillation.CENTRE.size == fibrillation.SCALE.size == 33
    assert fibrillation.COEFFICIENTS.shape == (67, 2)
