"""Does one place lead the atria, or do several take turns?

The P before each QRS is looked for alone, not in the median beat: the stretch before the QRS that differs most from a
straight line, in all leads together. P waves are then grouped by form as beats are. Three forms that come again, none
of which leads, before nearly every QRS at irregular intervals are what the 2015 ACC/AHA/HRS guideline
(doi:10.1016/j.jacc.2015.08.856) calls multifocal: a tachycardia above 100/min (53), a rhythm below (35). Where P in II
goes slowly from upright to inverted and each is like its neighbours, the pacemaker wanders (33, 诊断学).

What differs: fibrillatory waves make forms as well, and in few leads they come again by chance. So six leads are asked
for, and a trace that is quiet between the QRS and the next P once its own T is taken away.
"""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from ecg_center.contract.findings import Evidence
from worker.resting.leading import Rhythm
from worker.resting.reading import Reading
from worker.resting.say import TEXTBOOK, evidence, say
from worker.signal.atrial import P_BAND_HZ, QRS_MARGIN_S, powers, ventricles, without_line
from worker.signal.filters import Floats, Spectrum
from worker.signal.order import median

SVT_2015: Final = "ACC/AHA/HRS 2015 supraventricular tachycardia, doi:10.1016/j.jacc.2015.08.856"
LEAST_LEADS: Final = 6
LEAST_BEATS: Final = 6
P_S: Final = 0.11
"""Of each stretch that is compared: a P and a little around it."""
FARTHEST_S: Final = 0.30
BEFORE_QRS_S: Final = 0.015
BEHIND_J_S: Final = 0.08
AFTER_S: Final = 0.02
LIKE: Final = 0.80
SIZE_RATIO: Final = 1.8
SHIFT_S: Final = 0.024
FORMS: Final = 3
TOP_SHARE: Final = 0.6
"""Of the beats: a form with more of them leads, and the others are premature beats."""
AGAIN_SHARE: Final = 0.7
"""Of the beats with a form that comes again; what never does is noise."""
P_SHARE: Final = 0.9
QUIET: Final = 8.0
"""Power of the usual P over that of the usual stretch between T and P. Of 222 records of LUDB, CPSC 2018 and CinC 2021
those in fibrillation with so many forms have 3.6 at the most."""
QUIET_BEATS: Final = 3
TACHYCARDIA_BPM: Final = 100.0
IRREGULAR: Final = 0.06
"""Spread of RR over its mean: places that take turns have each a distance of their own to the node."""
WANDERS_LEAD: Final = "II"
UPRIGHT_UV, INVERTED_UV = 70.0, -30.0
"""The highest and the lowest mean of three P waves in a row: both sides of the level, and more than it wavers by."""
NEXT_ALIKE: Final = 0.5
"""Correlation of the height of a P with that of the next; premature beats and foci that jump have none."""
SUDDEN: Final = 0.15
"""Of the usual interval: where the pacemaker wanders no beat comes so early."""
CLEAR: Final = (12.0, 0.9)
"""Clarity and share of the median beat's P, above which there is one form."""


class _P(NamedTuple):
    """What stands before one QRS.

    Attributes:
        form: (n_leads, n) µV without the line through its ends.
        quiet: power of the stretch between T and P, as long as a P; None where there is no room.
        at_s: its middle.
    """

    form: Floats
    power: float
    quiet: float | None
    at_s: float


def several_foci(reading: Reading, rhythm: Rhythm) -> bool:
    """Whether the atria are led from several places; the statement is added."""
    p, rr = reading.p, reading.rr_s
    if len(reading.rows) < LEAST_LEADS or rr.size + 1 < LEAST_BEATS or (rhythm.kinds == "V").any():
        return False
    if p is not None and p.clarity >= CLEAR[0] and p.share >= CLEAR[1]:
        return False
    found = _before_each(reading)
    quiet = np.array([one.power / max(one.quiet, 1e-9) for one in found if one.quiet is not None])
    if len(found) < P_SHARE * reading.at_s.size or quiet.size < QUIET_BEATS or float(np.median(quiet)) < QUIET:
        return False
    seen = _wandering(reading, rhythm, found)
    code, forms = ("33", 0) if seen else ("35", _forms(reading, found))
    if not seen:
        if not forms:
            return False
        bpm, rr = rhythm.ventricular_bpm or 0.0, reading.rr_s
        code = "53" if bpm > max(TACHYCARDIA_BPM, reading.norms.rate_bpm[1]) else "35"
        seen = [
            evidence("p_forms", forms, FORMS, "", start_s=found[0].at_s, end_s=found[-1].at_s, source=SVT_2015),
            evidence("heart_rate_bpm", bpm, TACHYCARDIA_BPM, "/min"),
            evidence("rr_irregularity", float(rr.std() / rr.mean()), IRREGULAR, ""),
        ]
    rhythm.name, rhythm.atrial_bpm = "multifocal", rhythm.ventricular_bpm
    rhythm.kinds[rhythm.kinds == "S"] = "N"
    rhythm.statements.append(say(code, *seen, certainty="probable" if forms > FORMS else "possible"))
    return True


def _forms(reading: Reading, found: list[_P]) -> int:
    """How many forms of P take turns at irregular intervals; 0 where one leads."""
    rr = reading.rr_s
    sizes = np.bincount(_by_form(found, reading.traces.hz))
    again = sizes[sizes >= 2]
    several = again.size >= FORMS and again.max() <= TOP_SHARE * len(found) and again.sum() >= AGAIN_SHARE * len(found)
    return int(again.size) if several and float(rr.std() / rr.mean()) >= IRREGULAR else 0


def _wandering(reading: Reading, rhythm: Rhythm, found: list[_P]) -> list[Evidence]:
    """What shows that P goes slowly from upright to inverted; nothing where it does not."""
    rr, rows = reading.rr_s, [reading.traces.leads[row] for row in reading.rows]
    sudden = float(np.abs(np.diff(rr)).max()) > SUDDEN * float(median(rr))
    if WANDERS_LEAD not in rows or sudden or (rhythm.ventricular_bpm or 0.0) > TACHYCARDIA_BPM:
        return []
    row = rows.index(WANDERS_LEAD)
    middle = slice(found[0].form.shape[1] // 4, -(found[0].form.shape[1] // 4))
    height = np.array([part[np.argmax(np.abs(part))] for part in (one.form[row, middle] for one in found)])
    three = np.convolve(height, np.full(3, 1 / 3), mode="valid")
    high, low = float(three.max()), float(three.min())
    if high < UPRIGHT_UV or low > INVERTED_UV or float(np.corrcoef(height[:-1], height[1:])[0, 1]) < NEXT_ALIKE:
        return []
    return [
        evidence(
            "p_mv",
            high / 1000,
            UPRIGHT_UV / 1000,
            "mV",
            leads=[WANDERS_LEAD],
            source=TEXTBOOK,
            start_s=found[0].at_s,
            end_s=found[-1].at_s,
        ),
        evidence("p_mv", low / 1000, INVERTED_UV / 1000, "mV", leads=[WANDERS_LEAD], source=TEXTBOOK),
    ]


def _before_each(reading: Reading) -> list[_P]:
    """The P of every beat before which there is room for one."""
    limits, hz = reading.limits, reading.traces.hz
    if limits is None:
        return []
    clean = reading.traces.clean[reading.rows]
    begins = replace(limits, qrs_on=limits.qrs_on + round(QRS_MARGIN_S * hz))  # its P stays
    rest = Spectrum(clean - ventricles(clean, reading.beats, begins, hz), hz)
    band = rest.band(rest.passing(*P_BAND_HZ))
    width, after = round(P_S * hz), round(AFTER_S * hz)
    power = powers(band, width)
    onsets = (reading.beats.at - limits.r + limits.qrs_on).tolist()
    ends = [0, *(reading.beats.at[:-1] - limits.r + limits.qrs_off + round(BEHIND_J_S * hz)).tolist()]
    found = []
    for onset, end in zip(onsets, ends, strict=True):
        first, stop = max(0, end, onset - round(FARTHEST_S * hz)), onset - round(BEFORE_QRS_S * hz)
        if stop - first < width:
            continue
        best = first + int(np.argmax(power[first : stop - width + 1]))
        between = power[end : max(end, best - after - width + 1)]
        found.append(
            _P(
                without_line(band[:, best : best + width]),
                float(power[best]),
                float(median(between)) if between.size else None,
                (best + width // 2) / hz,
            )
        )
    return found


def _by_form(found: list[_P], hz: float) -> np.ndarray:
    """(n,) the number of each P's form, in the order in which forms come."""
    leaders: list[Floats] = []
    members: list[int] = []
    numbers = []
    for one in found:
        likeness = [_likeness(one.form, leader, hz) for leader in leaders]
        best = int(np.argmax(likeness)) if likeness else -1
        if likeness and likeness[best] >= LIKE:
            members[best] += 1
            leaders[best] = leaders[best] + (one.form - leaders[best]) / members[best]
            numbers.append(best)
        else:
            leaders.append(one.form)
            members.append(1)
            numbers.append(len(leaders) - 1)
    return np.array(numbers, int)


def _likeness(one: Floats, other: Floats, hz: float) -> float:
    """The largest correlation within a small shift; −1 where their sizes differ too much."""
    own, its, width = float(np.linalg.norm(one)), float(np.linalg.norm(other)), one.shape[1]
    if not its / SIZE_RATIO < own < its * SIZE_RATIO:
        return -1.0
    reach = round(SHIFT_S * hz)
    products = []
    for shift in range(-reach, reach + 1, 2):
        a = one[:, max(0, shift) : width + min(0, shift)]
        b = other[:, max(0, -shift) : width + min(0, -shift)]
        products.append(float((a * b).sum()) / float(np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))
    return max(products)
