"""A whole day through the Holter: what is found, whatever the recorder."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.data import notes, recording
from bench.accuracy.score import compare
from gateway.simulate.generator import generate
from worker.critical import RuleSetError
from worker.holter.analysis import analyse
from worker.holter.day import Day
from worker.holter.measure import measure, search
from worker.holter.measured import Label
from worker.holter.stored import from_bytes, to_bytes
from worker.recording import Annotation, Gap, Recording

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
DATA = Path(os.environ.get("ECG_DATA", "../shared/ecg-data"))


def made(pathology, minutes=3, hz=250, rows=(1, 6), seed=4, **more):
    ecg = generate(pathology, seed=seed, duration_s=60.0 * minutes, sampling_hz=hz)
    uv = np.clip(ecg.samples_uv[list(rows)], -32767, 32767).astype(np.int16)
    n = len(rows)
    whole = Recording(
        "", "holter", tuple(TWELVE[row] for row in rows), uv, np.ones(n), np.zeros(n), float(hz),
        started_at=datetime(2026, 1, 2, 9, 30, tzinfo=UTC), **more,
    )  # fmt: skip
    return whole, ecg.truth


@pytest.mark.parametrize(
    ("rows", "hz"),
    [((1,), 250), ((1, 6, 10), 250), ((1, 6), 500), (tuple(range(12)), 500), (tuple(range(12)), 1000)],
)
def test_ventricular_beats_are_counted_with_any_leads_and_rate(rows, hz):
    whole, truth = made("ventricular-premature", rows=rows, hz=hz)
    findings, measured = analyse(whole)
    counts, _ = compare((np.array(truth.beats_s) * hz).astype(int), measured.beats.sample, hz)
    assert counts.fn + counts.fp <= 1
    ectopic = truth.beat_shapes.count("ectopic")
    assert findings.holter.ventricular.beats == pytest.approx(ectopic, abs=max(1, 0.1 * ectopic))
    assert findings.holter.analysed_share > 0.98
    assert len(measured.templates) >= 2
    assert measured.minutes.st_uv.shape[0] == len(rows)


def test_progress_goes_up_and_names_its_stages():
    told = []
    analyse(made("sinus")[0], progress=lambda share, stage: told.append((share, stage)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert list(dict.fromkeys(stage for _, stage in told)) == ["beats", "classes", "minutes", "conclude"]


def test_marks_warnings_and_time_go_on_and_the_measured_can_be_kept():
    whole, _ = made("sinus", annotations=(Annotation("dizzy", 33.0),), warnings=("the clock was set",))
    _, measured = analyse(whole)
    assert measured.marks == whole.annotations
    assert measured.warnings == whole.warnings
    assert measured.started_at == whole.started_at
    again = from_bytes(to_bytes(measured))
    assert again.beats.sample.tolist() == measured.beats.sample.tolist()


@pytest.mark.parametrize("n", [1, 2, 100, 2000])
def test_hardly_any_signal_is_no_error(n):
    whole, _ = made("sinus")
    findings, measured = analyse(replace(whole, digital=whole.digital[:, :n].copy()))
    assert measured.n_samples == n
    assert findings.holter is not None


def test_nothing_but_zeros_is_a_day_that_cannot_be_read():
    whole, _ = made("sinus")
    findings, measured = analyse(replace(whole, digital=np.zeros_like(whole.digital)))
    assert len(measured.beats) == 0
    assert findings.holter.analysed_share < 0.02
    assert findings.quality.verdict == "repeat"


def test_wide_integers_other_scales_and_upside_down_leads_are_the_same_day():
    whole, _ = made("ventricular-premature")
    wide = replace(
        whole,
        digital=(whole.digital.astype(np.int32) * -40 + 70_000),
        uv_per_lsb=np.full(2, -1 / 40),
        baseline=np.full(2, 70_000.0),
    )
    assert measure(wide).beats.sample.tolist() == measure(whole).beats.sample.tolist()


def test_a_gap_of_all_leads_is_left_out_and_makes_no_pause():
    whole, _ = made("sinus")
    digital = whole.digital.copy()
    digital[:, 10_000:15_000] = -32768
    findings, measured = analyse(replace(whole, digital=digital, gaps=(Gap(10_000, 15_000, whole.leads),)))
    assert not ((measured.beats.sample > 10_100) & (measured.beats.sample < 14_900)).any()
    assert findings.holter.pauses.over_2_0_s == 0
    assert findings.holter.analysed_s == pytest.approx(160, abs=4)


def test_beats_behind_pacing_pulses_are_paced():
    whole, truth = made("sinus", hz=500)
    digital = whole.digital.copy()
    at = (np.array(truth.beats_s) * 500).astype(int) - 30
    digital[:, at] += 2500
    found = search(Day(replace(whole, digital=digital)))
    assert len(found.pulses) == pytest.approx(len(at), abs=2)
    _, measured = analyse(replace(whole, digital=digital))
    assert (measured.beats.label == Label.P).mean() > 0.95


def test_an_unknown_rule_set_is_said_before_the_work():
    told = []
    with pytest.raises(RuleSetError):
        analyse(made("sinus")[0], rule_set="none of ours", progress=lambda share, stage: told.append(share))
    assert told == []


@pytest.mark.skipif(not (DATA / "mitdb" / "119.hea").exists(), reason="needs MIT-BIH records (ECG_DATA)")
def test_trigeminy_of_a_real_record():
    header = DATA / "mitdb" / "119.hea"
    findings, measured = analyse(replace(recording(header), kind="holter"))
    marks = notes(header, "atr")
    ventricular = marks.at[np.array(marks.symbol) == "V"]
    ours = measured.beats.sample[measured.beats.label == Label.V]
    counts, _ = compare(ventricular, ours, 360.0)
    assert counts.se > 99
    assert counts.ppv > 99
    assert findings.holter.ventricular.beats == len(ours)
