import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.accuracy.data import headers, notes, recording
from bench.accuracy.noise import mix
from gateway.simulate.generator import generate
from worker.holter.day import Day
from worker.holter.detect import Found, Search
from worker.holter.measured import Stretch
from worker.holter.noise import noise_of, windows_of, without
from worker.holter.spikes import believed, paced, pulses_in
from worker.recording import Gap, Recording

DATA = Path(os.environ.get("ECG_DATA", "../shared/ecg-data"))
needs = {
    name: pytest.mark.skipif(not (DATA / name).exists(), reason=f"needs {name} (ECG_DATA)")
    for name in ("mitdb", "vfdb", "nstdb")
}


def noise_in(uv, hz, scale=2.5, gaps=()):
    digital = np.clip(np.rint(np.atleast_2d(uv) / scale), -32768, 32767).astype(np.int16)
    n = len(digital)
    names = tuple(f"L{row}" for row in range(n))
    day = Day(Recording("", "holter", names, digital, np.full(n, scale), np.zeros(n), hz, gaps=gaps))
    search, found, parts, window = Search(day), Found([], []), [], 1
    for block in day.blocks():
        seen = search.beats_in(block)
        found.add(seen)
        parts.append(windows_of(day, block, seen, range(n)))
        window = seen.window
    return noise_of(day, range(n), parts, window, *found.in_order(hz))


def seconds(stretches, hz):
    return sum(stretch.stop - stretch.start for stretch in stretches) / hz


def sinus(duration_s=300, seed=1):
    parts = [
        generate("sinus", seed=seed, duration_s=60, sampling_hz=250).samples_uv[[1, 6]] for _ in range(duration_s // 60)
    ]
    return np.concatenate(parts, axis=1).astype(float)


def test_a_clean_recording_has_no_noise():
    found = noise_in(sinus(), 250.0)
    assert found.unreadable == ()
    assert seconds(found.leads, 250.0) < 3


def test_an_electrode_that_falls_off_is_one_lead_s_noise_until_all_are_off():
    uv = sinus()
    uv[0, 20_000:50_000] = 0.0
    uv[1, 30_000:40_000] = 0.0
    found = noise_in(uv, 250.0)
    assert seconds(found.unreadable, 250.0) == pytest.approx(40, abs=4)
    assert {stretch.reason for stretch in found.unreadable} == {"lead_off"}
    only = [stretch for stretch in found.leads if stretch.leads == ("L0",) and stretch.reason == "lead_off"]
    assert seconds(only, 250.0) == pytest.approx(80, abs=8)


def test_a_lead_on_its_rail_and_a_gap_are_said():
    uv = sinus()
    uv[0, 20_000:30_000] = 5000.0 - np.abs(np.random.default_rng(0).normal(size=10_000)).clip(0.7) * 30 + 21
    found = noise_in(uv, 250.0, gaps=(Gap(50_000, 60_000, ("L1",)),))
    assert found.unreadable == ()
    said = {stretch.reason: seconds([stretch], 250.0) for stretch in found.leads if stretch.leads == ("L0",)}
    assert said["saturated"] == pytest.approx(40, abs=4)
    assert seconds([s for s in found.leads if s.leads == ("L1",)], 250.0) == pytest.approx(40, abs=4)


def test_standstill_of_a_connected_heart_is_not_noise():
    uv = sinus()
    uv[:, 20_000:30_000] = 20 * np.sin(np.arange(10_000) / 200) + np.random.default_rng(1).normal(size=(2, 10_000)) * 3
    assert seconds(noise_in(uv, 250.0).unreadable, 250.0) == 0


def test_tremor_in_all_leads_cannot_be_read_in_one_it_can():
    uv, rng = sinus(), np.random.default_rng(2)
    shaking = rng.normal(size=(2, 20_000)) * 2500
    one = uv.copy()
    one[0, 20_000:40_000] += shaking[0]
    assert noise_in(one, 250.0).unreadable == ()
    uv[:, 20_000:40_000] += shaking
    found = noise_in(uv, 250.0)
    assert seconds(found.unreadable, 250.0) > 50
    assert all(stretch.start > 15_000 and stretch.stop < 45_000 for stretch in found.unreadable)


@needs["mitdb"]
def test_hardly_anything_of_a_real_clean_record_is_called_noise():
    left_out, whole_s = 0.0, 0.0
    for name in ("106", "119", "201", "207", "208", "223"):
        whole = recording(DATA / "mitdb" / f"{name}.hea")
        left_out += seconds(noise_in(whole.microvolts()[:1], whole.sampling_hz).unreadable, whole.sampling_hz)
        whole_s += whole.duration_s
    assert left_out < 0.002 * whole_s


@needs["vfdb"]
def test_what_races_or_quivers_is_not_hidden_as_noise():
    for name, rhythm in (("418", "(VFL"), ("614", "(VT"), ("430", "(VF")):
        header = DATA / "vfdb" / f"{name}.hea"
        whole, found = recording(header), notes(header, "atr")
        hidden = np.zeros(whole.n_samples, bool)
        for stretch in noise_in(whole.microvolts(), whole.sampling_hz).unreadable:
            hidden[stretch.start : stretch.stop] = True
        edges = [*found.at.tolist(), whole.n_samples]
        own = [hidden[a:b] for a, b, text in zip(edges, edges[1:], found.text, strict=False) if text == rhythm]
        assert sum(part.size for part in own) > 60 * whole.sampling_hz
        assert sum(part.sum() for part in own) < 0.02 * sum(part.size for part in own)


@needs["nstdb"]
@needs["mitdb"]
def test_electrode_motion_that_hides_the_beats_is_noise():
    header = headers(DATA / "mitdb")[0]
    whole, wave = recording(header), recording(DATA / "nstdb" / "em.hea").microvolts()[0] / 1000
    mixed, on = mix(whole.microvolts()[0] / 1000, wave, notes(header, "atr").beats, whole.sampling_hz, -6)
    hidden = np.zeros(on.size, bool)
    for stretch in noise_in(1000 * mixed, whole.sampling_hz).unreadable:
        hidden[stretch.start : stretch.stop] = True
    assert hidden[on].mean() > 0.6
    assert hidden[~on].mean() < 0.02


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 50)), max_size=6),
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 50)), max_size=6),
)
def test_without_takes_just_the_others_samples(noise, others):
    made = [Stretch(a, a + n) for a, n in noise]
    taken = [Stretch(a, a + n) for a, n in others]
    gone = {sample for stretch in taken for sample in range(stretch.start, stretch.stop)}
    for one in made:
        left = without([one], taken)
        assert {s for stretch in left for s in range(stretch.start, stretch.stop)} == (
            set(range(one.start, one.stop)) - gone
        )
        assert all(stretch.start < stretch.stop for stretch in left)


@pytest.mark.parametrize(("hz", "width"), [(250, 1), (500, 1), (1000, 2)])
def test_pacing_pulses_before_beats_are_believed_and_make_them_paced(hz, width):
    uv = np.asarray(generate("sinus", seed=5, duration_s=60, sampling_hz=hz).samples_uv[[1, 6]], np.float32)
    beats = (np.array(generate("sinus", seed=5, duration_s=60, sampling_hz=hz).truth.beats_s) * hz).astype(np.int64)
    assert believed(pulses_in(uv, hz), beats, hz, 60.0).size == 0
    for at in beats - round(0.06 * hz):
        uv[:, at : at + width] += 1500
    pulses = believed(pulses_in(uv, hz), beats, hz, 60.0)
    assert paced(pulses, beats, hz).mean() > 0.95
    # interference at random is no pacemaker
    wild = np.asarray(generate("sinus", seed=5, duration_s=60, sampling_hz=hz).samples_uv[[1, 6]], np.float32)
    for at in np.random.default_rng(0).integers(100, wild.shape[1] - 100, 60).tolist():
        wild[:, at : at + width] += 1500
    assert believed(pulses_in(wild, hz), beats, hz, 60.0).size == 0
