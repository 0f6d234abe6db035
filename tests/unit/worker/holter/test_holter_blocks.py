"""AV block of a day: found where P waves have no QRS, whatever the leads; not where a beat is only late."""

from dataclasses import replace

import numpy as np
import pytest
from support.holter_days import day

from ecg_center.contract.holter import Edit
from gateway.simulate.generator import generate
from gateway.simulate.leads import LEADS
from worker.holter.analysis import analyse
from worker.holter.blocks import MARCHES, blocks_of, gap_pieces, slow_pieces
from worker.holter.conclude import conclude
from worker.holter.day import Day
from worker.holter.dissociation import march
from worker.holter.events import block_events
from worker.holter.measured import Beats, Label, Stretch
from worker.holter.readable import Spans, readable
from worker.holter.stored import from_bytes, to_bytes
from worker.recording import Recording

HZ = 250


def made(pathology, leads=("II", "V1", "V5"), *, seed=1, seconds=120.0, noise=1.5):
    """A simulated recording, and its beats as a search without fault would find them."""
    ecg = generate(pathology, seed=seed, duration_s=seconds, sampling_hz=HZ, noise_factor=noise)
    rows = ecg.samples_uv[[LEADS.index(lead) for lead in leads]].astype(np.int16)
    recording = Recording("", "holter", leads, rows, np.ones(len(leads)), np.zeros(len(leads)), float(HZ))
    at = np.rint(np.array(ecg.truth.beats_s) * HZ).astype(np.int64)
    n = len(at)
    ectopic = np.array([shape == "ectopic" for shape in ecg.truth.beat_shapes])
    label = np.where(ectopic, Label.V, Label.N).astype(np.uint8)
    beats = Beats(
        at, label, np.ones(n, np.float32), np.zeros(n, np.int32), np.full(n, 90, np.int16), np.ones(n, np.float32)
    )
    return recording, beats


@pytest.mark.parametrize("leads", [("II", "V1", "V5"), ("V5",)], ids=["three leads", "one lead"])
@pytest.mark.parametrize(
    ("pathology", "reason"),
    [
        ("av-block-wenckebach", "wenckebach"),
        ("av-block-mobitz-2", "mobitz_2"),
        ("av-block-2-1", "two_to_one"),
        ("av-block-third", "third_degree"),
    ],
)
def test_each_type_is_found_with_its_length(pathology, reason, leads):
    recording, beats = made(pathology, leads, seed=2)
    found = blocks_of(Day(recording), beats, ())
    assert {stretch.reason for stretch in found} == {reason}
    assert sum(stretch.stop - stretch.start for stretch in found) > 0.8 * recording.n_samples


@pytest.mark.parametrize(
    "pathology",
    [
        "sinus",
        "sinus-bradycardia",
        "pause-3s",
        "pause-5s",
        "ventricular-premature",
        "atrial-fibrillation",
        "av-block-first",
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_none_is_found_where_every_p_is_conducted_or_none_is_there(pathology, seed):
    recording, beats = made(pathology, seed=seed)
    assert blocks_of(Day(recording), beats, ()) == ()


def marching(pr_s=None, *, noise_uv=25.0, seconds=90.0, seed=1):
    """µV of one lead and its beats: an escape at 40/min, and P waves at 80/min, or so long before each beat."""
    random, t = np.random.default_rng(seed), np.arange(round(seconds * HZ)) / HZ
    at_s = 1.0 + np.cumsum(np.r_[0.0, random.normal(1.5, 0.01, int(seconds / 1.5) - 2)])
    p_s = np.cumsum(random.normal(0.73, 0.015, int(seconds / 0.73))) if pr_s is None else at_s - pr_s
    uv = random.normal(0, noise_uv, t.size)
    for times, size, half in ((at_s, 900, 0.015), (at_s + 0.3, 200, 0.05), (p_s, 90, 0.03)):
        for at in times:
            uv += size * np.exp(-0.5 * ((t - at) / half) ** 2)
    return np.float32(uv[None]), np.rint(at_s * HZ).astype(np.int64)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_p_waves_that_march_through_are_heard_in_noise_of_a_third_of_their_size(seed):
    uv, at = marching(seed=seed)
    found = march(uv, HZ, at)
    assert found.period_s == pytest.approx(0.73, abs=0.02)
    assert found.strength > MARCHES[0]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("pr_s", [0.16, 0.28, 0.40])
def test_conducted_p_waves_do_not_march(pr_s, seed):
    uv, at = marching(pr_s, seed=seed)
    assert march(uv, HZ, at).strength < MARCHES[0]


def test_a_hum_is_no_march():
    uv, at = marching(0.16)
    t = np.arange(uv.shape[1]) / HZ
    assert march(uv + np.float32(40 * np.sin(2 * np.pi * 3.7 * t)), HZ, at).strength < MARCHES[0]


@pytest.mark.parametrize("seed", [2, 3])
def test_third_degree_is_found_where_the_noise_hides_single_p_waves(seed):
    recording, beats = made("av-block-third", seed=seed, seconds=240.0, noise=6.0)
    unlike = replace(beats, p_wave=np.full(len(beats), 0.2, np.float32))
    found = blocks_of(Day(recording), unlike, ())
    assert {stretch.reason for stretch in found} == {"third_degree"}


def test_nothing_is_looked_at_where_it_cannot_be_read():
    recording, beats = made("av-block-mobitz-2", seed=2)
    assert blocks_of(Day(recording), beats, (Stretch(0, recording.n_samples),)) == ()


def test_gaps_stand_in_a_steady_rhythm():
    steady = np.cumsum([0.8] * 9 + [1.5] + [0.8] * 9)
    assert [piece.gaps for piece in gap_pieces(steady, np.zeros(19, np.uint8))] == [(8,)]
    ectopic = np.zeros(19, np.uint8)
    ectopic[8] = Label.V
    assert gap_pieces(steady, ectopic) == []
    irregular = np.cumsum([0.6, 1.1, 0.8, 0.5, 1.2, 0.7, 0.9, 0.55, 1.05, 1.6, 0.7, 1.1, 0.6, 0.9, 1.0, 0.65, 1.2])
    assert gap_pieces(irregular, np.zeros(17, np.uint8)) == []


def test_slow_rhythm_is_cut_where_its_rate_changes():
    at_s = np.cumsum([1.0] * 60 + [1.6] * 40)
    pieces = slow_pieces(at_s, np.zeros(100, np.uint8))
    assert [round(piece.rr_s, 1) for piece in pieces][:1] == [1.0]
    assert round(pieces[-1].rr_s, 1) == 1.6
    assert slow_pieces(np.arange(100) * 0.8, np.zeros(100, np.uint8)) == []


def test_the_day_says_the_type_and_a_physician_can_leave_it_out():
    recording, _ = made("av-block-mobitz-2", seed=2)
    findings, measured = analyse(recording)
    events = [event for event in findings.holter.events if event.kind == "av_block_2"]
    assert [event.text for event in events] == ["mobitz_2"]
    assert events[0].value > 20
    assert events[0].quantity == "blocked_p"
    assert "84" in [statement.code for statement in findings.statements]
    assert findings.grade == "major"
    assert not [event for event in findings.holter.events if event.kind == "dropped_beat"]
    kept = from_bytes(to_bytes(measured))
    assert kept.blocks == measured.blocks
    out = conclude(
        kept, edits=[Edit(action="exclude", start_s=0.0, end_s=60.0), Edit(action="exclude", start_s=60.0, end_s=100.0)]
    )
    assert "84" not in [statement.code for statement in out.statements]


def test_block_within_fibrillation_is_none():
    measured = replace(day("N" * 30), blocks=(Stretch(250 * 5, 250 * 20, (), "second_degree"),))
    assert [event.kind for event in block_events(readable(measured), Spans.of([]))] == ["av_block_2"]
    assert block_events(readable(measured), Spans.of([(0.0, 15.0)])) == []
