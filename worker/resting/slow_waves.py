"""Does what follows the QRS speak of potassium or of digitalis: a U wave above the T, an ST that sags?

The median beat ends where the next beat may begin; U lies behind it. Here the usual beats are averaged from the QRS to
the next P, in the leads in which the signs are looked for. U is what rises again behind a T: Surawicz 1957
(doi:10.1161/01.cir.16.5.750) calls an ECG typical of hypokalaemia by T/U of 1 or less, by a U above 0.05 mV in II or
0.1 mV in V3, and by ST depression of 0.05 mV. What differs: two leads are asked for, so that the P wave or the noise of
one does not speak of potassium; and since a T that comes late looks like a U, there must be a T of its own before it or
an ST that is lowered. A long QT whose one wave is late says nothing of potassium. Where the line between T and U does
not come down, the two have fused (152): of low potassium, of drugs, or of a congenital long QT.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ecg_center.contract.findings import Certainty, Statement
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.say import evidence, say
from worker.signal.order import median

POTASSIUM_LOW: Final = "Surawicz 1957, doi:10.1161/01.cir.16.5.750"
DIGITALIS: Final = "AHA/ACCF/HRS 2009 part IV, doi:10.1016/j.jacc.2008.12.014"
LEADS: Final[tuple[str, ...]] = ("II", "V2", "V3", "V4", "V5", "V6")
USUAL_QT_S: Final = 0.40
"""QT at 60/min of a heart without either disturbance; by Bazett at other rates."""
T_FROM_J_S: Final = 0.06
T_FALLS_S: Final = 0.10
"""T that is a little late may still fall for so long."""
LEAST_RR_S: Final = 0.6
"""Above 100/min U and P cannot be told apart."""
U_UV: Final = {"II": 50.0}
U_CHEST_UV: Final = 100.0
U_RISES_UV: Final = 30.0
U_RISES_SHARE: Final = 0.25
U_LEADS: Final = 2
U_HIGH_UV: Final = 200.0
T_OWN_UV: Final = 20.0
"""IEC 60601-2-25: a deflection counts from 20 µV on; so much the line must fall between a T and its U."""
FUSED_T_UV: Final = 100.0
FUSED_RATIO: Final = 0.5
"""The lower one over the higher: a usual U on the last of a tall T is no fusion."""
FUSED_SHARE: Final = 0.5
"""The line between them stays above this share of the lower one."""
U_INVERTED_LEADS: Final = ("V4", "V5", "V6")
U_INVERTED_UV: Final = -50.0
UPRIGHT_T_UV: Final = 100.0
U_LEAST_S: Final = 0.15
"""A U wave takes this long, and must end before the next P."""
ST_UV: Final = -50.0
SAG_UV: Final = -80.0
SAG_BELOW_J_UV: Final = -50.0
SAG_LEADS: Final = 3
SAG_J_UV: Final = -60.0
SAG_R_UV: Final = 600.0
QTC_MS: Final = 420.0
"""Digitalis shortens QT; what sags with a long one is not its effect."""


@dataclass(frozen=True, slots=True)
class TandU:
    """Heights over the PR level, µV: of T, of U, and of the lowest point between them."""

    t_uv: float
    u_uv: float
    dip_uv: float

    @property
    def two(self) -> bool:
        """Whether T is a wave of its own, and not the way up into one late wave."""
        return self.t_uv - self.dip_uv >= T_OWN_UV

    @property
    def fused(self) -> bool:
        """Whether two waves stand so close that the line between them does not come down."""
        lower, higher = sorted((self.t_uv, self.u_uv))
        alike = lower >= max(FUSED_T_UV, FUSED_RATIO * higher)
        return self.two and alike and self.dip_uv >= FUSED_SHARE * lower


def slow_waves(reading: Reading, rhythm: Rhythm, said: set[str]) -> list[Statement]:
    """Hypokalaemia and digitalis, of a narrow QRS whose ST is not raised."""
    if rhythm.name not in ("sinus", "atrial", "junctional", "af") or any(code.endswith(".330") for code in said):
        return []
    return _potassium(reading, rhythm) or _digitalis(reading, said)


def _potassium(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    if rhythm.name == "af" or reading.rr_s.size == 0 or float(median(reading.rr_s)) < LEAST_RR_S:
        return []
    both = _t_and_u(reading)
    tall = {lead: waves for lead, waves in both.items() if waves.u_uv >= U_UV.get(lead, U_CHEST_UV)}
    fused = _fused(both)
    over = [lead for lead, waves in tall.items() if waves.u_uv >= waves.t_uv]
    sunk = [lead for lead in LEADS if (waves := reading.wave(lead)) and waves.st60_uv <= ST_UV]
    if len(over) >= U_LEADS and (len(sunk) >= U_LEADS or sum(tall[lead].two for lead in over) >= U_LEADS):
        seen = evidence(
            "u_mv", max(tall[lead].u_uv for lead in over) / 1000, U_CHEST_UV / 1000, "mV", leads=over,
            source=POTASSIUM_LOW,
        )  # fmt: skip
        certainty: Certainty = "probable" if len(sunk) >= U_LEADS and len(over) > U_LEADS else "possible"
        found = [say("211", seen, certainty=certainty)]
        if sunk:
            lowest = min(reading.waves[lead].st60_uv for lead in sunk)
            found[0].evidence.append(evidence("st60_mv", lowest / 1000, ST_UV / 1000, "mV", leads=sunk))
        return found + fused
    high = [lead for lead, waves in tall.items() if waves.u_uv >= U_HIGH_UV and waves.two]
    if len(high) < U_LEADS:
        return fused or _inverted_u(reading)
    seen = evidence("u_mv", max(tall[lead].u_uv for lead in high) / 1000, U_HIGH_UV / 1000, "mV", leads=high)
    return [say("150", seen, certainty="possible"), *fused]


def _fused(both: dict[str, TandU]) -> list[Statement]:
    """T and U of which the one begins before the other has ended, in two leads."""
    here = {lead: waves.dip_uv / min(waves.t_uv, waves.u_uv) for lead, waves in both.items() if waves.fused}
    if len(here) < U_LEADS:
        return []
    seen = evidence("tu_dip", min(here.values()), FUSED_SHARE, "", leads=here, source=DIGITALIS)
    return [say("152", seen, certainty="possible")]


def _inverted_u(reading: Reading) -> list[Statement]:
    """U below the level behind an upright T, in V4 to V6: of ischaemia or a large ventricle (AHA 2009 part IV)."""
    limits, hz = reading.limits, reading.traces.hz
    leads = [lead for lead in U_INVERTED_LEADS if (waves := reading.wave(lead)) and waves.t_uv >= UPRIGHT_T_UV]
    long = reading.long_beats
    if long is None or limits is None or limits.t_off is None:
        return []
    beats = long[[reading.traces.leads.index(lead) for lead in leads]]
    first = limits.t_off - limits.qrs_on
    found: dict[str, float] = {}
    for lead, beat in zip(leads, beats, strict=True):
        part = beat[first:]
        if part.size < round(U_LEAST_S * hz):
            return []
        at = int(np.argmin(part))
        if part[at] <= U_INVERTED_UV and part[at:].max() >= part[at] + U_RISES_UV and at > 0:
            found[lead] = float(part[at])
    if len(found) < U_LEADS:
        return []
    seen = evidence("u_mv", min(found.values()) / 1000, U_INVERTED_UV / 1000, "mV", leads=found, source=DIGITALIS)
    return [say("151", seen, certainty="possible")]


def _t_and_u(reading: Reading) -> dict[str, TandU]:
    """T and the U behind it by lead; without the leads in which nothing rises behind T."""
    limits, hz = reading.limits, reading.traces.hz
    leads = [lead for lead in LEADS if lead in reading.waves]
    long = reading.long_beats
    if long is None or limits is None:
        return {}
    beats = long[[reading.traces.leads.index(lead) for lead in leads]]
    usual = round(USUAL_QT_S * float(np.sqrt(median(reading.rr_s))) * hz)
    start = limits.qrs_off - limits.qrs_on + round(T_FROM_J_S * hz)
    if not start + round(0.1 * hz) < usual < beats.shape[1] - round(0.05 * hz):
        return {}
    found: dict[str, TandU] = {}
    for lead, beat in zip(leads, beats, strict=True):
        t_at = start + int(np.argmax(beat[start : usual - round(0.02 * hz)]))
        floor = usual + int(np.argmin(beat[usual : usual + round(T_FALLS_S * hz)]))
        at = floor + int(np.argmax(beat[floor:]))
        if at in (floor, beats.shape[1] - 1):
            continue  # nothing rises behind T, or it is P
        dip = float(beat[t_at:at].min())
        if float(beat[at]) - dip >= max(U_RISES_UV, U_RISES_SHARE * float(beat[at])):
            found[lead] = TandU(float(beat[t_at]), float(beat[at]), dip)
    return found


def _digitalis(reading: Reading, said: set[str]) -> list[Statement]:
    """ST that leaves J hardly lowered and sags like a scoop, up again before T ends, in leads of a tall R; QT short."""
    limits = reading.limits
    if limits is None or limits.t_off is None or "148" in said or not said & {"145b", "145c"}:
        return []
    qtc_ms = reading.ms(limits.t_off - limits.qrs_on) / float(np.sqrt(median(reading.rr_s)))
    if qtc_ms > QTC_MS:
        return []
    here = [lead for lead in ("I", *LEADS) if _sags(reading, lead)]
    if len(here) < SAG_LEADS:
        return []
    lowest = min(reading.waves[lead].t_low_uv for lead in here)
    seen = evidence("st_deviation_mv", lowest / 1000, SAG_UV / 1000, "mV", leads=here, source=DIGITALIS)
    return [say("205", seen, evidence("qtc_ms", qtc_ms, QTC_MS, "ms"), certainty="possible")]


def _sags(reading: Reading, lead: str) -> bool:
    """Lowest well below J, and up again in T."""
    waves = reading.wave(lead)
    if waves is None or waves.r_uv < SAG_R_UV or waves.st_j_uv < SAG_J_UV:
        return False
    falls = waves.st80_uv < waves.st_j_uv and waves.t_low_uv <= min(SAG_UV, waves.st_j_uv + SAG_BELOW_J_UV)
    return falls and not waves.t_falls_late and waves.t_high_uv > waves.t_low_uv - SAG_UV
