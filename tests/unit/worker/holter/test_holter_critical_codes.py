"""Every code that a Holter list of critical values refers to is said of a day: no rule waits for nothing."""

from functools import cache

import pytest
from support.holter_examples import EXAMPLES, heart, narrow, p_waves, racing, recording, slow, still, within

from ecg_center.contract.findings import Findings
from ecg_center.domain.statements import contradicts
from worker.critical import evaluate, load, rule_sets
from worker.holter.analysis import analyse

ASKED = {
    name: {
        code
        for rule in load(name, "holter").rules
        for way in rule.when
        for condition in way
        for code in condition.statements
    }
    for name in rule_sets("holter")
}


@cache
def found(code: str) -> Findings:
    return analyse(EXAMPLES[code]())[0]


def codes(findings: Findings) -> set[str]:
    return {statement.code for statement in findings.statements}


@pytest.mark.parametrize("name", ASKED)
def test_every_code_has_its_example(name: str) -> None:
    assert ASKED[name] == EXAMPLES.keys()


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_engine_says_it(code: str) -> None:
    assert code in codes(found(code))
    assert not contradicts(codes(found(code)))


@pytest.mark.parametrize("name", ASKED)
def test_every_rule_fires_on_one_of_them(name: str) -> None:
    slowest = analyse(slow(33))[0]
    days = [*(found(code) for code in EXAMPLES), slowest]
    rules = load(name, "holter")
    critical = {value.rule for findings in days for value in evaluate(findings, rules)[0]}
    assert {rule.name for rule in rules.rules if rule.grade == "critical"} == critical
    for rule in rules.rules:
        alone = [rule] if rule.grade == "major" else []
        only = type(rules)(rules.id, rules.version, rules.title_zh, rules.title_en, rules.source, tuple(alone))
        assert not alone or any(evaluate(findings, only)[1] == "major" for findings in days), rule.name


@pytest.mark.parametrize(("bpm", "code"), [(170, "70"), (240, "70"), (300, "74c")])
def test_a_tachycardia_without_a_line_between_its_waves_is_counted_in_full(bpm: int, code: str) -> None:
    findings = analyse(within(racing(bpm, 40)))[0]
    assert code in codes(findings)
    assert findings.grade == "critical"
    if code == "70":
        (run,) = [event for event in findings.holter.events if event.kind == "vt"]
        assert run.rate_bpm == pytest.approx(bpm, rel=0.05)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_short_run_is_not_halved(seed: int) -> None:
    findings = analyse(within(heart("ventricular-tachycardia", 5, seed=seed)))[0]
    assert "71" in codes(findings)
    assert "64" not in codes(findings)


@pytest.mark.parametrize("step_s", [0.5, 0.7, 0.9])
def test_p_waves_to_the_end_of_a_day_are_standstill_and_no_beats(step_s: float) -> None:
    sinus = heart(seconds=240)
    findings = analyse(recording(sinus, p_waves(90, step_s, seed=2)))[0]
    assert "pauses" in {value.rule for value in findings.critical}
    (event,) = [event for event in findings.holter.events if event.kind == "asystole"]
    assert event.text == "p_alone"
    assert event.end_s - event.start_s > 80
    assert max(findings.holter.beats, key=findings.holter.beats.__getitem__) == "N"
    assert "60a" not in codes(findings)


def test_nothing_but_p_waves_or_nothing_at_all_is_no_sinus_rhythm() -> None:
    for day in (recording(p_waves(120)), recording(still(120))):
        findings = analyse(day)[0]
        assert "26c" in codes(findings)
        assert not codes(findings) & {"20", "21", "22"}
        assert findings.grade == "critical"


@pytest.mark.parametrize("name", ["sinus", "sinus-tachycardia", "lbbb", "atrial-fibrillation"])
def test_none_of_it_is_said_of_other_days(name: str) -> None:
    findings = analyse(recording(heart(name, 240)))[0]
    assert not codes(findings) & {"26c", "70", "71", "72", "73", "73a", "74b", "74c", "76"}


def test_narrow_beats_are_no_broad_tachycardia() -> None:
    assert "76" not in codes(analyse(recording(narrow(170, 120)))[0])
