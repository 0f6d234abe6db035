"""Does what follows the QRS speak of potassium or of digitalis: a U wave above the T, an ST that sags?

The median beat ends where the next beat may begin; U lies behind it. Here the usual beats are averaged from the QRS to
the next P, in the leads in which the signs are looked for. U is what rises again behind a T: Surawicz 1957
(doi:10.1161/01.cir.16.5.750) calls an ECG typical of hypokalaemia by T/U of 1 or less, by a U above 0.05 mV in II or
0.1 mV in V3, and by ST depression of 0.05 mV. What differs: two leads are asked for, so that the P wave or the noise of
one does not speak of potassium.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ecg_center.contract.findings import Certainty, Statement
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.say import evidence, say
from worker.signal.filters import Floats, moving_mean

POTASSIUM_LOW: Final = "Surawicz 1957, doi:10.1161/01.cir.16.5.750"
DIGITALIS: Final = "AHA/ACCF/HRS 2009 part IV, doi:10.1016/j.jacc.2008.12.014"
LEADS: Final[tuple[str, ...]] = ("II", "V2", "V3", "V4", "V5", "V6")
USUAL_QT_S: Final = 0.40
"""QT at 60/min of a heart without either disturbance; by Bazett at other rates."""
T_FROM_J_S: Final = 0.06
T_FALLS_S: Final = 0.10
"""T that is a little late may still fall for so long."""
LEAST_S, LAST_S = 0.3, 0.75
BEFORE_P_S: Final = 0.03
UNKNOWN_P_S: Final = 0.22
SMOOTH_S: Final = 0.03
LEAST_RR_S: Final = 0.6
"""Above 100/min U and P cannot be told apart."""
LEAST_BEATS: Final = 4
U_UV: Final = {"II": 50.0}
U_CHEST_UV: Final = 100.0
U_RISES_UV: Final = 30.0
U_RISES_SHARE: Final = 0.25
U_LEADS: Final = 2
U_HIGH_UV: Final = 200.0
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
    """Heights of T and of U over the PR level, µV."""

    t_uv: float
    u_uv: float


def slow_waves(reading: Reading, rhythm: Rhythm, said: set[str]) -> list[Statement]:
    """Hypokalaemia and digitalis, of a narrow QRS whose ST is not raised."""
    if rhythm.name not in ("sinus", "atrial", "junctional", "af") or any(code.endswith(".330") for code in said):
        return []
    return _potassium(reading, rhythm) or _digitalis(reading, said)


def _potassium(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    if rhythm.name == "af" or reading.rr_s.size == 0 or float(np.median(reading.rr_s)) < LEAST_RR_S:
        return []
    both = _t_and_u(reading)
    tall = {lead: waves for lead, waves in both.items() if waves.u_uv >= U_UV.get(lead, U_CHEST_UV)}
    over = [lead for lead, waves in tall.items() if waves.u_uv >= waves.t_uv]
    if len(over) >= U_LEADS:
        seen = evidence(
            "u_mv", max(tall[lead].u_uv for lead in over) / 1000, U_CHEST_UV / 1000, "mV", leads=over,
            source=POTASSIUM_LOW,
        )  # fmt: skip
        sunk = [lead for lead in LEADS if (waves := reading.wave(lead)) and waves.st60_uv <= ST_UV]
        certainty: Certainty = "probable" if len(sunk) >= U_LEADS and len(over) > U_LEADS else "possible"
        found = [say("211", seen, certainty=certainty)]
        if sunk:
            lowest = min(reading.waves[lead].st60_uv for lead in sunk)
            found[0].evidence.append(evidence("st60_mv", lowest / 1000, ST_UV / 1000, "mV", leads=sunk))
        return found
    high = [lead for lead, waves in tall.items() if waves.u_uv >= U_HIGH_UV]
    if len(high) < U_LEADS:
        return _inverted_u(reading)
    seen = evidence("u_mv", max(tall[lead].u_uv for lead in high) / 1000, U_HIGH_UV / 1000, "mV", leads=high)
    return [say("150", seen, certainty="possible")]


def _inverted_u(reading: Reading) -> list[Statement]:
    """U below the level behind an upright T, in V4 to V6: of ischaemia or a large ventricle (AHA 2009 part IV)."""
    limits, hz = reading.limits, reading.traces.hz
    leads = [lead for lead in U_INVERTED_LEADS if (waves := reading.wave(lead)) and waves.t_uv >= UPRIGHT_T_UV]
    beats = _long_beats(reading, leads)
    if beats is None or limits is None or limits.t_off is None:
        return []
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
    beats = _long_beats(reading, leads)
    if beats is None or limits is None:
        return {}
    usual = round(USUAL_QT_S * float(np.sqrt(np.median(reading.rr_s))) * hz)
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
        rises = float(beat[at] - beat[t_at:at].min())
        if rises >= max(U_RISES_UV, U_RISES_SHARE * float(beat[at])):
            found[lead] = TandU(float(beat[t_at]), float(beat[at]))
    return found


def _long_beats(reading: Reading, leads: list[str]) -> Floats | None:
    """(n_leads, n) the usual beats' mean from the onset of QRS to the next P, over the PR level; None of too few."""
    limits, hz = reading.limits, reading.traces.hz
    if limits is None or not leads:
        return None
    before_p_s = BEFORE_P_S + (reading.ms(limits.r - limits.p_on) / 1000 if limits.p_on is not None else UNKNOWN_P_S)
    length = round(min(LAST_S, float(np.quantile(reading.rr_s, 0.2)) - before_p_s) * hz)
    quiet, back = round(0.02 * hz), limits.r - limits.qrs_on
    at = reading.beats.at
    room = np.append(np.diff(at), length + back) >= length + back  # before an early beat there is no whole one
    starts = at[(reading.beats.group == 0) & room] - back
    starts = starts[(starts >= quiet) & (starts + length <= reading.traces.clean.shape[1])]
    if length < LEAST_S * hz or starts.size < LEAST_BEATS:
        return None
    signal = reading.traces.clean[[reading.traces.leads.index(lead) for lead in leads]]
    whole = sum(signal[:, at - quiet : at + length] for at in starts.tolist()) / starts.size
    level = whole[:, : quiet - 2].mean(axis=1, keepdims=True)
    return moving_mean(whole[:, quiet:] - level, max(1, round(SMOOTH_S * hz)))


def _digitalis(reading: Reading, said: set[str]) -> list[Statement]:
    """ST that leaves J hardly lowered and sags like a scoop, up again before T ends, in leads of a tall R; QT short."""
    limits = reading.limits
    if limits is None or limits.t_off is None or "148" in said or not said & {"145b", "145c"}:
        return []
    qtc_ms = reading.ms(limits.t_off - limits.qrs_on) / float(np.sqrt(np.median(reading.rr_s)))
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
