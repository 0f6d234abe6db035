"""Can the recording be read, and if not, what does the technician do about it?

Limits are those at which a reader's measurements start to suffer, not those at which the trace looks less than perfect:
asking a clinic to record again costs a patient's time.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import numpy as np

from ecg_center.contract.findings import LeadQuality, Measurements, Quality
from ecg_center.domain.leads import LIMB
from worker.resting.traces import Traces
from worker.signal.filters import Floats, highpass, lowpass, moving_mean
from worker.signal.order import median, quantile

FLAT_UV: Final = 30.0
"""Peak to peak in a stretch of half a second; the smallest beat in any lead of LUDB and CPSC 2018 has more."""
FLAT_SHARE: Final = 0.8
COVERED: Final = 0.8
RAIL_UV: Final = 2500.0
RAIL_SHARE: Final = 0.02
CLIP_S: Final = 0.012
WANDER_UV: Final = (1000.0, 6000.0)
MAINS_UV: Final = (50.0, 200.0)
MUSCLE_UV: Final = (25.0, 70.0)
"""(noisy, unusable): drift peak to peak, mains amplitude, rms above 35 Hz between the beats."""
MUSCLE_HZ: Final = (35.0, 100.0)
MOTION_UV: Final = 500.0
MOTION_S: Final = 0.5
"""An electrode that moves shifts the base line by this within half a second: the record ``em`` of the noise stress test
in most of its tens of seconds, one in 200 leads of LUDB and CPSC 2018."""
DRIFT_STEP: Final = 16
"""Samples from one level of the drift to the next."""
TOO_LONG: Final = (170.0, 150.0, 520.0, 50.0)
TOO_SHORT: Final = (80.0, 60.0, 330.0, 110.0)
"""P, QRS and QTc (Bazett, ms) and rate (/min): a heart that is beyond all of them at once was recorded at another rate
than the file says. No disease makes P, QRS and QT half as long, or twice; a complete block with a ventricular escape
has a long QRS and QT, so that there P has to be seen as well."""
MAX_BAD_LEADS: Final = 3

ADVICE: Final[dict[str, tuple[str, str]]] = {
    "lead_off": ("电极脱落：检查并重新连接{leads}电极后重新采集", "electrode off: reconnect {leads} and record again"),
    "flat": ("{leads}无信号：检查导联线与电极", "no signal in {leads}: check cable and electrode"),
    "saturated": ("{leads}信号饱和：清洁皮肤、更换电极", "{leads} saturated: clean the skin, renew the electrode"),
    "clipped": ("{leads}波形被削顶：降低增益", "{leads} clipped: lower the gain"),
    "baseline_wander": (
        "{leads}基线漂移：清洁皮肤、贴紧电极，请患者平静呼吸",
        "baseline wander in {leads}: clean the skin, press the electrodes on, ask the patient to breathe quietly",
    ),
    "mains": (
        "{leads}交流电干扰：远离电源，检查接地与电极接触",
        "mains interference in {leads}: keep away from power lines, check earth and electrode contact",
    ),
    "motion": (
        "{leads}电极移动：固定导联线、贴紧电极，请患者勿动",
        "the electrode moved in {leads}: fix the cable, press it on, ask the patient to lie still",
    ),
    "muscle": (
        "{leads}肌电干扰：请患者放松、保暖，勿用力或说话",
        "muscle tremor in {leads}: ask the patient to relax, keep warm and not to talk",
    ),
}
REVERSAL_ADVICE: Final = (
    "疑似{pair}电极反接：核对电极位置后重新采集（需除外右位心）",
    "electrodes {pair} seem to be exchanged: check them and record again (dextrocardia to be excluded)",
)
RATE_ADVICE: Final = (
    "波形时限与文件标注的采样率不符：核对采样率后重新采集",
    "the durations do not fit the file's sampling rate: check it and record again",
)
_PAIR_ZH: Final = {"RA/LA": "左、右手", "RA/LL": "右手、左足", "LA/LL": "左手、左足"}


def lead_qualities(traces: Traces) -> list[LeadQuality]:
    """What is wrong with each lead."""
    drift = moving_mean(traces.raw, round(1.2 * traces.hz), DRIFT_STEP)
    muscle, wander, moved = _muscle_uv(traces), _wander_uv(drift), _moved(drift, traces.hz)
    lowest, highest = traces.raw.min(axis=1), traces.raw.max(axis=1)
    absent = _absent(traces, highest - lowest)
    qualities = []
    for row, lead in enumerate(traces.leads):
        gone = absent[row]
        if gone:
            qualities.append(
                LeadQuality(lead=lead, verdict="off" if gone == "lead_off" else "unusable", reasons=[gone])
            )
            continue
        measured = (
            ("baseline_wander", float(wander[row]), WANDER_UV),
            ("mains", float(traces.mains_uv[row]), MAINS_UV),
            ("muscle", float(muscle[row]), MUSCLE_UV),
        )
        reasons = [name for name, value, limits in measured if value >= limits[0]]
        unusable = any(value >= limits[1] for _, value, limits in measured)
        if moved[row]:
            reasons.append("motion")
        rails = _rails(traces.raw[row], (float(highest[row]), float(lowest[row])), traces.hz)
        if rails:
            reasons.append(rails)
        verdict = "unusable" if unusable or rails == "saturated" else "noisy" if reasons else "good"
        qualities.append(LeadQuality(lead=lead, verdict=verdict, reasons=reasons, moved_s=moved[row]))
    return qualities


def _absent(traces: Traces, spans: Floats) -> list[str]:
    """``lead_off``, ``flat`` or nothing, for each lead. ``spans``: (n_leads,) µV peak to peak."""
    raw, width = traces.raw, max(2, round(0.5 * traces.hz))
    whole = raw.shape[1] // width
    parts = raw[:, : whole * width].reshape(len(raw), whole, width) if whole else raw[:, None]
    of_parts = np.ptp(parts, axis=2)
    flat = (np.mean(of_parts < FLAT_UV, axis=1) >= FLAT_SHARE) & (quantile(of_parts, 0.95) < 3 * FLAT_UV)
    gone = (traces.covered < COVERED) | (spans == 0)
    return ["lead_off" if off else "flat" if low else "" for off, low in zip(gone, flat, strict=True)]


def _rails(signal: Floats, extremes: tuple[float, float], hz: float) -> str:
    """``saturated`` where the trace lies on a rail, ``clipped`` where peaks are cut off, else nothing."""
    for extreme in extremes:
        if abs(extreme) < RAIL_UV:
            continue
        on_rail = np.abs(signal - extreme) < 1.0
        if on_rail.mean() > RAIL_SHARE:
            return "saturated"
        if moving_mean(on_rail.astype(float), max(2, round(CLIP_S * hz))).max() >= 0.999:
            return "clipped"
    return ""


def _muscle_uv(traces: Traces) -> Floats:
    """(n_leads,) rms above 35 Hz between the beats, mains left out."""
    response = _muscle_response(traces.spectrum.length, traces.hz)
    power = moving_mean(traces.spectrum.band(response) ** 2, round(0.1 * traces.hz), 8)
    level: Floats = np.sqrt(median(power, axis=1))
    return level


@lru_cache(4)
def _muscle_response(length: int, hz: float) -> Floats:
    """The response at each frequency of a transform of so many samples; not to be written to."""
    frequencies = np.asarray(np.fft.rfftfreq(length, 1 / hz), np.float64)
    response = highpass(frequencies, MUSCLE_HZ[0], 4) * lowpass(frequencies, MUSCLE_HZ[1])
    for mains in (50.0, 60.0):
        response[np.abs(frequencies - mains) < 1.5] = 0
    return response


def _wander_uv(drift: Floats) -> Floats:
    """(n_leads,) drift below 0.5 Hz, peak to peak without the outermost hundredth."""
    span: Floats = quantile(drift, 0.99) - quantile(drift, 0.01)
    return span


def _moved(drift: Floats, hz: float) -> list[list[tuple[float, float]]]:
    """The seconds in which the electrode of each lead moved."""
    apart = max(1, round(MOTION_S * hz / DRIFT_STEP))
    far = np.abs(drift[:, apart:] - drift[:, :-apart]) >= MOTION_UV
    if not far.any():
        return [[] for _ in drift]
    edges = [np.flatnonzero(np.diff(np.concatenate([[0], row, [0]]))).reshape(-1, 2) for row in far.astype(np.int8)]
    step_s = DRIFT_STEP / hz
    return [[(round(a * step_s, 2), round((b - 1 + apart) * step_s, 2)) for a, b in row.tolist()] for row in edges]


def wrong_rate(measured: Measurements, *, of_a_child: bool) -> bool:
    """Whether a heart is too slow or too fast in everything at once, as where the file names another sampling rate.

    A rate twice or half the true one is told in most people, less of a difference never.
    """
    p, qrs, qtc = measured.p_ms, measured.qrs_ms, measured.qtc_by_formula.get("bazett")
    bpm = measured.heart_rate_bpm
    if qrs is None or qtc is None or bpm is None:
        return False
    long_p, long_qrs, long_qtc, slow = TOO_LONG
    short_p, short_qrs, short_qtc, fast = TOO_SHORT
    too_long = p is not None and p >= long_p and qrs >= long_qrs and qtc >= long_qtc and bpm <= slow
    too_short = (p is None or p <= short_p) and qrs <= short_qrs and qtc <= short_qtc and bpm >= fast
    return too_long or (too_short and not of_a_child)


def doubting_the_rate(quality: Quality) -> Quality:
    """The verdict on a recording of which :func:`wrong_rate` is true."""
    zh, en = RATE_ADVICE
    update = {
        "verdict": "repeat",
        "advice_zh": "；".join(filter(None, (zh, quality.advice_zh))),
        "advice_en": "; ".join(filter(None, (en, quality.advice_en))),
    }
    return quality.model_copy(update=update)


def usable_rows(leads: Iterable[LeadQuality], names: tuple[str, ...], *, derived: bool = True) -> list[int]:
    """Rows that may be measured; with ``derived`` False only one lead for each independent one (I, II, V1 …)."""
    redundant = () if derived else ("III", "aVR", "aVL", "aVF")
    return [
        row for row, quality in enumerate(leads) if quality.verdict in ("good", "noisy") and names[row] not in redundant
    ]


def verdict(leads: list[LeadQuality], reversal: str | None, *, readable: bool) -> Quality:
    """The recording as a whole, with the technician's advice."""
    bad = [quality.lead for quality in leads if quality.verdict in ("off", "unusable")]
    # one limb electrode stands in at least two of I, II, III; a chest electrode in one lead
    limb_electrode = len([lead for lead in bad if lead in ("I", "II", "III")]) >= 2
    lost = not readable or limb_electrode or len(bad) > MAX_BAD_LEADS
    noisy = [quality.lead for quality in leads if quality.verdict == "noisy"]
    word = "repeat" if lost or reversal else "limited" if bad or len(noisy) > len(leads) // 2 else "usable"
    zh, en = _advice(leads, reversal) if word != "usable" else ("", "")
    return Quality(verdict=word, leads=leads, suspected_reversal=reversal, advice_zh=zh, advice_en=en)


def _advice(leads: list[LeadQuality], reversal: str | None) -> tuple[str, str]:
    lines: list[tuple[str, str]] = []
    if reversal:
        zh, en = REVERSAL_ADVICE
        lines.append((zh.format(pair=_PAIR_ZH.get(reversal, reversal)), en.format(pair=reversal)))
    for reason, (zh, en) in ADVICE.items():
        named = [quality.lead for quality in leads if reason in quality.reasons]
        if named:
            lines.append((zh.format(leads=_names(named, "、")), en.format(leads=_names(named, ", "))))
    return "；".join(line[0] for line in lines), "; ".join(line[1] for line in lines)


def _names(leads: list[str], separator: str) -> str:
    if len(leads) >= 12:
        return "全部导联" if separator == "、" else "all leads"
    if set(leads) == set(LIMB):
        return "肢体导联" if separator == "、" else "the limb leads"
    return separator.join(leads)
