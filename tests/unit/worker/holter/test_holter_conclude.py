"""From a measured day and edits to findings."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from support.holter_days import day, minutes

from ecg_center.contract.findings import Findings
from ecg_center.contract.holter import MAX_EVENTS, Edit
from ecg_center.contract.upload import RecordingIdentity
from worker.critical import RuleSetError
from worker.holter.analysis import analyse
from worker.holter.conclude import conclude
from worker.holter.edits import EditError
from worker.holter.measured import Stretch
from worker.holter.stored import from_bytes, to_bytes
from worker.recording import Annotation, Recording
from worker.resting.patient import Patient

T_AT_S = 0.646


def busy_day(n=5000):
    rng = np.random.default_rng(3)
    return day("".join(rng.choice(list("NNNNNNNNNNNNNNNNNVS"), n)), rr_s=0.8)


def codes(findings):
    return [statement.code for statement in findings.statements]


def kinds(findings):
    return [event.kind for event in findings.holter.events]


def test_findings_are_whole_and_cross_the_wire():
    found = conclude(busy_day(), Patient(sex="F"))
    assert (found.engine, found.kind, found.leads) == ("holter", "holter", ["II", "V5"])
    assert found.beats_s == []
    assert found.measurements.heart_rate_bpm == 75.0
    assert found.measurements.qtc_formula == "fridericia"
    assert Findings.model_validate_json(found.model_dump_json()) == found


def test_counts_agree_with_each_other():
    found = conclude(busy_day()).holter
    assert sum(found.beats.values()) == 5000
    assert found.beats["V"] == found.ventricular.beats == sum(row.v_beats for row in found.hours)
    assert found.beats["S"] == found.supraventricular.beats == sum(row.s_beats for row in found.hours)
    assert found.ventricular.couplets == sum(row.v_couplets for row in found.hours)


def test_relabelling_a_template_changes_counts_and_words_at_once():
    measured = day("NNV" * 900, template=[0, 0, 1] * 900)
    assert "60a" in codes(conclude(measured))
    after = conclude(measured, edits=[Edit(action="relabel_template", template=1, label="N")])
    assert codes(after) == ["20"]
    assert after.holter.edits == 1
    assert {template.id: template.label for template in after.holter.templates} == {0: "N", 1: "N"}


def test_an_excluded_stretch_counts_for_nothing():
    measured = day("N" * 100 + "VVV" + "N" * 100)
    assert "vt" not in kinds(conclude(measured, edits=[Edit(action="exclude", start_s=99.0, end_s=106.0)]))
    found = conclude(measured, edits=[Edit(action="exclude", start_s=99.0, end_s=106.0)])
    assert found.holter.beats == {"N": 196}
    assert found.holter.analysed_s == pytest.approx(measured.duration_s - 7)
    assert ("noise", "excluded") in [(event.kind, event.text) for event in found.holter.events]


def test_inserted_beats_end_a_pause():
    at_s = np.delete(np.arange(1, 300) * 0.8, [100, 101, 102])
    measured = day("N" * len(at_s), at_s=at_s)
    assert codes(conclude(measured)) == ["20", "26b"]
    inserted = [Edit(action="insert_beats", at_s=[80.8, 81.6, 82.4], label="N")]
    assert codes(conclude(measured, edits=inserted)) == ["20"]


def test_left_out_fibrillation_is_not_told():
    measured = day("N" * 500, rhythms=[Stretch(20_000, 30_000, (), "vf")])
    assert "vf" in kinds(conclude(measured))
    assert conclude(measured).grade == "critical"
    after = conclude(measured, edits=[Edit(action="exclude", start_s=80.0, end_s=120.0)])
    assert "vf" not in kinds(after)
    assert after.grade == "normal"


def test_diary_noise_and_lead_off_stand_among_the_events():
    measured = day(
        "N" * 500,
        marks=[Annotation("胸闷", 33.0)],
        unreadable=[Stretch(0, 2500, (), "muscle")],
        lead_noise=[Stretch(5000, 9000, ("V5",), "lead_off")],
    )
    found = [(e.kind, e.start_s, e.text, e.leads) for e in conclude(measured).holter.events if e.kind != "longest_rr"]
    assert ("diary", 33.0, "胸闷", []) in found
    assert ("noise", 0.0, "muscle", []) in found
    assert ("lead_off", 20.0, "lead_off", ["V5"]) in found


def test_quality_of_the_day_and_of_its_leads():
    n = 500 * 250
    measured = day(
        "N" * 500,
        unreadable=[Stretch(0, round(0.2 * n), (), "muscle")],
        lead_noise=[Stretch(round(0.3 * n), round(0.8 * n), ("V5",), "lead_off")],
    )
    quality = conclude(measured).quality
    assert quality.verdict == "limited"
    assert quality.advice_zh
    assert [(lead.lead, lead.verdict, lead.reasons) for lead in quality.leads] == [
        ("II", "noisy", ["muscle"]),
        ("V5", "off", ["lead_off", "muscle"]),
    ]
    assert conclude(day("N" * 500, unreadable=[Stretch(0, round(0.6 * n))])).quality.verdict == "repeat"


def test_too_many_events_lose_singles_first_and_say_so():
    n = 3 * (MAX_EVENTS + 500)
    found = conclude(day("NNNNV" * (n // 3) + "NVVN", rr_s=0.7))
    assert len(found.holter.events) == MAX_EVENTS
    assert "v_couplet" in kinds(found)
    assert found.holter.ventricular.beats == n // 3 + 2
    assert any("single premature beats" in warning for warning in found.warnings)


def test_day_and_night_by_the_clock():
    measured = replace(day("N" * 43_200, rr_s=1.0), started_at=datetime(2026, 1, 1, 18, 0, tzinfo=UTC))
    found = conclude(measured).holter
    assert found.rate_day_bpm == found.rate_night_bpm == 60.0
    assert conclude(replace(measured, started_at=None)).holter.rate_night_bpm is None


def test_edits_of_a_stored_day_give_what_edits_of_the_day_give():
    measured, edits = busy_day(), [Edit(action="relabel_beats", start_s=100.0, end_s=200.0, label="V")]
    assert conclude(from_bytes(to_bytes(measured)), edits=edits) == conclude(measured, edits=edits)


def test_errors_are_said():
    with pytest.raises(EditError, match="edit 0"):
        conclude(busy_day(), edits=[Edit(action="delete_beats", at_s=[9e6])])
    with pytest.raises(RuleSetError, match="for a holter recording"):
        conclude(busy_day(), rule_set="nowhere")


def test_nothing_is_called_normal_where_nothing_was_seen():
    found = conclude(day("", duration_s=3600))
    assert codes(found) == ["4"]
    assert found.grade == "abnormal"


def test_a_day_is_concluded_in_less_than_a_second():
    rng = np.random.default_rng(2)
    n = 100_000
    measured = day(
        "".join(rng.choice(list("NNNNNNNNNNNNVS"), n)), at_s=np.cumsum(rng.normal(0.86, 0.05, n)),
        leads=("II", "V1", "V5"), minutes=minutes(3, 86_400.0), template=rng.integers(0, 9, n),
    )  # fmt: skip
    conclude(measured)
    took = []
    for _ in range(3):
        began = time.process_time()
        conclude(measured, edits=[Edit(action="relabel_template", template=3, label="N")])
        took.append(time.process_time() - began)
    assert min(took) < 1.0


def fibrillating_day():
    rng = np.random.default_rng(8)
    spread = rng.uniform(0.45, 1.1, 600)
    rr_s = np.concatenate([np.full(600, 0.8), spread, np.full(600, 0.8)])
    return day("N" * 1800, at_s=np.cumsum(rr_s), p_wave=0.2)


def test_a_physician_says_that_it_never_fibrillated():
    measured = fibrillating_day()
    assert codes(conclude(measured)) == ["20", "50e"]
    (af,) = [event for event in conclude(measured).holter.events if event.kind == "af"]
    whole = Edit(action="rhythm", rhythm="sinus", start_s=0.0, end_s=measured.duration_s)
    assert codes(conclude(measured, edits=[whole])) == ["20"]
    half = Edit(action="rhythm", rhythm="sinus", start_s=0.0, end_s=(af.start_s + af.end_s) / 2)
    (left,) = [event for event in conclude(measured, edits=[half]).holter.events if event.kind == "af"]
    assert left.end_s == af.end_s
    assert left.start_s == pytest.approx((af.start_s + af.end_s) / 2, abs=1.2)


def test_a_physician_says_that_it_fluttered():
    measured = day("N" * 1800, rr_s=0.6)
    edits = [Edit(action="rhythm", rhythm="flutter", start_s=100.0, end_s=400.0)]
    found = conclude(measured, edits=edits)
    assert codes(found) == ["20", "51a"]
    assert found.holter.af.share == pytest.approx(300 / measured.duration_s, rel=0.02)
    assert codes(conclude(measured, edits=[*edits, Edit(action="undo", undoes=0)])) == ["20"]


def test_flutter_of_a_fixed_rate_alone_is_possible_until_a_physician_says_so():
    measured = day("N" * 1800, rr_s=0.4, flutter=[Stretch(0, 75_000, (), "two_to_one")])
    ruled = [Edit(action="rhythm", rhythm="flutter", start_s=10.0, end_s=200.0)]
    for edits, certainty, text in (([], "possible", "two_to_one"), (ruled, "probable", "")):
        found = conclude(measured, edits=edits)
        (said,) = [one for one in found.statements if one.code in ("51", "51a")]
        (event,) = [one for one in found.holter.events if one.kind == "flutter"]
        assert (said.certainty, event.text) == (certainty, text)


def test_a_physician_says_that_the_ventricles_beat():
    measured = day("N" * 500, rhythms=[Stretch(20_000, 30_000, (), "vf")])
    after = conclude(measured, edits=[Edit(action="rhythm", rhythm="sinus", start_s=79.0, end_s=121.0)])
    assert codes(after) == ["20"]
    assert after.holter.beats == {"N": 500}


def test_a_run_of_beats_of_little_confidence_is_possible_until_a_physician_names_them():
    measured = day("N" * 300 + "VVVV" + "N" * 300, rr_s=0.5)
    run = conclude(measured)
    assert [(s.code, s.certainty) for s in run.statements if s.code == "71"] == [("71", "possible")]
    assert run.grade == "abnormal"
    named = [Edit(action="relabel_beats", start_s=150.4, end_s=152.1, label="V")]
    after = conclude(measured, edits=named)
    assert [(s.code, s.certainty) for s in after.statements if s.code == "71"] == [("71", "probable")]
    assert after.grade == "major"


def test_the_file_s_sex_gives_the_limit_of_qtc_where_the_order_gives_none():
    """A QTc of 455 ms is long in a man and not in a woman."""
    phase = np.arange(0, 400, 1 / 250) % 1.0
    uv = 900 * np.exp(-(((phase - 0.3) / 0.012) ** 2)) + 250 * np.exp(-(((phase - T_AT_S) / 0.045) ** 2))
    uv += np.random.default_rng(2).normal(scale=3, size=uv.size)
    long = {}
    for sex in ("M", "F"):
        recording = Recording(
            "", "holter", ("II",), uv[None].astype(np.int16), np.ones(1), np.zeros(1), 250.0,
            identity=RecordingIdentity(sex=sex),
        )  # fmt: skip
        findings, _ = analyse(recording)
        assert 450 < findings.holter.qt.qtc_mean_ms < 460
        long[sex] = "148" in codes(findings)
        by_order, _ = analyse(recording, Patient(sex="M"))
        assert "148" in codes(by_order)
    assert long == {"M": True, "F": False}
