"""Were electrodes set differently than at the ECG before?

An exchange of left arm and left leg can hardly be seen in one ECG: what it makes of a heart is another heart's ordinary
ECG. Beside an earlier ECG of the same person it can: exchanging two electrodes gives every limb lead the place and the
sign of another, so that P, QRS and T of all six come back at once when it is undone. The exchange that brings the two
ECGs together is named; which of the two was taken wrongly, the arithmetic does not tell. Chest electrodes likewise.
Pure: two findings in, a word out.
"""

from collections.abc import Mapping
from typing import Final

from ecg_center.contract.findings import Findings, LeadMeasurements
from ecg_center.domain.leads import CHEST, LIMB

Places = Mapping[str, tuple[str, int]]
"""Lead: which lead it stands for, and the sign."""

LIMB_PAIRS: Final[dict[str, Places]] = {
    "RA/LA": {
        "I": ("I", -1), "II": ("III", 1), "III": ("II", 1), "aVR": ("aVL", 1), "aVL": ("aVR", 1), "aVF": ("aVF", 1),
    },
    "RA/LL": {
        "I": ("III", -1), "II": ("II", -1), "III": ("I", -1), "aVR": ("aVF", 1), "aVL": ("aVL", 1), "aVF": ("aVR", 1),
    },
    "LA/LL": {
        "I": ("II", 1), "II": ("I", 1), "III": ("III", -1), "aVR": ("aVR", 1), "aVL": ("aVF", 1), "aVF": ("aVL", 1),
    },
}  # fmt: skip
"""Einthoven's and Goldberger's leads with two electrodes exchanged; each undoes itself."""
CHEST_PAIRS: Final[dict[str, Places]] = {
    f"{one}/{other}": {lead: ({one: other, other: one}.get(lead, lead), 1) for lead in CHEST}
    for one, other in (("V1", "V2"), ("V2", "V3"), ("V1", "V3"), ("V3", "V4"))
}
"""Farther to the left neighbours are too like one another to be told apart."""
SINUS: Final = frozenset(("20", "21", "22", "23"))
P_WEIGHT: Final = 6.0
"""P is a tenth of the QRS, and moves less than it with posture and from year to year."""
NEARER: Final = 0.6
"""To this share of their distance an exchange must bring the two."""
LEAST_APART: Final = 0.2
"""Of the size of the leads: ECGs nearer than this to one another were taken alike. Chosen with ``bench.accuracy
exchanged``: LA/LL is named in 70 of 100 of LUDB (79 with CPSC 2018), nothing where both were taken alike."""


def exchanged(before: Findings, now: Findings) -> str | None:
    """The pair of electrodes that were exchanged at one of the two, e.g. ``LA/LL``; None where that is not seen.

    Nothing is said where either was recognised as exchanged by itself, or is not of a sinus rhythm: another pacemaker
    of the heart gives every lead another shape.
    """
    if any(
        one.quality.suspected_reversal or not SINUS & {said.code for said in one.statements} for one in (before, now)
    ):
        return None
    found = []
    for leads, pairs in ((LIMB, LIMB_PAIRS), (CHEST, CHEST_PAIRS)):
        old, new = _waves(before, leads), _waves(now, leads)
        if old is None or new is None:
            continue
        size = (sum(x * x for x in old.values()) * sum(x * x for x in new.values())) ** 0.25 or 1.0
        apart = _distance(old, new) / size
        if apart < LEAST_APART:
            continue
        nearest = min((_distance(old, _moved(new, places)) / size, pair) for pair, places in pairs.items())
        if nearest[0] <= NEARER * apart:
            found.append((nearest[0] / apart, nearest[1]))
    return min(found)[1] if found else None


Waves = dict[tuple[str, str], float]


def _waves(findings: Findings, leads: tuple[str, ...]) -> Waves | None:
    """Size of P, QRS and T by lead, P made larger; None without them all."""
    measured = findings.measurements.leads
    if not set(leads) <= measured.keys():
        return None
    return {(lead, name): value for lead in leads for name, value in _of(measured[lead]).items()}


def _of(lead: LeadMeasurements) -> dict[str, float]:
    net = max(lead.r_mv, lead.r2_mv) + min(lead.q_mv, lead.s_mv, 0.0)
    return {"p": P_WEIGHT * lead.p_mv, "qrs": net, "t": lead.t_mv}


def _moved(waves: Waves, places: Places) -> Waves:
    """What each lead would have shown, had the two electrodes been exchanged."""
    return {(lead, name): places[lead][1] * waves[places[lead][0], name] for lead, name in waves}


def _distance(one: Waves, other: Waves) -> float:
    return float(sum((value - other[key]) ** 2 for key, value in one.items()) ** 0.5)
