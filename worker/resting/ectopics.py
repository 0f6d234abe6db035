"""What comes early, what runs, and what stays away?

Single early beats with their patterns, ventricular runs, R on T, and pauses: said beside the leading rhythm.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.findings import Certainty, Statement
from worker.resting.artefacts import believable
from worker.resting.beat_kinds import EARLY, LATE, runs, usual_rr_s
from worker.resting.blocked_beats import blocked_beats
from worker.resting.escapes import escapes, late_beats
from worker.resting.fusions import mark_fusions
from worker.resting.leading import Rhythm
from worker.resting.reading import Reading
from worker.resting.say import ACC_2018_BRADYCARDIA, AHA_2017_VA, ESC_2019_SVT, TEXTBOOK, evidence, say
from worker.resting.sinoatrial import sinoatrial_block
from worker.signal.filters import Floats
from worker.signal.order import median

PAUSE_S: Final = 2.0
PAUSE_TIMES: Final = 1.7
R_ON_T_AFTER_SUMMIT_S: Final = 0.02
T_SUMMIT_S: Final = 0.06
ON_TIME: Final = 0.15
"""Of the usual interval: no ventricular beat on the summit of T leaves the sinus rhythm as it was."""
FREQUENT_ECTOPICS_PER_MIN: Final = 6.0
"""More than five a minute is frequent (频发, 诊断学)."""
TACHYCARDIA_BPM: Final = 100.0
BIGEMINY_CYCLES: Final = 3
SHARPLY_EARLY: Final = 0.75
"""What begins a pair or a run comes at less than this of the usual interval; sinus arrhythmia moves by less."""
SAME_RUN: Final = 1.25


def ectopics(reading: Reading, rhythm: Rhythm) -> None:
    """Early beats and runs, where the rhythm itself lets one tell."""
    supraventricular = rhythm.name in ("sinus", "atrial", "junctional")
    at, found = reading.at_s, rhythm.kinds
    late = late_beats(reading, rhythm)
    rhythm.statements += escapes(reading, rhythm, late)
    found[late & (found == "V")] = "E"
    mark_fusions(reading, rhythm)
    preexcited = any(statement.code == "50d" for statement in rhythm.statements)  # its beats are broad from above
    if rhythm.name not in ("vt", "wide_tachycardia", "paced") and not preexcited:
        _ventricular(reading, rhythm)
    early = np.flatnonzero(found == "S")
    if supraventricular and early.size:
        often = early.size * 60 / reading.traces.duration_s > FREQUENT_ECTOPICS_PER_MIN and early.size > 1
        seen = [
            evidence("early_beats", early.size, None, "", start_s=at[n] - 0.25, end_s=at[n] + 0.4) for n in early[:8]
        ]
        rhythm.statements.append(say("30a" if often else "30", *seen, certainty="probable"))
        rhythm.statements += _supraventricular_patterns(reading, found)


def mark_early(reading: Reading, found: NDArray[np.str_]) -> None:
    """Early beats of a rhythm with P waves that show only beside one another; marked ``S`` in the kinds ``found``."""
    _early_together(reading, found)
    found[_alternating(reading.rr_s) & (found == "N")] = "S"


def _early_together(reading: Reading, found: NDArray[np.str_]) -> None:
    """Two and more early beats in quick succession, with a pause behind the last one. Marked in place.

    The beat behind a single early one may come a little early as well: it is the sinus node's, set back.
    """
    rr, usual = reading.rr_s, usual_rr_s(reading.rr_s)
    for first in np.flatnonzero((rr < SHARPLY_EARLY * usual) & (found[:-1] == "N") & (found[1:] != "V")).tolist():
        last = first
        while last + 1 < rr.size and rr[last + 1] < min(EARLY * usual[last + 1], SAME_RUN * rr[first]):
            last += 1
        paused = last + 1 < rr.size and rr[last + 1] > LATE * usual[last + 1]
        if last > first and paused and np.isin(found[first + 1 : last + 2], ("N", "S")).all():
            found[first + 1 : last + 2] = "S"


def _alternating(rr: Floats) -> NDArray[np.bool_]:
    """(n_beats,) the early beats of a bigeminy: in it half of the intervals are short, and no median is the usual one.

    >>> _alternating(np.array([0.6, 1.0, 0.6, 1.0, 0.6, 1.0])).astype(int).tolist()
    [0, 1, 0, 1, 0, 1, 0]
    >>> bool(_alternating(np.array([0.8, 0.6, 1.0, 0.6, 1.0, 0.8])).any())
    False
    """
    short = np.zeros(rr.size, bool)
    short[:-1] = rr[:-1] < EARLY * rr[1:]
    short[1:] &= rr[1:] < EARLY * rr[:-1]
    marked = np.zeros(rr.size + 1, bool)
    for first in np.flatnonzero(short).tolist():
        cycles = range(first, first + 2 * BIGEMINY_CYCLES, 2)
        if cycles[-1] < rr.size and short[list(cycles)].all():
            marked[[place + 1 for place in cycles]] = True
    return marked


def _supraventricular_patterns(reading: Reading, found: NDArray[np.str_]) -> list[Statement]:
    """Pairs, bigeminy, trigeminy and short runs."""
    said, at, together = [], reading.at_s, runs(found, "S")
    pairs = [(first, last) for first, last in together if last - first == 2]
    if pairs:
        first, last = pairs[0]
        seen = evidence("pairs", len(pairs), 1, "", start_s=at[first] - 0.25, end_s=at[last - 1] + 0.4)
        said.append(say("41b", seen, certainty="probable"))
    if pattern := _pattern(found, "S"):
        said.append(say({"60b": "41c", "60c": "41d"}[pattern], certainty="probable"))
    for first, last in together:
        bpm = 60 / float(np.diff(at[first:last]).mean()) if last - first > 2 else 0.0
        if bpm >= TACHYCARDIA_BPM:
            seen = evidence(
                "run_rate_bpm", round(bpm), TACHYCARDIA_BPM, "/min", start_s=at[first], end_s=at[last - 1],
                source=ESC_2019_SVT,
            )  # fmt: skip
            said.append(say("30b", seen, evidence("run_beats", last - first, 3, ""), certainty="probable"))
    return said


def _interpolated(reading: Reading, rhythm: Rhythm, single: list[int], sure: Certainty) -> None:
    """A ventricular beat between two sinus beats that come as if it were not there."""
    rr, found = reading.rr_s, rhythm.kinds
    plain = (found[:-1] == "N") & (found[1:] == "N")
    if rhythm.name != "sinus" or plain.sum() < 3:
        return
    usual = float(median(rr[plain]))
    for n in single:
        if not 0 < n < found.size - 1 or found[n - 1] != "N" or found[n + 1] != "N":
            continue
        if abs((rr[n - 1] + rr[n]) / usual - 1) < ON_TIME:
            seen = evidence(
                "rr_to_usual", (rr[n - 1] + rr[n]) / usual, 1 + ON_TIME, "",
                start_s=reading.at_s[n - 1], end_s=reading.at_s[n + 1], source=TEXTBOOK,
            )  # fmt: skip
            rhythm.statements.append(say("60f", seen, certainty=sure))
            return


def _ventricular(reading: Reading, rhythm: Rhythm) -> None:
    at, found = reading.at_s, rhythm.kinds
    single = np.flatnonzero(found == "V")
    if not single.size:
        return
    shape = reading.traces.shape[reading.rows]
    sure: Certainty = "probable" if believable(shape, reading.beats, found == "V", reading.traces.hz) else "possible"
    for first, last in runs(found, "V"):
        if last - first < 3:
            continue
        bpm = 60 / float(np.diff(at[first:last]).mean())
        if bpm < TACHYCARDIA_BPM:
            continue
        length = float(at[last - 1] - at[first])
        seen = (
            evidence(
                "run_rate_bpm", round(bpm), 100, "/min", start_s=at[first], end_s=at[last - 1], source=AHA_2017_VA
            ),
            evidence("run_beats", last - first, 3, ""),
            evidence("run_s", length, 30, "s"),
            evidence("run_share", length / reading.traces.duration_s, None, ""),
        )
        rhythm.statements.append(say("70" if length >= 30 else "71", *seen, certainty=sure))
    often = single.size * 60 / reading.traces.duration_s > FREQUENT_ECTOPICS_PER_MIN and single.size > 1
    pairs = sum(1 for first, last in runs(found, "V") if last - first == 2)
    seen_at = [
        evidence("early_beats", single.size, None, "", start_s=at[n] - 0.15, end_s=at[n] + 0.4) for n in single[:8]
    ]
    pattern = _pattern(found, "V")
    code = pattern or ("60a" if often else "60")
    rhythm.statements.append(say(code, *seen_at, certainty=sure))
    _r_on_t(reading, rhythm, single.tolist(), sure)
    _interpolated(reading, rhythm, single.tolist(), sure)
    if pairs:
        rhythm.statements.append(say("60d", evidence("pairs", pairs, 1, ""), certainty=sure))
    if len({int(group) for group in reading.beats.group[single]}) > 1 and single.size >= 3:
        forms = len({int(group) for group in reading.beats.group[single]})
        rhythm.statements.append(say("60e", evidence("forms", forms, 2, ""), certainty="possible"))


def _r_on_t(reading: Reading, rhythm: Rhythm, single: list[int], sure: Certainty) -> None:
    """A ventricular beat that begins before or on the summit of the T before it, the vulnerable phase."""
    limits, hz, at = reading.limits, reading.traces.hz, reading.at_s
    if limits is None or limits.t_peak is None or limits.t_off is None or rhythm.name == "af":
        return
    for number in single:
        if number == 0 or rhythm.kinds[number - 1] != "N":
            continue
        begins_s = at[number] - reading.beats.width_s[number] / 2
        summit_s = at[number - 1] + (limits.t_peak - limits.r) / hz
        if begins_s <= summit_s + R_ON_T_AFTER_SUMMIT_S and not _is_the_t_itself(reading, number, summit_s):
            seen = evidence(
                "before_t_summit_ms", 1000 * (summit_s - begins_s), -1000 * R_ON_T_AFTER_SUMMIT_S, "ms",
                start_s=at[number - 1] - 0.1, end_s=at[number] + 0.4, source=AHA_2017_VA,
            )  # fmt: skip
            rhythm.statements.append(say("60g", seen, certainty=sure))
            return


def _is_the_t_itself(reading: Reading, number: int, summit_s: float) -> bool:
    """Whether the beat is a tall T taken for one: it stands at the summit, and the next beat comes when it would."""
    at = reading.at_s
    if number + 1 >= at.size or abs(at[number] - summit_s) > T_SUMMIT_S:
        return False
    usual = float(median(reading.rr_s))
    return bool(abs((at[number + 1] - at[number - 1]) / usual - 1) < ON_TIME)


def _pattern(found: NDArray[np.str_], early: str) -> str:
    """Bi- or trigeminy where it holds for three cycles, else nothing: its ventricular code."""
    word = "".join("V" if kind == early else "N" for kind in found)
    if "NVNVNV" in word:
        return "60b"
    return "60c" if "NNVNNVNNV" in word else ""


def pauses(reading: Reading, rhythm: Rhythm) -> None:
    """The longest interval, where no other statement says why it is long."""
    if explained := blocked_beats(reading, rhythm) or sinoatrial_block(reading, rhythm):
        rhythm.statements += explained
        return
    rr_max = rhythm.rr_max_s or 0.0
    usual = float(median(reading.rr_s)) if reading.rr_s.size else 0.0
    if rr_max < PAUSE_S or (rhythm.name != "complete_block" and rr_max < PAUSE_TIMES * usual):
        return
    if rhythm.name in ("complete_block", "vt", "paced") or rhythm.av_block:
        return
    at = np.concatenate([[0.0], reading.at_s, [reading.traces.duration_s]])
    longest = int(np.argmax(np.diff(at)))
    seen = evidence(
        "rr_ms", 1000 * rr_max, 1000 * PAUSE_S, "ms",
        start_s=at[longest], end_s=at[longest + 1], source=ACC_2018_BRADYCARDIA,
    )  # fmt: skip
    code = "50c" if rhythm.name == "af" else "26" if rhythm.name == "sinus" else "26b"
    rhythm.statements.append(say(code, seen, certainty="probable"))
