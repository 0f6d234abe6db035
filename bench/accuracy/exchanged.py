"""Is an exchange of electrodes named beside an earlier ECG of the same person?

Nobody has published pairs of ECGs of which one was taken with exchanged electrodes. So the first half of each real
12-lead record is the earlier ECG and the second half the later one, taken otherwise by as much as posture, breathing
and electrodes placed anew do: the frontal axis turned (SD 12°), the limb leads 0.8 to 1.25 times as large, each chest
lead mixed with up to three tenths of its neighbour. Then two electrodes are exchanged, by arithmetic.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import headers, person, recording
from bench.accuracy.reversal import swapped
from bench.accuracy.score import Table
from ecg_center.contract.findings import Findings
from ecg_center.preread.exchanged import SINUS, exchanged
from worker.leads import TWELVE
from worker.recording import Recording
from worker.resting import analyse

NEEDS = "12-lead records of 10 s and more"
PAIRS: Final = ("RA/LA", "RA/LL", "LA/LL", "V1/V2", "V2/V3", "V1/V3", "V3/V4")
TURN_DEG: Final = 12.0
GAIN: Final = (0.8, 1.25)
BESIDE: Final = 0.3
Floats = NDArray[np.float64]


def run(folder: Path, options: Any) -> list[Table]:
    """Named, by either the single ECG or the comparison; and what is named without cause."""
    rng, before, after = np.random.default_rng(1), [], []
    for header in headers(folder)[: options.limit or None]:
        whole = replace(recording(header), identity=person(header))
        if not set(TWELVE) <= set(whole.leads):
            continue
        uv = whole.microvolts()[[whole.row(lead) for lead in TWELVE]]
        middle = uv.shape[1] // 2
        first = analyse(_recording(_einthoven(uv[:, :middle]), whole))
        second = _recording(_varied(_einthoven(uv[:, middle:]), rng), whole)
        if SINUS & {said.code for said in first.statements} and not first.quality.suspected_reversal:
            before.append(first)
            after.append(second)
    table = Table(f"Exchanged beside an earlier ECG, {len(before)} sinus rhythms", ["exchange", "alone %", "beside %"])
    for pair in PAIRS:
        later = [analyse(swapped(one, pair)) for one in after]
        alone = [one.quality.suspected_reversal == pair for one in later]
        beside = [_named(old, new) == pair for old, new in zip(before, later, strict=True)]
        table.rows.append([pair, 100 * float(np.mean(alone)), 100 * float(np.mean(beside))])
        table.figures[f"{pair}.se"] = 100 * float(np.mean(beside))
    plain = [analyse(one) for one in after]
    false = [word for old, new in zip(before, plain, strict=True) if (word := exchanged(old, new))]
    table.figures["sp"] = 100 - 100 * len(false) / max(1, len(before))
    table.rows.append(["none", "", table.figures["sp"]])
    table.note = "named without cause: " + (", ".join(false) or "none")
    return [table]


def _named(before: Findings, now: Findings) -> str | None:
    return now.quality.suspected_reversal or exchanged(before, now)


def _recording(uv: Floats, whole: Recording) -> Recording:
    digital = np.rint(uv).clip(-32768, 32767).astype(np.int16)
    made = Recording("half", "resting", TWELVE, digital, np.ones(12), np.zeros(12), whole.sampling_hz)
    return replace(made, identity=whole.identity)


def _einthoven(uv: Floats) -> Floats:
    """The limb leads from I and II: LUDB's were scaled one by one."""
    one, two = uv[0], uv[1]
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.concatenate([np.stack(limb), uv[6:]])


def _varied(uv: Floats, rng: np.random.Generator) -> Floats:
    turn, gain = np.radians(rng.normal(0, TURN_DEG)), rng.uniform(*GAIN)
    across, down = uv[0], (2 * uv[1] - uv[0]) / np.sqrt(3)
    one = gain * (np.cos(turn) * across - np.sin(turn) * down)
    down = gain * (np.sin(turn) * across + np.cos(turn) * down)
    chest = uv[6:].copy()
    for row in range(6):
        share = float(rng.uniform(-BESIDE, BESIDE))
        neighbour = uv[6 + min(5, max(0, row + (1 if share > 0 else -1)))]
        chest[row] = rng.uniform(0.85, 1.18) * ((1 - abs(share)) * uv[6 + row] + abs(share) * neighbour)
    return _einthoven(np.concatenate([one[None], ((one + np.sqrt(3) * down) / 2)[None], uv[2:6], chest]))
