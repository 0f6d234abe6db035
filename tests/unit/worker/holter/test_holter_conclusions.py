"""What is said of a day, and which of it cannot wait."""

import itertools

import pytest

from ecg_center.contract.findings import Findings, Measurements, Quality
from ecg_center.contract.holter import (
    AfBurden,
    BeatTemplate,
    Ectopy,
    Event,
    HolterFindings,
    HrvWindow,
    QtTrend,
    RateAt,
)
from ecg_center.domain.statements import TERMS, contradicts, in_report_order
from worker.critical import evaluate, load, rule_sets
from worker.holter.conclusions import conclusions

DAY_S = 86_400.0


def holter(events=(), **fields):
    usual = {
        "analysed_s": DAY_S,
        "analysed_share": 1.0,
        "beats": {"N": 100_000},
        "rate_mean_bpm": 72.0,
        "rate_min": RateAt(bpm=48.0, at_s=10_000.0),
        "rate_max": RateAt(bpm=131.0, at_s=40_000.0),
    }
    return HolterFindings(**usual | fields, events=list(events))


def event(kind, start_s=1000.0, lasts_s=5.0, **fields):
    return Event(kind=kind, start_s=start_s, end_s=start_s + lasts_s, **fields)


def codes(found, **fields):
    return [statement.code for statement in conclusions(found, **fields)]


def of(found, code):
    (statement,) = [statement for statement in conclusions(found) if statement.code == code]
    return {item.quantity: item.value for item in reversed(statement.evidence) if item.quantity}


def grade(found, rule_set="national_2017"):
    findings = Findings(
        engine="holter",
        engine_version="0",
        kind="holter",
        duration_s=DAY_S,
        sampling_hz=250,
        leads=["II"],
        quality=Quality(verdict="usable"),
        measurements=Measurements(heart_rate_bpm=found.rate_mean_bpm),
        statements=conclusions(found),
        grade="normal",
        holter=found,
    )
    critical, result = evaluate(findings, load(rule_set, "holter"))
    return [value.rule for value in critical], result


def vpb(count, **fields):
    return holter(
        beats={"N": 100_000 - count, "V": count}, ventricular=Ectopy(beats=count, share=count / 1e5, **fields)
    )


def test_a_normal_day_is_sinus_rhythm_with_its_rates():
    assert codes(holter()) == ["20"]
    assert of(holter(), "20") == {"heart_rate_bpm": 72.0, "rate_min_bpm": 48.0, "rate_max_bpm": 131.0}
    assert grade(holter()) == ([], "normal")


@pytest.mark.parametrize(("bpm", "code"), [(101, "21"), (100, "20"), (60, "20"), (59, "22")])
def test_sinus_by_its_mean_rate(bpm, code):
    assert codes(holter(rate_mean_bpm=float(bpm))) == [code]


@pytest.mark.parametrize(("count", "code"), [(1, "60h"), (719, "60h"), (720, "60a")])
def test_thirty_ventricular_beats_an_hour_are_frequent(count, code):
    assert codes(vpb(count)) == ["20", code]
    assert of(vpb(count), code)["beats"] == count


def test_thirty_an_hour_is_of_the_time_that_was_read():
    assert "60a" in codes(vpb(400).model_copy(update={"analysed_s": DAY_S / 2}))


def test_patterns_of_ventricular_beats_are_said_with_their_number():
    found = vpb(900)
    found.events.extend(
        [event("v_couplet"), event("v_couplet", 2000.0), event("v_bigeminy"), event("v_trigeminy"), event("r_on_t")]
    )
    assert codes(found) == ["20", "60a", "60b", "60c", "60d", "60g"]
    assert of(found, "60d")["episodes"] == 2


def test_tachycardia_by_its_length():
    found = vpb(400)
    found.events.extend([event("vt", 5000.0, 40.0, beats=100, rate_bpm=160.0), event("vt", 9.0, 3.0, rate_bpm=180.0)])
    assert codes(found) == ["20", "60h", "70", "71"]
    assert of(found, "70") == {"episodes": 1, "run_rate_bpm": 160.0, "run_s": 40.0, "run_beats": 100}


def test_slow_ventricular_runs_are_no_tachycardia():
    found = vpb(30)
    found.events.extend([event("idioventricular", rate_bpm=70.0), event("idioventricular", 2000.0, rate_bpm=35.0)])
    assert codes(found) == ["20", "60h", "63", "64"]


def test_runs_that_may_be_noise_are_possible_and_do_not_press():
    found = vpb(7)
    found.events.extend([event("vt", 900.0, rate_bpm=140.0), event("r_on_t", 950.0), event("v_couplet", 960.0)])
    doubtful = {("vt", 900.0), ("r_on_t", 950.0), ("v_couplet", 960.0)}
    assert codes(found) == ["20", "60d", "60g", "60h", "71"]
    assert codes(found, doubtful=doubtful) == ["20", "60h", "71"]
    assert conclusions(found, doubtful=doubtful)[-1].certainty == "possible"
    found.events.append(event("r_on_t", 5000.0))
    assert codes(found, doubtful=doubtful) == ["20", "60g", "60h", "71"]


def test_two_frequent_shapes_are_multiform():
    shapes = [
        BeatTemplate(id=n, label="V", beats=beats, first_s=0, hz=250, r_index=1) for n, beats in ((1, 90), (2, 60))
    ]
    assert "60e" in codes(vpb(150).model_copy(update={"templates": shapes}))
    assert "60e" not in codes(vpb(1500).model_copy(update={"templates": shapes}))


def test_supraventricular_beats_and_runs():
    found = holter(beats={"N": 99_000, "S": 1000}, supraventricular=Ectopy(beats=1000))
    found.events.extend([event("s_couplet"), event("svt", rate_bpm=140.0), event("svt", 9000.0, 60.0, rate_bpm=150.0)])
    assert codes(found) == ["20", "41a", "41b", "55a", "55b"]


def test_paroxysmal_fibrillation_stands_beside_sinus_rhythm_with_its_burden():
    found = holter(
        [event("af", 20_000.0, 8640.0, rate_bpm=118.0)], af=AfBurden(episodes=1, share=0.1, longest_s=8640.0)
    )
    assert codes(found) == ["20", "50e"]
    assert of(found, "50e") | {"run_s": 8640.0, "share": 0.1, "ventricular_rate_bpm": 118.0} == of(found, "50e")


@pytest.mark.parametrize(("bpm", "more"), [(72, []), (115, ["50a"]), (52, ["50b"])])
def test_fibrillation_of_the_whole_day_has_no_sinus_rhythm(bpm, more):
    found = holter([event("af", 0.0, DAY_S)], af=AfBurden(episodes=1, share=1.0), rate_mean_bpm=float(bpm))
    assert codes(found) == ["50", *more]


def test_flutter_has_its_own_words():
    found = holter([event("flutter", 0.0, DAY_S)], af=AfBurden(episodes=1, share=0.99))
    assert codes(found) == ["51"]
    short = holter([event("flutter", 0.0, 400.0)], af=AfBurden(episodes=1, share=0.01))
    assert codes(short) == ["20", "51a"]


def test_pauses_in_fibrillation_are_told_apart():
    af = event("af", 0.0, 20_000.0)
    pauses = [event("pause", 5000.0, 3.4, value=3400.0), event("pause", 50_000.0, 2.4, value=2400.0)]
    found = holter([af, *pauses], af=AfBurden(episodes=1, share=0.23))
    assert codes(found) == ["20", "26b", "50e", "50f"]
    assert of(found, "26b")["rr_max_ms"] == 2400.0
    assert of(found, "50f")["rr_max_ms"] == 3400.0


def test_paced_rhythm():
    assert codes(holter(beats={"P": 90_000, "N": 10_000})) == ["181"]


def test_fibrillation_of_the_ventricles_and_standstill_stand_beside_sinus_rhythm():
    found = holter([event("vf"), event("asystole", 5000.0, 8.0)])
    assert codes(found) == ["20", "26c", "74b"]
    assert grade(found)[1] == "critical"


def test_blocks():
    assert codes(holter([event("dropped_beat", at) for at in (1.0, 50.0)])) == ["20"]
    assert codes(holter([event("dropped_beat", at) for at in (1.0, 50.0, 90.0)])) == ["20", "83a"]
    assert codes(holter([event("av_block_2")])) == ["20", "83a"]
    assert codes(holter([event("av_block_3", rate_bpm=38.0), event("av_block_2")])) == ["20", "88"]
    whole = holter([event("af", 0.0, DAY_S), event("av_block_2")], af=AfBurden(episodes=1, share=1.0))
    assert codes(whole) == ["50"]


def test_st_episodes_with_leads_and_the_largest():
    found = holter(
        [
            event("st_depression", 100.0, 300.0, leads=["V5"], value=-0.15, quantity="st_deviation_mv"),
            event("st_depression", 9000.0, 300.0, leads=["V4"], value=-0.22, quantity="st_deviation_mv"),
            event("st_elevation", 500.0, 300.0, leads=["III"], value=0.12, quantity="st_deviation_mv"),
        ]
    )
    assert codes(found) == ["20", "145e", "145f"]
    depression = next(statement for statement in conclusions(found) if statement.code == "145f")
    assert depression.evidence[0].leads == ["V5", "V4"]
    assert (depression.evidence[1].value, depression.evidence[1].leads) == (-0.22, ["V4"])
    assert grade(found) == ([], "major")


@pytest.mark.parametrize(
    ("mean", "female", "said"), [(455, False, True), (455, True, False), (455, None, False), (461, True, True)]
)
def test_qt_by_the_sex(mean, female, said):
    found = holter(qt=QtTrend(qtc_mean_ms=float(mean), qtc_max_ms=480.0))
    assert ("148" in codes(found, female=female)) is said


def test_a_minute_of_very_long_qt_is_said_whatever_the_mean():
    found = holter([event("long_qt", value=520.0, lasts_s=90.0)], qt=QtTrend(qtc_mean_ms=420.0, qtc_max_ms=520.0))
    assert codes(found) == ["20", "148"]
    assert grade(found) == ([], "major")


@pytest.mark.parametrize(("microvolts", "code"), [(50, "147g"), (99, "147g"), (100, "147f")])
def test_alternans_that_can_be_seen_and_that_cannot(microvolts, code):
    assert codes(holter([event("t_alternans", value=float(microvolts))])) == ["20", code]


@pytest.mark.parametrize(("sdnn", "code"), [(49.9, "40d"), (50.0, "40c"), (99.9, "40c"), (100.0, None)])
def test_variability_of_a_whole_day(sdnn, code):
    window = HrvWindow(name="whole", start_s=0, end_s=DAY_S, nn_share=0.95, metrics={"sdnn_ms": sdnn})
    assert codes(holter(hrv=[window])) == ["20", *([code] if code else [])]
    assert codes(holter(hrv=[window.model_copy(update={"end_s": 36_000.0})])) == ["20"]
    assert codes(holter(hrv=[window.model_copy(update={"nn_share": 0.7})])) == ["20"]


def test_what_could_not_be_read_is_said():
    assert codes(holter(analysed_share=0.6)) == ["20", "15"]
    assert codes(holter(beats={})) == ["4"]


def test_statements_stand_in_the_order_of_the_report_and_never_contradict():
    kinds = [
        event("af", 0.0, 9000.0), event("flutter", 9000.0, 90.0), event("pause", 5.0, 4.0, value=4000.0),
        event("pause", 50_000.0, 4.0, value=4000.0), event("vf"), event("asystole"), event("vt"), event("svt"),
        event("dropped_beat"), event("av_block_3"), event("st_elevation", leads=["V1"], value=0.2),
        event("t_alternans", value=150.0), event("long_qt", value=560.0), event("r_on_t"),
    ]  # fmt: skip
    for chosen, share in itertools.product(itertools.combinations(kinds, 5), (0.0, 0.2, 1.0)):
        found = holter(
            chosen,
            af=AfBurden(episodes=1, share=share if any(e.kind in ("af", "flutter") for e in chosen) else 0.0),
            qt=QtTrend(qtc_mean_ms=430.0, qtc_max_ms=560.0),
            ventricular=Ectopy(beats=10),
            supraventricular=Ectopy(beats=5000),
        )
        said = codes(found)
        assert said == in_report_order(said)
        assert contradicts(said) == []


def pause(ms, at=1000.0):
    return event("pause", at, ms / 1000, value=float(ms))


AF_ALL = {"af": AfBurden(episodes=1, share=1.0)}
LONG_QT = QtTrend(qtc_mean_ms=430.0, qtc_max_ms=550.0)
VT = event("vt", 0.0, 30.0, beats=80, rate_bpm=150.0)
BOTH_SIDES = [
    ("ventricular_fibrillation", holter([event("vf")]), holter([VT])),
    ("ventricular_tachycardia", holter([VT]), holter([VT.model_copy(update={"rate_bpm": 149.0})])),
    ("ventricular_tachycardia", holter([VT]), holter([VT.model_copy(update={"end_s": 29.9})])),
    (
        "supraventricular_tachycardia",
        holter([event("svt", 0.0, 30.0, rate_bpm=200.0)]),
        holter([event("svt", 0.0, 29.0, rate_bpm=220.0)]),
    ),
    (
        "supraventricular_tachycardia",
        holter([event("af", 0.0, 600.0, rate_bpm=200.0)], af=AfBurden(episodes=1, share=0.1)),
        holter([event("af", 0.0, 600.0, rate_bpm=199.0)], af=AfBurden(episodes=1, share=0.1)),
    ),
    ("bradycardia", holter(rate_mean_bpm=35.0), holter(rate_mean_bpm=35.1)),
    ("bradycardia", holter([event("av_block_3", rate_bpm=35.0)]), holter([event("av_block_3", rate_bpm=36.0)])),
    (
        "af_long_rr",
        holter([event("af", 0.0, DAY_S), pause(5000)], **AF_ALL),
        holter([event("af", 0.0, DAY_S), pause(4990)], **AF_ALL),
    ),
    (
        "pauses",
        holter([pause(3000, 1.0), pause(3100, 9.0), pause(3200, 20.0)]),
        holter([pause(3000), pause(3900, 9.0)]),
    ),
    ("pauses", holter([pause(4000)]), holter([pause(3990)])),
    ("pauses", holter([event("asystole")]), holter([pause(2500)])),
    ("qtc_long_with_vt", holter([event("vt"), event("long_qt", value=550.0)], qt=LONG_QT), holter(qt=LONG_QT)),
    ("t_wave_alternans", holter([event("t_alternans", value=100.0)]), holter([event("t_alternans", value=90.0)])),
]
NEVER_SAID_BY_THE_ENGINE = {"polymorphic_ventricular_tachycardia"}


@pytest.mark.parametrize(("rule", "yes", "no"), BOTH_SIDES, ids=[f"{n}-{row[0]}" for n, row in enumerate(BOTH_SIDES)])
def test_each_critical_rule_fires_on_its_side_of_the_limit(rule, yes, no):
    assert rule in grade(yes)[0]
    assert grade(yes)[1] == "critical"
    assert rule not in grade(no)[0]


def test_every_critical_rule_has_its_two_sides_here():
    names = {rule.name for rule in load("national_2017", "holter").rules if rule.grade == "critical"}
    assert names == {row[0] for row in BOTH_SIDES} | NEVER_SAID_BY_THE_ENGINE


def test_a_pause_in_fibrillation_is_judged_by_its_own_rule():
    found = holter([event("af", 0.0, DAY_S), *(pause(3500, at) for at in (10.0, 20.0, 30.0))], **AF_ALL)
    assert grade(found) == ([], "major")


def test_the_regional_list_is_stricter():
    assert grade(holter([pause(3000)]), "regional_strict")[0] == ["pauses"]
    assert grade(holter([pause(3000)])) == ([], "major")
    fast = holter([event("svt", 0.0, 30.0, rate_bpm=180.0)])
    assert grade(fast, "regional_strict")[0] == ["supraventricular_tachycardia"]
    assert grade(fast) == ([], "major")


def test_single_r_on_t_of_a_day_is_major_only():
    found = vpb(100)
    found.events.append(event("r_on_t"))
    assert grade(found) == ([], "major")


def test_every_list_for_strips_has_one_for_days():
    assert rule_sets("holter") == rule_sets("resting")
    for name in rule_sets("holter"):
        for rule in load(name, "holter").rules:
            for alternative in rule.when:
                assert all(code in TERMS for condition in alternative for code in condition.statements)


@pytest.mark.parametrize(("fused", "said"), [(9, False), (10, True)])
def test_fusions_are_said_from_ten_on(fused: int, said: bool) -> None:
    found = vpb(150)
    found.beats["F"] = fused
    assert ("61" in codes(found)) is said
