"""Are exchanged electrodes named, and unexchanged ones left in peace? Real sinus rhythms, swapped."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.classes import labels
from bench.accuracy.data import headers, person, recording
from bench.accuracy.score import Table, halves
from worker.leads import TWELVE
from worker.recording import Recording
from worker.resting import analyse

NEEDS = "12-lead records; LUDB with its ludb.csv, or '# Dx:' with normal ones"
Floats = NDArray[np.float64]
CHEST: Final = (("V1", "V2"), ("V2", "V3"), ("V1", "V3"))
LIMB: Final = ("RA/LA", "RA/LL", "LA/LL")


def swapped(whole: Recording, pair: str) -> Recording:
    """The recording as it would be with these two electrodes exchanged."""
    uv = {lead: whole.microvolts()[whole.row(lead)] for lead in TWELVE}
    first, second = pair.split("/")
    if first in TWELVE:
        uv[first], uv[second] = uv[second], uv[first]
    else:
        one, two, three = uv["I"], uv["II"], uv["III"]
        one, two = {"RA/LA": (-one, three), "RA/LL": (-three, -two), "LA/LL": (two, one)}[pair]
        uv |= {"I": one, "II": two, "III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2,
               "aVF": two - one / 2}  # fmt: skip
    digital = np.rint(np.stack([uv[lead] for lead in TWELVE])).clip(-32768, 32767).astype(np.int16)
    ones, zeros = np.ones(12), np.zeros(12)
    made = Recording("swapped", "resting", TWELVE, digital, ones, zeros, whole.sampling_hz)
    return replace(made, identity=whole.identity)


def chosen(folder: Path, half: str | None) -> list[Path]:
    """Sinus rhythm without more than a reader would call ordinary."""
    found = [header for header in headers(folder) if half in (None, halves(header.stem))]
    table = folder / "ludb.csv"
    if table.exists():
        with table.open(encoding="utf-8-sig") as lines:
            rows = {row["ID"].strip(): row for row in csv.DictReader(lines)}
        return [
            header
            for header in found
            if header.stem in rows
            and rows[header.stem]["Rhythms"].lower().startswith("sinus")
            and not rows[header.stem]["Cardiac pacing"].strip()
        ]
    return [header for header in found if labels(header) == {"Normal"}]


def run(folder: Path, options: Any) -> list[Table]:
    """Sensitivity by pair, and specificity."""
    records = [replace(recording(header), identity=person(header)) for header in chosen(folder, options.half)]
    records = [whole for whole in records if set(TWELVE) <= set(whole.leads)]
    table = Table(
        f"Electrode reversals, {len(records)} records in sinus rhythm", ["exchange", "named %", "else named %"]
    )
    plain = [analyse(swapped(whole, "V1/V1")).quality.suspected_reversal for whole in records]
    for pair in (*LIMB, *("/".join(leads) for leads in CHEST)):
        said = [analyse(swapped(whole, pair)).quality.suspected_reversal for whole in records]
        right = 100 * sum(word == pair for word in said) / max(1, len(said))
        other = 100 * sum(word is not None and word != pair for word in said) / max(1, len(said))
        table.rows.append([pair, right, other])
        table.figures[f"{pair}.se"] = right
    false = [word for word in plain if word is not None]
    specificity = 100 - 100 * len(false) / max(1, len(plain))
    table.rows.append(["none", specificity, 100 - specificity])
    table.figures["sp"] = specificity
    table.note = "named without cause: " + (", ".join(false) or "none")
    return [table]
