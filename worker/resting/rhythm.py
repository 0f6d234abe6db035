"""Who leads the heart, how fast, and what comes between?

One decision in a fixed order, the dangerous first: standstill, fibrillation, ventricular tachycardia, pacing, atrial
flutter, complete AV block, several atrial foci, atrial fibrillation, then sinus and what replaces it; each statement
with its evidence.
"""

from typing import Final

import numpy as np

from ecg_center.contract.findings import Statement
from worker.resting import af
from worker.resting.artefacts import MANY_LEADS
from worker.resting.atrial_foci import several_foci
from worker.resting.av_block import second_degree, words_of
from worker.resting.beat_kinds import kinds
from worker.resting.conduction import conduction_of, words_of_conduction
from worker.resting.dissociation import circular_spread, dissociation
from worker.resting.ectopics import PAUSE_S, TACHYCARDIA_BPM, ectopics, mark_early, pauses
from worker.resting.leading import Rhythm
from worker.resting.norms import sinus_at_most_bpm
from worker.resting.p_alone import p_alone
from worker.resting.pacing import faint_pulses, paced
from worker.resting.preexcited import preexcitation_of
from worker.resting.reading import Reading
from worker.resting.say import (
    ACC_2018_BRADYCARDIA,
    AHA_2017_VA,
    ESC_2019_SVT,
    ESC_2020_AF,
    TEXTBOOK,
    evidence,
    say,
)
from worker.resting.two_to_one import LEADS as TWICE_LEADS
from worker.resting.two_to_one import comes_twice
from worker.signal.fibrillation import STANDSTILL_UV, Stretch
from worker.signal.half_cycle import COMES_BACK
from worker.signal.order import median, quantile

__all__ = ["Rhythm", "rhythm_of"]

LONGER: Final = 3
"""Windows from which on a single one, with many chances to be wrong, does not decide alone."""
END_AGAIN: Final = 0.85
"""Likeness of the usual second to the same a period later."""
BRADYCARDIA_BPM: Final = 60.0
WIDE_MS: Final = 120.0
WIDE_WITH_P_BPM: Final = 140.0
"""Sinus tachycardia with bundle branch block stays below in a person at rest; what looks like a P above is doubted."""
REGULAR_WITHIN: Final = 0.12
REGULAR_SHARE: Final = 0.7
RETROGRADE_PR_MS: Final = 120.0
LEFT_P_UV: Final = -40.0
P_PRESENT: Final = 0.55
P_CLEAR: Final = 3.0
AF_NOT_REGULAR: Final = 0.04
"""Root mean square of successive differences over the mean RR: below, nothing is looked for; fibrillation with a rate
this even is paced, or has a complete block below it."""
AF_SURE: Final = 2.0
AF_FITTED: Final = "fitted on CinC 2017, CPSC 2018, CPSC 2021, MIT-BIH DS1"
FLUTTER_STRENGTH: Final = 0.50
FLUTTER_WEAK: Final = 0.28
FLUTTER_BPM: Final = (220.0, 350.0)
ONE_A_BEAT: Final = 0.04
"""How near the rate of the waves lies to the beats' where each beat brings one."""
BLOCK_MAX_BPM: Final = 60.0
BLOCK_REGULAR: Final = 0.10
BLOCK_SPREAD_MS: Final = 60.0
ESCAPE_REGULAR: Final = 0.15
"""An idioventricular rhythm is nearly even; LUDB's fibrillation with left bundle branch block has 0.3 and more."""
SINUS_AT_MOST: Final = "Fox 1971; AHA PALS 2020, doi:10.1161/CIR.0000000000000901"
SINUS_ARRHYTHMIA_S: Final = 0.12


def rhythm_of(reading: Reading) -> Rhythm:
    """Decide."""
    if not reading.rows:  # too noisy to measure; fibrillation is said all the same
        return _quivering(reading) or Rhythm("none")
    found = _arrest_or_fibrillation(reading)
    if found is not None:
        return found
    if reading.beats.at.size < 2 or reading.limits is None:
        return Rhythm("none", kinds=kinds(reading))
    rhythm = Rhythm("none", kinds=kinds(reading))
    rhythm.rr_max_s = _longest_rr_s(reading)
    rhythm.ventricular_bpm = 60 / float(reading.rr_s.mean())
    in_order = (_tachycardia_wide, paced, _flutter, _dropped, _complete_block, several_foci, _fibrillation, _with_p)
    for decide in (*in_order, _without_p):
        if decide(reading, rhythm):
            break
    ectopics(reading, rhythm)
    pauses(reading, rhythm)
    return rhythm


def _arrest_or_fibrillation(reading: Reading) -> Rhythm | None:
    stretches = reading.stretches
    if stretches and max(stretch.span_uv for stretch in stretches) < STANDSTILL_UV:
        seen = evidence(
            "span_mv", max(s.span_uv for s in stretches) / 1000, STANDSTILL_UV / 1000, "mV",
            start_s=0, end_s=reading.traces.duration_s, source="AHA ACLS",
        )  # fmt: skip
        return _standstill(reading, say("26a", seen, certainty="probable"))
    alone = p_alone(reading)
    return _quivering(reading) or (_standstill(reading, alone) if alone else None)


def _standstill(reading: Reading, said: Statement) -> Rhythm:
    rhythm = Rhythm("standstill", [said])
    rhythm.rr_max_s = reading.traces.duration_s
    return rhythm


def _quivering(reading: Reading) -> Rhythm | None:
    found = reading.stretches
    quivering = [one for number, one in enumerate(found) if one.says == "F" and _lasts(found, number)]
    if not quivering:
        return None
    first, last = quivering[0], quivering[-1]
    seen = evidence(
        "log_odds", float(np.mean([s.quivers for s in quivering])), 0.0, "",
        start_s=first.start_s, end_s=last.end_s, source="Kuo and Dillman 1978; fitted on VFDB, CUDB",
    )  # fmt: skip
    rate = evidence("rate_hz", float(np.median([s.rate_hz for s in quivering])), None, "Hz")
    return Rhythm("vf", [say("74", seen, rate, certainty="probable")], kinds=np.full(reading.beats.at.size, "O"))


def _lasts(stretches: list[Stretch], number: int) -> bool:
    """Whether a window beside, which shares half of it, agrees on the whole; in ten seconds all are one.

    One that repeats itself but for a few seconds is the end of the tachycardia of one shape beside it.
    """
    if len(stretches) < LONGER:
        return True
    beside = [stretches[near] for near in (number - 1, number + 1) if 0 <= near < len(stretches)]
    if stretches[number].form.again >= END_AGAIN and any(one.form.kind == "monomorphic" for one in beside):
        return False
    return stretches[number].quivers + max(one.quivers for one in beside) > 0


def _races(reading: Reading) -> bool:
    """Whether most of the recording is what ventricular tachycardia looks like."""
    answers = [stretch.says for stretch in reading.stretches]
    return bool(answers) and answers.count("T") > len(answers) / 2


def _longest_rr_s(reading: Reading) -> float:
    """The longest interval; the ends of the recording count, for the true interval is at least as long."""
    at = reading.at_s
    ends = [float(at[0]), reading.traces.duration_s - float(at[-1])]
    return max(float(reading.rr_s.max()), *(end for end in ends if end > PAUSE_S), 0.0)


def _regularity(reading: Reading, rhythm: Rhythm) -> float:
    """Root mean square of successive differences over the mean, among intervals between usual beats."""
    rr = reading.rr_s
    # without P waves nothing tells an early beat from atrial fibrillation's own irregularity
    left_out = ("V", "S", "O") if _has_p(reading) else ("V",)
    counted = ~np.isin(rhythm.kinds, left_out)
    usual = counted[:-1] & counted[1:]
    pairs = usual[:-1] & usual[1:]
    differences = np.diff(rr)[pairs]
    if differences.size < 3:
        differences = np.diff(rr)
    return float(np.sqrt(np.mean(differences**2)) / rr.mean()) if differences.size else 0.0


def _has_p(reading: Reading) -> bool:
    return reading.p is not None and reading.p.share >= P_PRESENT and reading.p.clarity >= P_CLEAR


def _rate_evidence(rhythm: Rhythm, threshold: float | None, source: str = TEXTBOOK) -> object:
    return evidence("heart_rate_bpm", rhythm.ventricular_bpm, threshold, "/min", source=source)


def _tachycardia_wide(reading: Reading, rhythm: Rhythm) -> bool:
    """Broad from end to end, fast, regular, and no P before each beat."""
    rr, qrs_ms = reading.rr_s, reading.qrs_ms or 0.0
    usual = float(median(rr))
    bpm = 60 / usual
    # most intervals alike; single ones may be doubled or halved where a beat of a formless tachycardia was misjudged
    alike = float(np.mean(np.abs(rr / usual - 1) < REGULAR_WITHIN))
    fast_bpm, broad_ms = max(120.0, reading.norms.rate_bpm[1]), reading.norms.broad_qrs_ms
    steady = bpm >= fast_bpm and qrs_ms >= broad_ms + 10 and alike >= REGULAR_SHARE
    with_p = _has_p(reading) and bpm < WIDE_WITH_P_BPM
    racing = bpm >= TACHYCARDIA_BPM and _races(reading)
    if with_p or not (steady or racing):
        return False
    at = reading.at_s
    length = float(at[-1] - at[0])
    seen = [
        evidence("run_rate_bpm", round(bpm), 100, "/min", start_s=at[0], end_s=at[-1], source=AHA_2017_VA),
        evidence("run_s", length, 30, "s"),
        evidence("run_share", (length + 60 / bpm) / reading.traces.duration_s, None, ""),
        evidence("qrs_ms", qrs_ms, WIDE_MS, "ms"),
    ]
    ventricular = qrs_ms >= 140 or not _has_p(reading)
    rhythm.name = "vt" if ventricular else "wide_tachycardia"
    rhythm.statements.append(say("70" if ventricular else "76", *seen, certainty="probable"))
    rhythm.kinds[:] = "V"
    return True


def _flutter(reading: Reading, rhythm: Rhythm) -> bool:
    flutter = reading.flutter
    if flutter is None or not FLUTTER_BPM[0] <= flutter.rate_bpm <= FLUTTER_BPM[1]:
        return _two_to_one(reading, rhythm)
    # one wave a beat is the T wave; flutter that conducts every wave is far rarer than another tachycardia
    if abs(flutter.rate_bpm / (60 / float(median(reading.rr_s))) - 1) < ONE_A_BEAT:
        return False
    # P waves that are really there outweigh a weak oscillation, which may be the T wave's
    sure = flutter.strength >= FLUTTER_STRENGTH
    if not sure and (flutter.strength < FLUTTER_WEAK or _has_p(reading)):
        return _two_to_one(reading, rhythm)
    plain = (rhythm.kinds[:-1] != "V") & (rhythm.kinds[1:] != "V")
    conducted = conduction_of(reading.rr_s[plain], flutter.rate_bpm)
    rhythm.name, rhythm.atrial_bpm = "flutter", conducted.atrial_bpm if conducted else flutter.rate_bpm
    seen = evidence("atrial_rate_bpm", rhythm.atrial_bpm, 240, "/min", leads=[flutter.lead], source=ESC_2019_SVT)
    regular = evidence("regularity", flutter.strength, FLUTTER_STRENGTH, "")
    ratio = words_of_conduction(conducted) if conducted else []
    rhythm.statements.append(say("51", seen, *ratio, regular, certainty="probable" if sure else "possible"))
    return True


def _two_to_one(reading: Reading, rhythm: Rhythm) -> bool:
    """What looks like P before each QRS is every second wave of a flutter."""
    if (share := comes_twice(reading)) is None:
        return False
    rhythm.name, rhythm.atrial_bpm = "flutter", round(120 / float(median(reading.rr_s)), 1)
    conducted = conduction_of(reading.rr_s, rhythm.atrial_bpm)
    rhythm.statements.append(
        say(
            "51",
            evidence("atrial_rate_bpm", rhythm.atrial_bpm, None, "/min", leads=list(TWICE_LEADS), source=ESC_2019_SVT),
            *(words_of_conduction(conducted) if conducted else []),
            evidence("regularity", share, COMES_BACK, ""),
            certainty="probable",
        )
    )
    return True


def _sinus_code(reading: Reading, bpm: float) -> str:
    """Sinus tachycardia, bradycardia or rhythm at this age."""
    slow_bpm, fast_bpm = reading.norms.rate_bpm
    return "21" if bpm > fast_bpm else "22" if bpm < slow_bpm else "20"


def _dropped(reading: Reading, rhythm: Rhythm) -> bool:
    """Sinus rhythm of which not every P is conducted."""
    block = second_degree(reading)
    if block is None:
        return False
    rhythm.name, rhythm.atrial_bpm, rhythm.av_block = "sinus", block.atrial_bpm, block.type
    rhythm.kinds[rhythm.kinds == "S"] = "N"
    bpm = block.atrial_bpm
    code = _sinus_code(reading, bpm)
    rhythm.statements.append(say(code, evidence("atrial_rate_bpm", bpm, None, "/min", source=TEXTBOOK)))
    rhythm.statements.append(words_of(block))
    return True


def _complete_block(reading: Reading, rhythm: Rhythm) -> bool:
    """Slow regular ventricles, faster regular atria, no fixed distance between them."""
    bpm = rhythm.ventricular_bpm or 0.0
    if reading.free_p is None or bpm > BLOCK_MAX_BPM or reading.rr_s.size < 2 or _has_p(reading):
        return False
    p_s = reading.free_p / reading.traces.hz
    pp = np.diff(p_s)
    period = float(np.median(pp))
    if float(reading.rr_s.std() / reading.rr_s.mean()) > BLOCK_REGULAR or period > 0.85 * float(reading.rr_s.mean()):
        return False
    distances = np.array([at - p_s[p_s < at][-1] for at in reading.at_s if (p_s < at).any()]) % period
    spread_ms = 1000 * circular_spread(distances, period)
    if spread_ms < BLOCK_SPREAD_MS:
        return False
    rhythm.name, rhythm.atrial_bpm = "complete_block", 60 / period
    rhythm.statements.append(
        say(
            "88",
            evidence("atrial_rate_bpm", 60 / period, bpm, "/min", start_s=p_s[0], end_s=p_s[-1]),
            evidence("pr_spread_ms", spread_ms, BLOCK_SPREAD_MS, "ms", source=ACC_2018_BRADYCARDIA),
            certainty="probable",
        )
    )
    wide = (reading.qrs_ms or 0) >= WIDE_MS
    rhythm.statements.append(say("63" if wide else "38", evidence("qrs_ms", reading.qrs_ms, WIDE_MS, "ms")))
    return True


def _fibrillation(reading: Reading, rhythm: Rhythm) -> bool:
    irregular = _regularity(reading, rhythm)
    if irregular < AF_NOT_REGULAR:
        return False
    odds = af.log_odds(reading)
    if odds < 0:
        return False
    rhythm.name = "af"
    bpm = rhythm.ventricular_bpm or 0.0
    seen = [
        evidence("log_odds", odds, 0.0, "", source=AF_FITTED),
        evidence("rr_irregularity", irregular, AF_NOT_REGULAR, "", source=ESC_2020_AF),
        evidence("p_clarity", reading.p.clarity if reading.p else 0.0, None, ""),
        evidence("rr_min_ms", 1000 * float(reading.rr_s.min()), None, "ms"),
    ]
    if preexcited := preexcitation_of(reading):
        rhythm.statements.append(say("50d", *preexcited, *seen[:-1], certainty="probable"))
        return True
    code = "50a" if bpm > TACHYCARDIA_BPM + 10 else "50b" if bpm < 50 else "50"
    rhythm.statements.append(say(code, *seen, certainty="definite" if odds > AF_SURE else "probable"))
    return True


def _with_p(reading: Reading, rhythm: Rhythm) -> bool:
    """P before each beat: from the sinus node if it points down and to the left."""
    if not _has_p(reading) or reading.p is None:
        return False
    mark_early(reading, rhythm.kinds)
    bpm = _basic_bpm(reading, rhythm)
    two, avf, avr, one = (reading.wave(lead) for lead in ("II", "aVF", "aVR", "I"))
    largest = max((abs(waves.p_uv) for waves in reading.waves.values()), default=0.0)
    inverted = (
        two is not None
        and two.p_uv < -max(40.0, 0.5 * largest)
        and (avf is None or avf.p_uv < -40)
        and (avr is None or avr.p_uv > 0)
        and (one is None or one.p_uv > -30)
    )
    if inverted and two is not None:
        return _from_below(reading, rhythm, bpm, two.p_uv)
    if _from_the_left(reading):
        rhythm.name = "atrial"
        rhythm.statements.append(_ectopic(reading, bpm, "I", one.p_uv if one is not None else 0.0))
        return True
    if bpm > (at_most_bpm := sinus_at_most_bpm(reading.person)):
        # what stands before each QRS may as well be the T wave of the beat before
        rhythm.name = "svt"
        rate = evidence("basic_rate_bpm", bpm, at_most_bpm, "/min", source=SINUS_AT_MOST)
        rhythm.statements.append(say("55", rate, certainty="probable"))
        return True
    rhythm.name = "sinus"
    code = _sinus_code(reading, bpm)
    slow_bpm, fast_bpm = reading.norms.rate_bpm
    threshold = {"21": fast_bpm, "22": slow_bpm}.get(code)
    rhythm.statements.append(
        say(
            code,
            evidence("basic_rate_bpm", bpm, threshold, "/min", source=reading.norms.source or TEXTBOOK),
            evidence("p_share", reading.p.share, P_PRESENT, ""),
        )
    )
    _sinus_arrhythmia(reading, rhythm)
    return True


def _ectopic(reading: Reading, bpm: float, lead: str, p_uv: float) -> Statement:
    seen = evidence("p_mv", p_uv / 1000, 0, "mV", leads=[lead], source=TEXTBOOK)
    return say("52" if bpm > max(TACHYCARDIA_BPM, reading.norms.rate_bpm[1]) else "34", seen, certainty="probable")


def _from_below(reading: Reading, rhythm: Rhythm, bpm: float, p_uv: float) -> bool:
    """P that runs upwards: of the AV junction where it comes less than 120 ms before the QRS, else of the low atria."""
    limits = reading.limits
    pr_ms = reading.ms(limits.qrs_on - limits.p_on) if limits is not None and limits.p_on is not None else 0.0
    if pr_ms >= RETROGRADE_PR_MS or reading.norms.of_a_child:
        rhythm.name = "atrial"
        rhythm.statements.append(_ectopic(reading, bpm, "II", p_uv))
        return True
    rhythm.name = "junctional"
    seen = evidence("p_mv", p_uv / 1000, 0, "mV", leads=["II"], source=TEXTBOOK)
    rate = evidence("basic_rate_bpm", bpm, None, "/min")
    early = evidence("pr_ms", pr_ms, RETROGRADE_PR_MS, "ms")
    code = "38" if bpm < BRADYCARDIA_BPM else "39" if bpm <= TACHYCARDIA_BPM else "54"
    rhythm.statements.append(say(code, seen, early, rate, certainty="probable"))
    return True


def _from_the_left(reading: Reading) -> bool:
    """P that runs to the right, while the QRS does not: no exchanged arms (Mirowski 1966)."""
    one, v6 = reading.wave("I"), reading.wave("V6")
    if one is None or v6 is None or one.net_uv <= 0:
        return False
    return one.p_uv <= LEFT_P_UV and v6.p_uv <= LEFT_P_UV


def _basic_bpm(reading: Reading, rhythm: Rhythm) -> float:
    """The rate of the leading rhythm itself, without early beats and pauses."""
    usual = (rhythm.kinds[:-1] == "N") & (rhythm.kinds[1:] == "N")
    rr = reading.rr_s[usual] if usual.sum() >= 2 else reading.rr_s
    return 60 / float(median(rr))


def _sinus_arrhythmia(reading: Reading, rhythm: Rhythm) -> None:
    usual = (rhythm.kinds[:-1] == "N") & (rhythm.kinds[1:] == "N")
    rr = reading.rr_s[usual]
    rr = rr[rr < PAUSE_S]
    if rr.size < 4:
        return
    difference = float(quantile(rr, 0.95) - quantile(rr, 0.05))
    if difference > SINUS_ARRHYTHMIA_S and difference / float(rr.mean()) > 0.10:
        rhythm.statements.append(
            say("23", evidence("rr_difference_ms", 1000 * difference, 1000 * SINUS_ARRHYTHMIA_S, "ms", source=TEXTBOOK))
        )


def _without_p(reading: Reading, rhythm: Rhythm) -> bool:
    """No P: from the AV junction or a ventricle, which beat evenly; else fibrillation below a bundle branch block."""
    broad_ms, fast_bpm = reading.norms.broad_qrs_ms, reading.norms.rate_bpm[1]
    bpm, wide = _basic_bpm(reading, rhythm), (reading.qrs_ms or 0) >= broad_ms + 10
    rate = evidence("basic_rate_bpm", bpm, None, "/min", source=TEXTBOOK)
    width = evidence("qrs_ms", reading.qrs_ms, broad_ms, "ms")
    irregular = _regularity(reading, rhythm)
    if wide and irregular > ESCAPE_REGULAR and len(reading.rows) >= MANY_LEADS:
        rhythm.name = "af"
        seen = evidence("rr_irregularity", irregular, ESCAPE_REGULAR, "", source=ESC_2020_AF)
        rhythm.statements.append(say("50", rate, width, seen, certainty="possible"))
        return True
    if wide and (pulse_uv := faint_pulses(reading)) is not None:
        rhythm.name = "paced"
        pulse = evidence("spike_mv", pulse_uv / 1000, None, "mV")
        rhythm.statements.append(say("181", pulse, rate, width, certainty="possible"))
        return True
    if wide:
        rhythm.name = "ventricular"
        code = "63" if bpm < 50 else "64" if bpm < fast_bpm else "76"
    elif bpm >= max(150.0, fast_bpm):
        rhythm.name, code = "svt", "55"
    elif bpm >= fast_bpm:
        rhythm.name, code = "svt", "27"
    else:
        rhythm.name = "junctional"
        even = irregular <= ESCAPE_REGULAR  # the junction beats evenly: what does not is led by something unseen
        code = "27" if not even else "38" if bpm < 60 else "39" if bpm < 90 or reading.norms.of_a_child else "27"
    rhythm.statements.append(say(code, rate, width, certainty="possible"))
    if seen_apart := dissociation(reading):
        rhythm.atrial_bpm = seen_apart[0].value
        rhythm.statements.append(say("89", *seen_apart, certainty="possible"))
    return True
