"""One letter a beat: usual, early, ventricular, fusion, paced and what cannot be told, each where it was drawn."""

from dataclasses import replace

import numpy as np
import pytest
from support.drawn_rhythms import HZ, drawn

from ecg_center.domain.statements import contradicts
from gateway.simulate import shapes
from worker.resting import analyse
from worker.resting.beat_classes import CLASSES
from worker.resting.plot import BEATS

PR_S = 0.16
STEADY = np.arange(0.4, 10, 0.8)
ECTOPIC = shapes.ectopic_outflow()


def with_ventricular(share: float, place: int = 8, moved_s: float = 0.0):
    """A premature beat as the third, and one on time of which this share comes from the ventricle."""
    early = STEADY[3] + PR_S - 0.35
    qrs = np.sort(np.append(np.delete(STEADY, 3) + PR_S, early))
    third = int(np.searchsorted(qrs, early))
    qrs[place] += moved_s
    plain = drawn(np.delete(STEADY, 3), qrs, shape_at={third: ECTOPIC})
    both = drawn(np.delete(STEADY, 3), qrs, shape_at={third: ECTOPIC, place: ECTOPIC})
    digital = plain.digital.astype(float)
    inside = slice(round((qrs[place] - 0.02) * HZ), round((qrs[place] + 0.5) * HZ))
    digital[:, inside] += share * (both.digital[:, inside].astype(float) - digital[:, inside])
    return analyse(replace(plain, digital=np.rint(digital).astype(np.int16)))


def codes_of(findings) -> set[str]:
    codes = {statement.code for statement in findings.statements}
    assert not contradicts(codes), codes
    return codes


@pytest.mark.parametrize("share", [0.4, 0.5, 0.6])
def test_a_beat_of_both_is_a_fusion(share):
    findings = with_ventricular(share)
    assert findings.beat_kinds[8] == "F"
    assert findings.beat_kinds.count("V") == 1
    assert {"60", "61"} <= codes_of(findings)
    (said,) = [one for one in findings.statements if one.code == "61"]
    assert said.certainty == "possible"
    assert said.evidence[0].start_s < findings.beats_s[8] < said.evidence[0].end_s


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_a_beat_of_one_alone_is_none(share):
    findings = with_ventricular(share)
    assert "F" not in findings.beat_kinds
    assert "61" not in codes_of(findings)
    assert findings.beat_kinds[8] == ("V" if share == 1.0 else "N")


def test_without_a_ventricular_beat_nothing_is_a_fusion():
    findings = analyse(drawn(STEADY, STEADY + PR_S))
    assert findings.beat_kinds == "N" * len(findings.beats_s)


def test_a_fusion_does_not_come_early():
    assert "F" not in with_ventricular(0.5, moved_s=-0.2).beat_kinds


def test_early_beats_from_above():
    rr = np.full(11, 0.8)
    rr[5:7] = 0.5, 0.95
    p = 0.4 + np.concatenate([[0], np.cumsum(rr)])[:-1]
    findings = analyse(drawn(p, p + PR_S))
    assert findings.beat_kinds == "NNNNNNS" + "N" * (len(findings.beats_s) - 7)


PACED = np.arange(0.3, 9.8, 0.86)


def test_paced_beats_and_the_hearts_own_between_them():
    beat = shapes.escape_ventricular()
    findings = analyse(drawn([], PACED + 0.02, spikes_s=PACED, shape=beat))
    assert findings.beat_kinds == "P" * len(findings.beats_s)
    own = analyse(drawn([], PACED + 0.02, spikes_s=np.delete(PACED, 4), shape=beat, shape_at={4: shapes.normal(92)}))
    assert own.beat_kinds[4] != "P"
    assert own.beat_kinds.count("P") == len(PACED) - 1
    atrial = analyse(drawn(PACED + 0.02, PACED + 0.2, spikes_s=PACED))
    assert atrial.beat_kinds == "P" * len(atrial.beats_s)


def test_pulses_too_small_to_be_seen_one_by_one():
    beat = shapes.escape_ventricular()
    assert set(analyse(drawn([], PACED + 0.02, spikes_s=PACED, spike_share=0.07, shape=beat)).beat_kinds) == {"P"}
    assert set(analyse(drawn([], PACED + 0.02, shape=beat)).beat_kinds) == {"V"}  # a ventricle of its own


def test_another_form_on_time_without_a_p_cannot_be_told():
    turned = shapes.normal(92)
    lobes = tuple(replace(lobe, peak=(-lobe.peak[0], lobe.peak[2], lobe.peak[1])) for lobe in turned.qrs)
    odd = replace(turned, qrs=lobes)
    p = np.delete(STEADY, 6)
    assert analyse(drawn(p, STEADY + PR_S, shape_at={6: odd})).beat_kinds[6] == "Q"
    assert analyse(drawn(STEADY, STEADY + PR_S, shape_at={6: odd})).beat_kinds[6] == "N"  # conducted another way


def test_each_letter_has_its_colour():
    assert set(BEATS) == set(CLASSES)
