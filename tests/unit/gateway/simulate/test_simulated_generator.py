"""The generator's truths: identities of the leads, rates, intervals, determinism."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulate import generator, leads, patients
from gateway.simulate.generator import generate
from gateway.simulate.pathologies import SCENARIOS, Pathology

ALL = list(Pathology)
BEATING = [p for p in ALL if p is not Pathology.VENTRICULAR_FIBRILLATION]


def test_the_docs_examples_hold():
    for module in (generator, patients):
        assert doctest.testmod(module).failed == 0


def test_the_matrix_is_the_one_of_edenbrandt_and_pahlm():
    """Its pseudo-inverse must be the inverse Dower matrix as published (rows X, Y, Z; columns V1..V6, I, II)."""
    published = np.array(
        [
            [-0.172, -0.074, 0.122, 0.231, 0.239, 0.194, 0.156, -0.010],
            [0.057, -0.019, -0.106, -0.022, 0.041, 0.048, -0.227, 0.887],
            [-0.229, -0.310, -0.246, -0.063, 0.055, 0.108, 0.022, 0.102],
        ]
    )
    chest_first = np.vstack([leads.DOWER[2:], leads.DOWER[:2]])
    assert np.allclose(np.linalg.pinv(chest_first), published, atol=0.0015)


def test_every_pathology_has_a_row_and_titles():
    assert list(SCENARIOS) == ALL
    for row in SCENARIOS.values():
        assert row.title_zh
        assert row.title_en
        assert set(patients.SHORT_NAMES) == set(ALL)


@settings(max_examples=60, deadline=None)
@given(
    pathology=st.sampled_from(ALL),
    seed=st.integers(0, 2**31),
    hz=st.sampled_from([250, 500, 1000]),
    sex=st.sampled_from(["M", "F"]),
    age=st.integers(16, 100),
    noise=st.sampled_from([0.0, 1.0, 3.0]),
)
def test_limb_leads_obey_einthoven_and_goldberger_exactly(pathology, seed, hz, sex, age, noise):
    ecg = generate(pathology, seed=seed, sampling_hz=hz, sex=sex, age_years=age, noise_factor=noise)
    i, ii = ecg.lead("I"), ecg.lead("II")
    assert ecg.samples_uv.shape == (12, 10 * hz)
    assert np.array_equal(ecg.lead("III"), ii - i)
    assert np.array_equal(2 * ecg.lead("aVR"), -(i + ii))
    assert np.array_equal(2 * ecg.lead("aVL"), 2 * i - ii)
    assert np.array_equal(2 * ecg.lead("aVF"), 2 * ii - i)
    assert np.abs(ecg.samples_uv).max() <= 32_767


@settings(max_examples=40, deadline=None)
@given(pathology=st.sampled_from(BEATING), seed=st.integers(0, 2**31), share=st.floats(0, 1))
def test_the_rate_is_as_asked(pathology, seed, share):
    row = SCENARIOS[pathology]
    low, high = row.possible_bpm
    asked = low + share * (high - low)
    seconds = 60.0 if asked > 45 else 120.0
    ecg = generate(pathology, seed=seed, rate_bpm=asked, duration_s=seconds, noise_factor=0)
    if pathology in {Pathology.PAUSE_3S, Pathology.PAUSE_5S}:
        rate = 60_000 / float(np.median(np.diff(ecg.truth.beats_s)) * 1000)
    else:
        rate = ecg.truth.rate_bpm
    assert rate == pytest.approx(asked, rel=0.10 if pathology is Pathology.ATRIAL_FIBRILLATION else 0.03)


@pytest.mark.parametrize("pathology", ALL)
def test_the_same_seed_gives_the_same_samples_and_another_seed_others(pathology):
    one, again, other = (generate(pathology, seed=seed) for seed in (11, 11, 12))
    assert np.array_equal(one.samples_uv, again.samples_uv)
    assert one.truth == again.truth
    assert not np.array_equal(one.samples_uv, other.samples_uv)


@pytest.mark.parametrize("seed", range(12))
def test_the_true_r_peaks_are_where_the_signal_peaks(seed):
    ecg = generate("sinus", seed=seed, noise_factor=0)
    size = np.linalg.norm(ecg.samples_uv.astype(float), axis=0)
    for beat in ecg.truth.beats_s:
        at = round(beat * ecg.sampling_hz)
        if 50 < at < size.size - 50:
            window = size[at - 50 : at + 50]
            assert abs(int(window.argmax()) - 50) <= 10, "within 20 ms"


@pytest.mark.parametrize("seed", range(12))
def test_r_grows_and_s_shrinks_over_the_chest_leads(seed):
    """V1 is mostly negative, V5 mostly positive, the transition lies between V2 and V5."""
    ecg = generate("sinus", seed=seed, noise_factor=0)
    ratio = [ecg.lead(f"V{n}").max() / -min(-1, int(ecg.lead(f"V{n}").min())) for n in range(1, 7)]
    assert ratio[0] < 1 < ratio[4]
    assert ratio[5] > 1
    assert 2 <= next(n for n, r in enumerate(ratio, 1) if r > 1) <= 5


@pytest.mark.parametrize("seed", range(20))
def test_anterior_infarction_meets_the_critical_limits_and_mirrors_below(seed):
    st_mv = generate("stemi-anterior", seed=seed).truth.st_j_mv
    assert st_mv["V3"] > 0.3, "regional lists: more than 0.3 mV in V1 to V3"
    assert st_mv["V4"] >= 0.1
    assert st_mv["V5"] >= 0.1
    assert st_mv["III"] < -0.05


@pytest.mark.parametrize("seed", range(20))
def test_inferior_infarction_meets_the_critical_limits_and_mirrors_above(seed):
    st_mv = generate("stemi-inferior", seed=seed).truth.st_j_mv
    assert min(st_mv["II"], st_mv["III"], st_mv["aVF"]) >= 0.1
    assert st_mv["III"] > st_mv["II"]
    assert st_mv["aVL"] <= -0.1


@pytest.mark.parametrize("seed", range(20))
def test_each_name_keeps_its_promise(seed):
    truth = {p: generate(p, seed=seed).truth for p in ALL}
    assert truth[Pathology.PAUSE_3S].rr_max_ms >= 3000
    assert truth[Pathology.PAUSE_3S].rr_max_ms < 5000
    assert truth[Pathology.PAUSE_5S].rr_max_ms >= 5000
    assert truth[Pathology.LONG_QT].qtc_ms >= 550
    assert truth[Pathology.AV_BLOCK_FIRST].pr_ms > 200
    assert truth[Pathology.AV_BLOCK_THIRD].rate_bpm <= 35
    assert truth[Pathology.AV_BLOCK_THIRD].atrial_rate_bpm > 70
    assert truth[Pathology.AV_BLOCK_THIRD].pr_ms is None
    assert truth[Pathology.VENTRICULAR_TACHYCARDIA].rate_bpm >= 150
    assert truth[Pathology.VENTRICULAR_TACHYCARDIA].qrs_ms >= 140
    assert truth[Pathology.LBBB].qrs_ms >= 120
    assert truth[Pathology.RBBB].qrs_ms >= 120
    assert truth[Pathology.SINUS].qtc_ms < 470
    assert 60 <= truth[Pathology.SINUS].rate_bpm <= 100
    assert truth[Pathology.SINUS_BRADYCARDIA].rate_bpm < 60
    assert truth[Pathology.SINUS_TACHYCARDIA].rate_bpm > 100
    assert truth[Pathology.ATRIAL_FIBRILLATION].p_onsets_s == ()
    assert "ectopic" in truth[Pathology.VENTRICULAR_PREMATURE].beat_shapes
    assert truth[Pathology.VENTRICULAR_FIBRILLATION].rate_bpm is None


def test_atrial_fibrillation_is_irregularly_irregular():
    rr = np.diff(generate("atrial-fibrillation", seed=4, duration_s=120).truth.beats_s)
    assert rr.std() / rr.mean() > 0.15
    assert abs(np.corrcoef(rr[:-1], rr[1:])[0, 1]) < 0.3, "no interval tells the next"


def test_swapped_arms_turn_lead_one_and_exchange_two_with_three():
    right = generate("sinus", seed=6, rate_bpm=70, noise_factor=0)
    wrong = generate("reversal-ra-la", seed=6, rate_bpm=70, noise_factor=0)
    assert right.lead("I").max() > -right.lead("I").min(), "normally upright"
    assert wrong.lead("I").max() < -wrong.lead("I").min(), "upside down"
    assert wrong.lead("aVR").max() > 0
    assert wrong.truth.suspected_reversal == "RA/LA"


def test_a_lost_electrode_is_seen_where_it_is_lost():
    flat = generate("lead-off", seed=2)
    assert not flat.lead("V3").any()
    assert flat.lead("V2").any()
    loose = generate("electrode-off", seed=2)
    assert np.ptp(loose.lead("I")) > 2 * np.ptp(loose.lead("II"))


def test_women_have_smaller_voltages_and_longer_qtc():
    def mean(sex: str, what) -> float:
        return float(np.mean([what(generate("sinus", seed=n, sex=sex, noise_factor=0)) for n in range(30)]))

    assert mean("F", lambda e: e.lead("V5").max()) < mean("M", lambda e: e.lead("V5").max())
    assert mean("F", lambda e: e.truth.qtc_ms) > mean("M", lambda e: e.truth.qtc_ms)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"pathology": "flu"}, "known: sinus"),
        ({"rate_bpm": 300}, "choose 60 to 100"),
        ({"duration_s": 0.5}, "2 to 600 s"),
        ({"sampling_hz": 100}, "choose 250 to 2000"),
        ({"age_years": 3}, "16 to 110"),
        ({"noise_factor": 99}, "0 to 10"),
    ],
)
def test_what_cannot_be_is_refused_with_the_choice(arguments, says):
    with pytest.raises(ValueError, match=says):
        generate(**arguments)
