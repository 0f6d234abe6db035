"""Which of a bedside monitor's alarms are true, from its ECG alone? CinC 2015 (doi:10.1088/0967-3334/37/8/E5).

The two ECG leads of the last sixteen seconds before the alarm at 5:00 are read as a resting strip; the pulse trace,
which lets the challenge's best entries refute most false alarms, is not used. The challenge's definitions: asystole
four seconds without a beat, bradycardia below 40/min for five beats, tachycardia above 140/min for 17, tachycardia of
five ventricular beats above 100/min, fibrillation or flutter for four seconds. A true alarm that is silenced costs five
false ones, and the monitor has measured too: an alarm is refuted only where the strip stays clearly short of its
definition, by the margins below. An alarm of asystole is kept where fibrillation is said: the agonal line between the
two is not for a machine to draw.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.accuracy.data import cut, headers, recording
from bench.accuracy.score import Table
from ecg_center.contract.findings import Findings
from worker.recording import Recording
from worker.resting import analyse

NEEDS = "records of CinC 2015: the kind of alarm and True or False alarm in the header's comments"
ALARM_S: Final = 300.0
STRIP_S: Final = 16.0
ECG: Final = ("I", "II", "III", "V", "MCL", "AVR", "AVL", "AVF", "V1", "V2", "V5")
ASYSTOLE_S: Final = 3.0
"""Of the definition's four: what is long enough to be called a pause (ACC/AHA/HRS 2018) is no proof against standstill.
The false alarms of asystole here have no interval above 0.9 s."""
RATE_MARGIN: Final = 0.1
"""Beats that are found or missed at the ends of a run change its rate by so much."""
BRADYCARDIA: Final = (5, 40.0 * (1 + RATE_MARGIN))
TACHYCARDIA: Final = (17, 140.0 * (1 - RATE_MARGIN))
VT_BEATS: Final = 3
"""Of the definition's five: where three are seen in a row, two more may be taken for something else."""
VF_CODES: Final = frozenset(("74", "74a"))
VT_CODES: Final = frozenset(("70", "71", "72", "73", "73a", "76"))


def alarm_of(header: Path) -> tuple[str, bool]:
    """(kind, whether it is true) as the header says."""
    said = [line.lstrip("# ").strip() for line in header.read_text("latin-1").splitlines() if line.startswith("#")]
    return said[0], said[1].startswith("True")


def ecg_before(header: Path, seconds: float, end_s: float = ALARM_S) -> Recording:
    """The ECG leads of these seconds before ``end_s``."""
    whole = recording(header)
    rows = [row for row, lead in enumerate(whole.leads) if lead.upper() in ECG]
    stop = round(end_s * whole.sampling_hz)
    return cut(whole, stop - round(seconds * whole.sampling_hz), stop, rows)


def confirmed(kind: str, findings: Findings) -> bool:
    """Whether the findings of the strip say what the alarm said."""
    codes = {statement.code for statement in findings.statements}
    quivers = bool(codes & VF_CODES)
    if kind == "Ventricular_Flutter_Fib":
        return quivers
    if kind == "Ventricular_Tachycardia":
        return quivers or _runs(findings)
    if kind == "Asystole":
        return quivers or "26a" in codes or (findings.measurements.rr_max_ms or 0) >= 1000 * ASYSTOLE_S
    count, limit = BRADYCARDIA if kind == "Bradycardia" else TACHYCARDIA
    at = np.array(findings.beats_s)
    if at.size < count:
        return False
    bpm = 60 * (count - 1) / (at[count - 1 :] - at[: 1 - count])
    return bool((bpm < limit).any() if kind == "Bradycardia" else (bpm > limit).any())


def _runs(findings: Findings) -> bool:
    for statement in findings.statements:
        if statement.code in VT_CODES:
            beats = [item.value for item in statement.evidence if item.quantity == "run_beats"]
            if not beats or max(value or 0 for value in beats) >= VT_BEATS:
                return True
    return False


def run(folder: Path, options: Any) -> list[Table]:
    """True alarms kept, false ones refuted, and the challenge's score, by kind."""
    answers: list[tuple[str, str, bool, bool]] = []
    for header in headers(folder):
        kind, is_true = alarm_of(header)
        answers.append((kind, header.stem, is_true, confirmed(kind, analyse(ecg_before(header, STRIP_S)))))
    table = Table("Alarms, ECG only", ["kind", "true", "kept", "false", "refuted", "score"])
    for kind in [*sorted({answer[0] for answer in answers}), "all"]:
        mine = [answer for answer in answers if kind in (answer[0], "all")]
        kept = sum(said for _, _, is_true, said in mine if is_true)
        refuted = sum(not said for _, _, is_true, said in mine if not is_true)
        n_true = sum(is_true for _, _, is_true, _ in mine)
        n_false = len(mine) - n_true
        score = 100 * (kept + refuted) / max(1, kept + refuted + (n_false - refuted) + 5 * (n_true - kept))
        table.rows.append([kind, n_true, kept, n_false, refuted, f"{score:.1f}"])
        name = kind.lower()
        table.figures |= {
            f"{name}.tpr": 100 * kept / n_true if n_true else float("nan"),
            f"{name}.tnr": 100 * refuted / n_false if n_false else float("nan"),
            f"{name}.score": score,
        }
    wrong = [[kind, name, "true" if is_true else "false"] for kind, name, is_true, said in answers if said != is_true]
    return [table] if options.quick else [table, Table("Judged wrongly", ["kind", "record", "alarm"], wrong)]
