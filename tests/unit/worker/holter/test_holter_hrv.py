"""Variability against neurokit2 where the definition is the same, and against the definition where it is not."""

import time
import warnings
from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from support.holter_days import day

from worker.holter.hrv import Intervals, metrics_of, normal_intervals, variability
from worker.holter.hrv.frequency import frequency_metrics
from worker.holter.hrv.nonlinear import nonlinear_metrics
from worker.holter.hrv.time import BIN_MS, time_metrics, triangle_width
from worker.holter.measured import Stretch
from worker.holter.readable import readable

HZ = 250


def series(n=4000, seed=0, mean=800.0):
    """Intervals with breath, slow waves and chance, in ms."""
    rng = np.random.default_rng(seed)
    slow = np.cumsum(rng.normal(0, 4, n))
    slow *= 60 / slow.std()
    return mean + 25 * np.sin(np.arange(n) / 4.1) + 20 * np.sin(np.arange(n) / 13) + slow + rng.normal(0, 12, n)


@pytest.fixture(scope="module")
def neurokit():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import neurokit2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "trapz", np.trapezoid, raising=False)  # numpy took the old name away
        yield neurokit2


def asked(found, nn_ms, end_s=None):
    """One of neurokit2's tables of these intervals as a dictionary."""
    end_s = np.cumsum(nn_ms / 1000) if end_s is None else end_s
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = found({"RRI": nn_ms, "RRI_Time": end_s})
    return {name.removeprefix("HRV_"): float(table[name].iloc[0]) for name in table.columns}


TIME = {
    "mean_nn_ms": "MeanNN", "median_nn_ms": "MedianNN", "min_nn_ms": "MinNN", "max_nn_ms": "MaxNN", "sdnn_ms": "SDNN",
    "cvnn": "CVNN", "mad_nn_ms": "MadNN", "mcvnn": "MCVNN", "iqr_nn_ms": "IQRNN", "p20_nn_ms": "Prc20NN",
    "p80_nn_ms": "Prc80NN", "rmssd_ms": "RMSSD", "sdsd_ms": "SDSD", "cvsd": "CVSD", "pnn50_percent": "pNN50",
    "pnn20_percent": "pNN20", "sdnn_over_rmssd": "SDRMSSD", "triangular_index": "HTI",
}  # fmt: skip


@pytest.mark.parametrize("n", [40, 400, 4000])
def test_time_measures_are_those_of_neurokit2(neurokit, n):
    nn = series(n)
    theirs, ours = asked(neurokit.hrv_time, nn), time_metrics(Intervals.following(nn))
    for name, theirs_name in TIME.items():
        assert ours[name] == pytest.approx(theirs[theirs_name], abs=1e-6, rel=1e-9), name


def test_differences_are_taken_only_of_intervals_that_follow_one_another(neurokit):
    nn = series(500)
    end_s = np.cumsum(nn / 1000)
    end_s[200:] += 7.0
    end_s[350:] += 2.0
    joined = np.ones(499, bool)
    joined[[199, 349]] = False
    theirs, ours = asked(neurokit.hrv_time, nn, end_s), time_metrics(Intervals(nn, end_s, joined, 510))
    for name in ("rmssd_ms", "sdsd_ms", "pnn50_percent", "pnn20_percent", "sdnn_ms"):
        assert ours[name] == pytest.approx(theirs[TIME[name]], abs=1e-6), name


@pytest.mark.parametrize(("n", "mean"), [(400, 800.0), (4500, 750.0), (20_001, 900.0)])
def test_powers_are_those_of_neurokit2(neurokit, n, mean):
    nn = series(n, mean=mean)

    def welch(intervals):
        return neurokit.hrv_frequency(
            intervals, psd_method="welch", interpolation_rate=4, normalize=False, ulf=(0, 0.0033), vlf=(0.0033, 0.04)
        )

    theirs, ours = asked(welch, nn), frequency_metrics(Intervals.following(nn))
    assert "lf_ms2" in ours
    for name, theirs_name in {
        "ulf_ms2": "ULF",
        "vlf_ms2": "VLF",
        "lf_ms2": "LF",
        "hf_ms2": "HF",
        "lf_hf": "LFHF",
    }.items():
        if name in ours:
            assert ours[name] == pytest.approx(theirs[theirs_name], rel=1e-9, abs=1e-6), name
    assert ("vlf_ms2" in ours) == (nn.sum() / 1000 >= 10 / 0.0033)


def test_a_sine_has_its_power_in_its_band():
    at = np.cumsum(np.full(1200, 0.75))
    for frequency, name in ((0.1, "lf_ms2"), (0.3, "hf_ms2")):
        found = frequency_metrics(Intervals.following(750 + 40 * np.sin(2 * np.pi * frequency * at)))
        assert found[name] == pytest.approx(40**2 / 2, rel=0.06)


def test_normalised_units_and_total():
    nn = series(60_000)
    found = frequency_metrics(Intervals.following(nn))
    assert found["lf_nu"] + found["hf_nu"] == pytest.approx(100)
    parts = [found[f"{band}_ms2"] for band in ("ulf", "vlf", "lf", "hf")]
    assert found["total_power_ms2"] == pytest.approx(sum(parts))
    # not the slowest waves, of which a window does not hold two, but all others
    assert 25**2 / 2 + 20**2 / 2 + 0.9 * 12**2 < found["total_power_ms2"] < nn.var()


def test_a_gap_of_minutes_does_not_make_power():
    nn = series(1200)
    whole = Intervals.following(nn)
    end_s = whole.end_s.copy()
    end_s[600:] += 180.0
    joined = np.ones(1199, bool)
    joined[599] = False
    with_gap = frequency_metrics(Intervals(nn, end_s, joined, 1400))
    assert with_gap["hf_ms2"] < 1.2 * frequency_metrics(whole)["hf_ms2"]


def test_poincare_and_entropy_are_those_of_neurokit2(neurokit):
    nn = series(1500)
    ours = nonlinear_metrics(Intervals.following(nn))
    from neurokit2.hrv.hrv_nonlinear import _hrv_nonlinear_poincare

    theirs = _hrv_nonlinear_poincare(nn, out={})
    names = {
        "sd1_ms": "SD1", "sd2_ms": "SD2", "sd1_sd2": "SD1SD2", "poincare_area_ms2": "S", "csi": "CSI", "cvi": "CVI",
        "csi_modified_ms": "CSI_Modified",
    }  # fmt: skip
    for name, theirs_name in names.items():
        assert ours[name] == pytest.approx(theirs[theirs_name], rel=1e-9, abs=1e-6), name
    entropy, _ = neurokit.entropy_sample(nn, delay=1, dimension=2, tolerance=0.2 * np.std(nn, ddof=1))
    assert ours["sample_entropy"] == pytest.approx(entropy, abs=1e-9)


def test_detrended_fluctuation_is_that_of_neurokit2(neurokit):
    nn = series(1200, seed=3)
    ours = nonlinear_metrics(Intervals.following(nn))
    for name, (first, last) in {"dfa_alpha1": (4, 16), "dfa_alpha2": (16, 64)}.items():
        theirs, _ = neurokit.fractal_dfa(nn, scale=np.arange(first, last + 1))
        assert ours[name] == pytest.approx(theirs, abs=1e-6), name


def test_five_minutes_hold_all_of_their_intervals():
    nn = series(6000)
    found = time_metrics(Intervals.following(nn))
    begin_s = np.cumsum(nn / 1000) - nn / 1000
    begin_s -= begin_s[0]
    parts = [nn[(begin_s >= start) & (begin_s < start + 300)] for start in np.arange(0, begin_s[-1], 300.0)]
    parts = [part for part in parts if part.sum() >= 120_000]
    assert len(parts) >= 12
    assert found["sdann_ms"] == pytest.approx(np.std([part.mean() for part in parts], ddof=1), abs=1e-9)
    assert found["sdnn_index_ms"] == pytest.approx(np.mean([part.std(ddof=1) for part in parts]), abs=1e-9)


def test_sdann_is_close_to_neurokit2_which_leaves_one_interval_of_each_segment_out(neurokit):
    nn = series(20_000)
    theirs, ours = asked(neurokit.hrv_time, nn), time_metrics(Intervals.following(nn))
    assert ours["sdann_ms"] == pytest.approx(theirs["SDANN5"], rel=0.02)
    assert ours["sdnn_index_ms"] == pytest.approx(theirs["SDNNI5"], rel=0.02)


def test_the_triangle_is_the_best_of_all():
    heights = np.array([0, 1, 0, 4, 9, 20, 31, 18, 15, 3, 2, 0, 1])
    top = int(np.argmax(heights))

    def misfit(left, right):
        line = np.interp(np.arange(len(heights)), [left, top, right], [0, heights[top], 0], left=0, right=0)
        return ((line - heights) ** 2).sum()

    best = min(
        ((misfit(a, b), b - a) for a in range(-1, top) for b in range(top + 1, len(heights) + 1)), key=lambda x: x[0]
    )
    assert triangle_width(heights) == best[1]
    nn = np.repeat((np.arange(13) + 100.5) * BIN_MS, heights)
    assert time_metrics(Intervals.following(nn))["tinn_ms"] == pytest.approx(best[1] * BIN_MS)


def test_normal_intervals_lie_between_normal_beats_and_know_what_follows():
    measured = readable(day("NNNVNNNSNN", unreadable=[Stretch(round(9.2 * HZ), round(9.4 * HZ))]))
    found = normal_intervals(measured)
    assert found.end_s.tolist() == [2.0, 3.0, 6.0, 7.0]
    assert found.joined.tolist() == [True, False, True]
    assert found.of_all == 8


def test_what_a_lost_or_a_false_beat_makes_is_no_normal_interval():
    rr = np.full(60, 0.8)
    rr[20], rr[40], rr[41] = 1.6, 0.3, 0.5
    found = normal_intervals(readable(day("N" * 61, at_s=1 + np.cumsum([0.0, *rr]))))
    assert len(found) == 58
    assert found.nn_ms.max() == pytest.approx(800)


def test_windows_of_a_day_with_a_clock():
    nn = series(100_000)
    measured = readable(day("N" * 100_000, at_s=np.cumsum(nn / 1000), started_at=datetime(2026, 3, 1, 9, 30)))  # noqa: DTZ001
    windows = variability(measured)
    names = [window.name for window in windows]
    assert names[:3] == ["whole", "day", "night"]
    hours = [window for window in windows if window.name == "hour"]
    assert [round(hours[0].end_s), round(hours[1].end_s)] == [1800, 5400]
    assert all(before.end_s == after.start_s for before, after in pairwise(hours))
    night = windows[2]
    assert (night.start_s, night.end_s) == (12.5 * 3600, 20.5 * 3600)
    assert "ulf_ms2" in windows[0].metrics
    assert "ulf_ms2" not in night.metrics
    assert "sample_entropy" in hours[1].metrics
    assert "sample_entropy" not in windows[0].metrics
    whole = normal_intervals(measured)
    for window in hours[1:3]:
        part = whole.between([(window.start_s, window.end_s)], 1)
        assert window.metrics["rmssd_ms"] == pytest.approx(metrics_of(part)["rmssd_ms"], abs=1e-6)


def test_the_share_of_normal_intervals_is_said():
    measured = readable(day("NNNV" * 300, rr_s=0.8))
    (whole,) = [window for window in variability(measured) if window.name == "whole"]
    assert whole.nn_share == pytest.approx(0.5, abs=0.002)


def test_too_little_is_no_window_and_a_flat_series_no_error():
    assert variability(readable(day("N" * 200))) == []
    assert variability(readable(day("", duration_s=60.0))) == []
    assert variability(readable(day("V" * 500))) == []
    flat = metrics_of(Intervals.following(np.full(600, 800.0)))
    assert flat["sdnn_ms"] == 0
    assert "lf_hf" not in flat
    assert "dfa_alpha1" not in flat


def test_a_day_with_its_hours_takes_less_than_a_second():
    measured = readable(day("N" * 100_000, at_s=np.cumsum(series(100_000) / 1000), started_at=datetime(2026, 3, 1, 9)))  # noqa: DTZ001
    variability(measured)
    began = time.process_time()
    windows = variability(measured)
    assert len(windows) >= 25
    assert time.process_time() - began < 1.0
