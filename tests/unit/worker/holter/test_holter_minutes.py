"""ST, QT and T-wave alternans every ten seconds, on signals of known shape."""

from dataclasses import replace

import numpy as np
import pytest

from worker.holter.alternans import alternans_events
from worker.holter.day import Day
from worker.holter.measured import NOT_MEASURED, Beats, Label, Stretch
from worker.holter.minute_values import Grid
from worker.holter.minutes import minutes_of
from worker.recording import Recording

QRS_OFF_S = 0.05
T_END_S = 0.36


def bell(times, centre, width):
    return np.exp(-(((times - centre) / width) ** 2))


def beat_shape(times, *, st_uv=0.0, slope_uv_s=0.0, t_uv=300.0, r_uv=1000.0):
    """µV at these seconds from R: P, QRS from -40 to 50 ms, a level ST, T that ends at about 0.36 s."""
    qrs = -0.12 * bell(times, -0.028, 0.008) + bell(times, 0, 0.012) - 0.25 * bell(times, 0.028, 0.010)
    st = st_uv / (1 + np.exp(-(times - 0.055) / 0.004)) / (1 + np.exp((times - 0.30) / 0.02))
    st = st + slope_uv_s * np.clip(times - 0.05, 0, 0.12) * (times < 0.3)
    return 120 * bell(times, -0.16, 0.022) + r_uv * qrs + st + t_uv * bell(times, 0.26, 0.055)


def made(seconds=120.0, *, hz=250.0, rr_s=0.9, noise_uv=5.0, leads=("II", "V5"), shape=None, drift_uv=0.0, labels=None):
    """(day, beats): ``shape(number, lead)`` gives the arguments of :func:`beat_shape`."""
    n = round(seconds * hz)
    at = np.round(np.arange(0.6, seconds - 0.6, rr_s) * hz).astype(int)
    uv = np.random.default_rng(5).normal(0, noise_uv, (len(leads), n))
    uv += drift_uv * np.sin(2 * np.pi * 0.15 * np.arange(n) / hz)
    for number, middle in enumerate(at):
        first, last = max(0, middle - round(0.3 * hz)), min(n, middle + round(0.55 * hz))
        times = (np.arange(first, last) - middle) / hz
        for lead in range(len(leads)):
            uv[lead, first:last] += beat_shape(times, **(shape(number, lead) if shape else {}))
    recording = Recording(
        "", "holter", leads, np.rint(uv).astype(np.int16), np.ones(len(leads)), np.zeros(len(leads)), hz
    )
    m = len(at)
    label = np.zeros(m, np.uint8) if labels is None else np.array([labels(number) for number in range(m)], np.uint8)
    beats = Beats(
        at.astype(np.int64), label, np.ones(m, np.float32), np.zeros(m, np.int32), np.full(m, 90, np.int16),
        np.ones(m, np.float32),
    )  # fmt: skip
    return Day(recording), beats


def middle_of(column):
    """The rows of a recording without those at its ends."""
    return column[..., 1:-1]


@pytest.mark.parametrize("hz", [128.0, 250.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize("st_uv", [-200.0, 0.0, 150.0])
def test_st_is_measured_at_any_rate_of_sampling(hz, st_uv):
    found = minutes_of(*made(60.0, hz=hz, shape=lambda _, lead: {"st_uv": st_uv * (lead == 1), "t_uv": 200.0}))
    assert found.step_s == pytest.approx(10.0, abs=0.01)
    plain, moved = middle_of(found.st_uv).astype(float)
    assert (moved - plain) == pytest.approx(st_uv, abs=15)
    assert middle_of(found.rr_ms) == pytest.approx(900, abs=5)


def test_a_drifting_base_line_moves_st_little():
    found = minutes_of(*made(drift_uv=300.0, shape=lambda *_: {"st_uv": 100.0, "t_uv": 200.0}))
    calm = minutes_of(*made(shape=lambda *_: {"st_uv": 100.0, "t_uv": 200.0}))
    assert np.abs(middle_of(found.st_uv).astype(int) - middle_of(calm.st_uv)).max() < 40


def test_st_falls_or_rises_by_its_slope():
    def sloping(number, lead):
        return {"slope_uv_s": 1000.0 if lead else -1500.0, "t_uv": 200.0}

    found = minutes_of(*made(shape=sloping))
    assert np.median(middle_of(found.st_slope_uv_s)[0]) == pytest.approx(-1500, abs=250)
    assert np.median(middle_of(found.st_slope_uv_s)[1]) == pytest.approx(1000, abs=250)


@pytest.mark.parametrize(("rr_s", "hz"), [(0.7, 250.0), (0.9, 250.0), (1.2, 500.0)])
def test_qt_is_from_the_onset_of_qrs_to_the_end_of_t(rr_s, hz):
    found = minutes_of(*made(rr_s=rr_s, hz=hz))
    qt = middle_of(found.qt_ms)
    assert qt == pytest.approx(1000 * (T_END_S + 0.045), abs=35)
    assert np.ptp(qt) <= 12


def test_qt_that_grows_is_followed():
    def growing(number, lead):
        return {"t_uv": 300.0}

    day, beats = made(240.0, shape=growing)
    longer = np.array(day.recording.digital)
    stretched = made(240.0, shape=lambda *_: {"t_uv": 0.0})[0].recording.digital.copy()
    for number, middle in enumerate(beats.sample):
        times = np.arange(-75, 137) / 250
        last = min(len(times), stretched.shape[1] - middle + 75)
        centre = 0.26 if number < 130 else 0.31
        stretched[:, middle - 75 : middle - 75 + last] += np.rint(300 * bell(times[:last], centre, 0.055)).astype(
            np.int16
        )
    recording = Recording("", "holter", ("II", "V5"), stretched, np.ones(2), np.zeros(2), 250.0)
    qt = minutes_of(Day(recording), beats).qt_ms
    assert np.median(qt[14:22]) - np.median(qt[1:10]) == pytest.approx(50, abs=8)
    assert longer.shape == stretched.shape


def test_a_flat_t_has_no_qt():
    found = minutes_of(*made(shape=lambda *_: {"t_uv": 15.0}))
    assert (found.qt_ms == NOT_MEASURED).all()
    assert (middle_of(found.st_uv) != NOT_MEASURED).all()


def test_alternating_t_waves_are_measured():
    day, beats = made(180.0, shape=lambda number, _: {"t_uv": 300.0 + 60.0 * (number % 2)})
    found = minutes_of(day, beats)
    assert np.median(found.t_alternans_uv[4:-1]) == pytest.approx(60, abs=12)
    (event,) = alternans_events(found)
    assert event.value == pytest.approx(60, abs=15)
    assert event.end_s - event.start_s > 90


@pytest.mark.parametrize("noise_uv", [5.0, 40.0, 120.0])
def test_noise_is_no_alternans(noise_uv):
    found = minutes_of(*made(300.0, noise_uv=noise_uv))
    assert alternans_events(found) == []


def test_every_third_beat_different_is_no_alternans():
    found = minutes_of(*made(300.0, shape=lambda number, _: {"t_uv": 300.0 + 80.0 * (number % 3 == 0)}))
    assert alternans_events(found) == []


def test_ventricular_beats_are_left_out_and_their_neighbours_too():
    def shape(number, lead):
        return {"st_uv": -600.0, "t_uv": -700.0, "r_uv": 2500.0} if number % 5 == 0 else {"t_uv": 200.0}

    day, beats = made(shape=shape, labels=lambda number: Label.V if number % 5 == 0 else Label.N)
    clean = minutes_of(*made(shape=lambda *_: {"t_uv": 200.0}))
    assert middle_of(minutes_of(day, beats).st_uv) == pytest.approx(middle_of(clean.st_uv), abs=12)


def test_one_artefact_does_not_draw_the_average():
    day, beats = made(shape=lambda *_: {"t_uv": 200.0})
    digital = day.recording.digital.copy()
    digital[:, 250 * 33 : 250 * 34] += 1500
    hit = Day(Recording("", "holter", ("II", "V5"), digital, np.ones(2), np.zeros(2), 250.0))
    clean = minutes_of(day, beats)
    assert minutes_of(hit, beats).st_uv[:, 3] == pytest.approx(clean.st_uv[:, 3], abs=25)


def test_beats_that_are_marked_a_little_aside_are_brought_into_place():
    day, beats = made(shape=lambda *_: {"t_uv": 200.0})
    clean = minutes_of(day, beats)
    aside = np.random.default_rng(2).integers(-8, 9, len(beats))
    moved = Beats(
        beats.sample + aside, beats.label, beats.confidence, beats.template, beats.qrs_ms, beats.p_wave
    )  # fmt: skip
    found = minutes_of(day, moved)
    assert middle_of(found.st_uv) == pytest.approx(middle_of(clean.st_uv), abs=25)
    assert np.median(middle_of(found.qrs_uv)[0]) > 0.9 * np.median(middle_of(clean.qrs_uv)[0])


def test_two_shapes_have_two_numbers():
    def shape(number, lead):
        return {"r_uv": -900.0, "t_uv": 200.0} if 60 <= number < 100 else {"t_uv": 200.0}

    found = minutes_of(*made(shape=shape))
    usual, other = found.shape[2], found.shape[7]
    assert usual != other
    assert set(found.shape.tolist()) <= {usual, other, -1}


def test_what_cannot_be_read_is_not_measured():
    day, beats = made()
    found = minutes_of(
        day, beats, unreadable=[Stretch(5000, 7500, (), "muscle")], lead_noise=[Stretch(12_500, 15_000, ("V5",), "off")]
    )
    assert (found.st_uv[:, 2] == NOT_MEASURED).all()
    assert found.qt_ms[2] == NOT_MEASURED
    assert np.isnan(found.rr_ms[2])
    assert found.st_uv[0, 5] != NOT_MEASURED
    assert found.st_uv[1, 5] == NOT_MEASURED
    assert found.qt_ms[5] != NOT_MEASURED


def test_a_noisy_lead_is_measured_where_its_averaged_beats_agree():
    day, beats = made(shape=lambda *_: {"st_uv": -150.0})
    noisy = minutes_of(day, beats, lead_noise=[Stretch(12_500, 15_000, ("V5",), "muscle")])
    assert noisy.st_uv[1, 5] == pytest.approx(-150, abs=15)
    loud = np.random.default_rng(3).normal(0, 400, day.recording.digital.shape[1])
    digital = day.recording.digital.copy()
    digital[1] = np.clip(digital[1] + loud / day.recording.uv_per_lsb[1], -32_767, 32_767)
    noise = [Stretch(0, day.n_samples, ("V5",), "muscle")]
    drowned = minutes_of(Day(replace(day.recording, digital=digital)), beats, lead_noise=noise)
    assert (drowned.st_uv[1] == NOT_MEASURED).mean() > 0.9
    assert (drowned.st_uv[0] != NOT_MEASURED).mean() > 0.9


def test_blocks_join_without_a_seam():
    found = minutes_of(*made(1250.0, shape=lambda *_: {"st_uv": 80.0, "t_uv": 200.0}))
    assert len(found.start_s) == 125
    assert np.ptp(middle_of(found.st_uv), axis=1).max() < 25
    assert np.ptp(middle_of(found.qt_ms)) < 12


def test_a_day_without_normal_beats_has_rows_without_values():
    day, beats = made(labels=lambda _: Label.V)
    found = minutes_of(day, beats)
    assert len(found.start_s) == 12
    assert (found.st_uv == NOT_MEASURED).all()
    assert (found.shape == -1).all()


def test_the_grid_keeps_time():
    assert Grid.of(1000.0).hz == pytest.approx(1000 / 3)
    assert Grid.of(250.0).factor == 1
