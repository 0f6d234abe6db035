import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulate.generator import generate
from worker.signal.beats import describe, median_beat
from worker.signal.delineate import delineate
from worker.signal.filters import Spectrum, good_length, highpass, lowpass, moving_mean, notch, to_working_rate
from worker.signal.qrs import detect
from worker.signal.spikes import blank, find_spikes


def sine(hz, rate=500.0, seconds=10):
    return np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)[None] * 1000


@pytest.mark.parametrize(("hz", "gain"), [(0.05, 0.0), (0.5, 0.5), (5.0, 1.0), (40.0, 0.5), (120.0, 0.0)])
def test_bands_have_half_the_amplitude_at_their_limits_and_no_phase(hz, gain):
    signal = sine(hz, seconds=40)
    spectrum = Spectrum(signal, 500)
    filtered = spectrum.band(highpass(spectrum.frequencies, 0.5) * lowpass(spectrum.frequencies, 40))
    middle = slice(5000, 15000)
    slope = float((filtered[0, middle] @ signal[0, middle]) / (signal[0, middle] @ signal[0, middle]))
    assert slope == pytest.approx(gain, abs=0.06)
    residual = filtered[0, middle] - slope * signal[0, middle]
    assert np.abs(residual).max() < 60


def test_notch_takes_mains_and_leaves_the_rest():
    spectrum = Spectrum(sine(50) + sine(12), 500)
    left = spectrum.band(notch(spectrum.frequencies, 50))
    assert np.abs(left - sine(12))[:, 500:-500].max() < 20


@given(st.integers(2, 200_000))
def test_good_lengths_are_products_of_small_primes(n):
    length = good_length(n)
    assert n <= length < 2 * n
    for prime in (2, 3, 5):
        while length % prime == 0:
            length //= prime
    assert length == 1


@given(st.integers(1, 50), st.integers(1, 80))
def test_moving_mean_is_the_mean_of_what_is_there(n, width):
    signal = np.random.default_rng(n).normal(size=(1, n))
    width_used = min(width, n)
    half = width_used // 2
    expected = [signal[0, max(0, at - half) : at - half + width_used].mean() for at in range(n)]
    np.testing.assert_allclose(moving_mean(signal, width)[0], expected, atol=1e-12)


@pytest.mark.parametrize(("hz", "working"), [(250, 500), (360, 720), (500, 500), (1000, 500), (2000, 500), (125, 500)])
def test_the_working_rate_keeps_the_seconds(hz, working):
    signal = sine(3.0, hz)
    changed, rate = to_working_rate(signal, float(hz))
    assert rate == working
    assert changed.shape[1] / rate == pytest.approx(10, abs=0.01)
    expected = sine(3.0, rate)[:, : changed.shape[1]]
    assert np.abs(changed - expected)[:, 300:-300].max() < 15


def test_pacing_spikes_are_found_and_blanked_and_qrs_are_not():
    ecg = np.asarray(generate("sinus", seed=4).samples_uv, float)
    assert find_spikes(ecg, 500.0) == []
    paced = ecg.copy()
    at = np.arange(300, 4900, 400)
    paced[:, at] += np.linspace(800, 2500, 12)[:, None]
    assert find_spikes(paced, 500.0) == at.tolist()
    assert np.abs(blank(paced, 500.0, at.tolist())[:, at] - ecg[:, at]).max() < 400


def test_beats_groups_and_limits_of_a_sinus_rhythm_with_ectopics():
    ecg = generate("ventricular-premature", seed=2)
    signal = np.asarray(ecg.samples_uv, float)
    rows = [0, 1, 6, 7, 8, 9, 10, 11]
    spectrum = Spectrum(signal, 500.0)
    shape = spectrum.band(highpass(spectrum.frequencies, 1) * lowpass(spectrum.frequencies, 40))
    beats = describe(shape[rows], detect(spectrum, rows).beats, 500.0)
    truth = np.array(ecg.truth.beats_s) * 500
    assert len(beats.at) == len(truth)
    assert np.abs(beats.at - truth).max() < 12
    ectopic = np.array([name == "ectopic" for name in ecg.truth.beat_shapes])
    assert ((beats.group != 0) == ectopic).all()
    clean = spectrum.band(highpass(spectrum.frequencies, 0.5) * lowpass(spectrum.frequencies, 120))
    median = median_beat(clean, shape[rows], beats, 500.0)
    limits = delineate(median, rows, 500.0, ecg.truth.rr_mean_ms / 1000)
    assert (limits.qrs_off - limits.qrs_on) * 2 == pytest.approx(ecg.truth.qrs_ms, abs=8)
    assert (limits.qrs_on - limits.p_on) * 2 == pytest.approx(ecg.truth.pr_ms, abs=8)


def test_no_usable_lead_gives_no_beats():
    spectrum = Spectrum(np.random.default_rng(0).normal(size=(2, 5000)), 500.0)
    assert detect(spectrum, []).beats == []
    assert detect(spectrum, [0, 1]).beats == []
