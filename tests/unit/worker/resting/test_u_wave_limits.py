"""Where U begins, culminates and ends: found where it was put, and nowhere else."""

import numpy as np
import pytest
from support.simulated import recording_of

from gateway.simulate.generator import LEADS, SimulatedEcg, generate
from worker.resting import analyse
from worker.resting.u_wave import bump_behind

HZ = 500
CHEST = ("V2", "V3", "V4")
SD_S = 0.032


def heart(seed=1, bpm=62):
    return generate("sinus", seed=seed, rate_bpm=bpm, sampling_hz=HZ)


def with_u(ecg: SimulatedEcg, uv: float, leads=CHEST, at_s: float = 0.49):
    """A wave of this height in these leads, so long after each R."""
    seconds, samples = np.arange(ecg.samples_uv.shape[1]) / HZ, np.array(ecg.samples_uv, float)
    for beat in ecg.truth.beats_s:
        bump = np.exp(-0.5 * ((seconds - beat - at_s) / SD_S) ** 2)
        for lead in leads:
            samples[LEADS.index(lead)] += uv * bump
    return analyse(recording_of(ecg, digital=np.round(samples).astype(np.int16)))


@pytest.mark.parametrize("seed", range(4))
def test_the_limits_of_a_u_wave(seed):
    found = with_u(heart(seed), 120.0)
    marks = found.median_beat_fiducials
    assert marks.u_peak_s - marks.r_s == pytest.approx(0.49, abs=0.02)
    assert marks.t_off_s < marks.u_on_s < marks.u_peak_s < marks.u_off_s
    assert marks.u_off_s - marks.u_on_s == pytest.approx(4 * SD_S, abs=0.05)
    heights = {lead: own.u_mv for lead, own in found.measurements.leads.items()}
    assert all(heights[lead] == pytest.approx(0.12, abs=0.05) for lead in CHEST)
    assert heights["I"] == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_no_u_where_there_is_none(seed):
    for found in (with_u(heart(seed), 0.0), with_u(heart(seed), 120.0, leads=("V3",)), with_u(heart(seed), 8.0)):
        marks = found.median_beat_fiducials
        assert (marks.u_on_s, marks.u_peak_s, marks.u_off_s) == (None, None, None)
        assert all(own.u_mv == 0.0 for own in found.measurements.leads.values())


def test_limb_leads_alone_show_no_u():
    assert with_u(heart(), 120.0, leads=("II", "III", "aVF")).median_beat_fiducials.u_peak_s is None


def test_fast_hearts_and_fibrillation_have_none():
    assert with_u(heart(bpm=100), 120.0, at_s=0.36).median_beat_fiducials.u_peak_s is None
    fibrillating = generate("atrial-fibrillation", seed=2, rate_bpm=60, sampling_hz=HZ)
    assert with_u(fibrillating, 120.0).median_beat_fiducials.u_peak_s is None


def test_an_inverted_u_is_one_as_well():
    found = with_u(heart(), -120.0, leads=("V3", "V4", "V5", "V6"))
    assert found.median_beat_fiducials.u_peak_s is not None
    assert found.measurements.leads["V4"].u_mv < -0.05


def test_a_summit_must_rise_and_fall():
    ms = np.arange(0, 700, 2)
    t, u = (size * np.exp(-0.5 * ((ms - at) / sd) ** 2) for size, at, sd in ((400, 300, 40), (80, 480, 32)))
    assert bump_behind(t + u, 195, 500.0) is not None
    assert bump_behind(t + u, 195, 500.0, least_uv=90.0) is None
    assert bump_behind(t + 0.2 * u, 195, 500.0) is None
    assert bump_behind(t + np.where(ms > 480, 80.0, u), 195, 500.0) is None  # a step, or a P that only begins
    assert bump_behind((t + u)[:215], 195, 500.0) is None  # the next P comes too soon to tell
