import pytest

from ecg_center.contract.findings import Evidence, Findings, Measurements, Quality, Statement
from worker.critical import RuleSetError, evaluate, load, parse, rule_sets


def findings(*codes, quality="usable", evidence=None, certainty="definite", **measured):
    return Findings(
        engine="test",
        engine_version="0",
        kind="resting",
        duration_s=10,
        sampling_hz=500,
        leads=["I"],
        quality=Quality(verdict=quality),
        measurements=Measurements(**measured),
        statements=[
            Statement(
                code=code,
                certainty=certainty,
                evidence=[Evidence(quantity=name, value=value) for name, value in (evidence or {}).items()],
            )
            for code in codes
        ],
        grade="normal",
    )


def fired(found, rule_set="national_2017"):
    critical, grade = evaluate(found, load(rule_set))
    return [value.rule for value in critical], grade


VT = {"run_rate_bpm": 150, "run_s": 30}
BOTH_SIDES = [
    # rule, fires, does not
    ("acute_myocardial_infarction", findings("20", "160.330", certainty="possible"), findings("20", "160.332")),
    ("acute_ischaemia", findings("220"), findings("226")),
    ("ventricular_fibrillation", findings("74"), findings("70")),
    ("ventricular_fibrillation", findings("74a"), findings("64")),
    ("ventricular_tachycardia", findings("70", evidence=VT), findings("70", evidence=VT | {"run_rate_bpm": 149})),
    ("ventricular_tachycardia", findings("70", evidence=VT), findings("70", evidence=VT | {"run_s": 29.9})),
    (
        "ventricular_tachycardia",
        findings("70", evidence={"run_rate_bpm": 180, "run_s": 9.7, "run_share": 0.97}),
        findings("70", evidence={"run_rate_bpm": 180, "run_s": 5, "run_share": 0.5}),
    ),
    ("polymorphic_ventricular_tachycardia", findings("73"), findings("71")),
    ("supraventricular_tachycardia", findings("55", heart_rate_bpm=200), findings("55", heart_rate_bpm=199)),
    ("supraventricular_tachycardia", findings("50", heart_rate_bpm=200), findings("70", heart_rate_bpm=200)),
    (
        "preexcited_atrial_fibrillation",
        findings("50d", evidence={"rr_min_ms": 250}),
        findings("50d", evidence={"rr_min_ms": 251}),
    ),
    ("bradycardia", findings("88", heart_rate_bpm=35), findings("88", heart_rate_bpm=35.1)),
    ("long_rr", findings("26", rr_max_ms=5000), findings("26", rr_max_ms=4999)),
    ("long_rr", findings("26a"), findings("26")),
    ("qtc_long", findings("148", qtc_ms=550), findings("148", qtc_ms=549)),
    ("qtc_long", findings("148", qtc_ms=550), findings("148", qtc_ms=550, certainty="possible")),
    ("qtc_long", findings("104", qtc_ms=550, qrs_ms=120), findings("104", qtc_ms=550, qrs_ms=119)),
    ("hyperkalaemia", findings("208", certainty="probable"), findings("208", certainty="possible")),
    ("hypokalaemia", findings("211"), findings("211", certainty="possible")),
    ("pulmonary_embolism", findings("201", certainty="possible"), findings("143")),
    ("t_wave_alternans", findings("147f"), findings("147b")),
    ("r_on_t", findings("60g"), findings("60")),
]


@pytest.mark.parametrize(("rule", "yes", "no"), BOTH_SIDES, ids=[f"{n}-{row[0]}" for n, row in enumerate(BOTH_SIDES)])
def test_each_rule_fires_on_its_side_of_the_limit_and_not_on_the_other(rule, yes, no):
    assert rule in fired(yes)[0]
    assert fired(yes)[1] == "critical"
    assert rule not in fired(no)[0]


def test_every_critical_rule_of_the_default_list_has_its_two_sides_here():
    assert {rule.name for rule in load().rules if rule.grade == "critical"} == {row[0] for row in BOTH_SIDES}


@pytest.mark.parametrize(
    ("found", "regional", "national"),
    [
        (findings("26", rr_max_ms=3000), "long_rr", False),
        (findings("55", heart_rate_bpm=180), "supraventricular_tachycardia", False),
        (findings("50", heart_rate_bpm=180), "supraventricular_tachycardia", False),
        (findings("88", heart_rate_bpm=34.9), "bradycardia", True),
    ],
)
def test_the_regional_list_is_stricter(found, regional, national):
    assert regional in fired(found, "regional_strict")[0]
    assert (regional in fired(found)[0]) is national
    assert "bradycardia" not in fired(findings("88", heart_rate_bpm=35), "regional_strict")[0]


@pytest.mark.parametrize(
    ("found", "grade"),
    [
        (findings("20", "1"), "normal"),
        (findings("20", "23"), "normal"),
        (findings("20", "147e"), "abnormal"),
        (findings("50", heart_rate_bpm=80), "abnormal"),
        (findings("26", rr_max_ms=3000), "major"),
        (findings("22", heart_rate_bpm=40), "major"),
        (findings("22", heart_rate_bpm=41), "normal"),
        (findings("21", heart_rate_bpm=150), "major"),
        (findings("88", heart_rate_bpm=45), "major"),
        (findings("71"), "major"),
        (findings("71", certainty="possible"), "abnormal"),
        (findings("148", qtc_ms=500), "major"),
        (findings("202"), "major"),
        (findings("20", quality="repeat"), "abnormal"),
        (findings(), "abnormal"),
    ],
)
def test_grades_below_critical(found, grade):
    assert fired(found) == ([], grade)


def test_fired_rules_carry_value_threshold_and_source():
    critical, _ = evaluate(findings("22", heart_rate_bpm=30), load())
    assert critical[0].rule_set == "national_2017@3"
    (evidence,) = critical[0].evidence
    assert (evidence.quantity, evidence.value, evidence.threshold, evidence.unit) == ("heart_rate_bpm", 30, 35, "/min")
    assert "2017" in evidence.source


def test_every_list_loads_and_has_both_titles():
    assert set(rule_sets()) >= {"national_2017", "regional_strict"}
    for name in rule_sets():
        for rule in load(name).rules:
            assert rule.title_zh
            assert rule.title_en


HEAD = 'id="x"\nversion="1"\ntitle_zh="x"\ntitle_en="x"\nsource="x"\n'
RULE = '[[rule]]\nname="r"\ngrade="critical"\ntitle_zh="x"\ntitle_en="x"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "rule set"),
        (HEAD, "rule"),
        (HEAD + RULE + "when=[]", "no condition"),
        (HEAD + RULE.replace("critical", "huge") + 'when=[[{statement=["74"]}]]', "huge"),
        (HEAD + RULE + 'when=[[{statement=["999"]}]]', "999"),
        (HEAD + RULE + 'when=[[{quantity="qtc_ms"}]]', "limit"),
        (HEAD + RULE + 'when=[[{quantity="nonsense_ms", at_least=1}]]', "nonsense_ms"),
        (HEAD + RULE + 'when=[[{statment=["74"]}]]', "statment"),
        (HEAD + RULE + 'when=[[{statement=["74"], certainty="sure"}]]', "sure"),
        (HEAD + 2 * (RULE + 'when=[[{statement=["74"]}]]\n'), "one name"),
    ],
)
def test_wrong_lists_are_refused_with_the_word_that_is_wrong(text, words):
    with pytest.raises(RuleSetError, match=words):
        parse(text)


def test_an_unknown_list_names_those_that_exist():
    with pytest.raises(RuleSetError, match="national_2017"):
        load("../../etc/passwd")
