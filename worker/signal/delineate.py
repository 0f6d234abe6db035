"""Where do P, QRS and T begin and end in the median beat, over all leads together?

Global limits, as IEC 60601-2-25 and the CSE working party want them (doi:10.1093/oxfordjournals.eurheartj.a062018): the
earliest onset and the latest end in any lead, where the heart as a whole starts and stops. The QRS is found on the
spatial velocity, P and T on the lead combination that shows them best (first principal component), so that an
isoelectric lead neither shortens nor lengthens them. T ends where the steepest tangent of its descent meets the base
(Lepeschkin and Surawicz, doi:10.1161/01.CIR.6.3.378), moved on by what LUDB's readers see beyond it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from worker.signal.beats import Beats, MedianBeat
from worker.signal.filters import Floats, moving_mean, ramp, slope
from worker.signal.order import median, quantile

QRS_BEFORE_S: Final = 0.14
QRS_AFTER_S: Final = 0.20
CORE: Final = 0.20
"""Share of the greatest velocity above which a sample belongs to the QRS without doubt."""
ONSET: Final = 0.045
LEAD_IN_S, LEAD_IN = 0.030, 0.10
"""What creeps along for longer than this before the QRS proper is a P or a drift; a delta wave is faster than that."""
OFFSET: Final = 0.060
PACED_OFFSET: Final = 0.12
"""A paced QRS runs out into an ST that moves from the start; what moves again behind it is T."""
NOISE_TIMES: Final = 2.5
QUIET_S: Final = 0.010
BRIDGE_S: Final = 0.036
"""The longest calm inside a QRS (notch of a bundle branch block)."""

RESUMES: Final = 0.11
RESUMES_WITHIN_S: Final = 0.050
RESUMES_UNTIL_S: Final = 0.16
"""What moves again within this time after a calm, up to this length of the QRS, belongs to it."""
CLOSE_RR_S: Final = 0.31
"""Where beats follow each other as fast as this, T rises within that time: only what is as fast as QRS is of it."""

T_FROM_J_S: Final = 0.06
T_MIN_UV: Final = 40.0
P_MIN_UV: Final = 30.0
P_NOISE_TIMES: Final = 4.0
NOISY_TIMES: Final = 3.0
"""A lead with this many times the usual noise would drown the P of the others."""
P_REACHES_S: Final = (0.24, 0.34, 0.46)
P_NEARER_S: Final = (0.20, 0.18, 0.16)
P_SAME_S: Final = 0.03
"""A wave without an onset, for it rides on the T before, is looked at once more in windows that leave that T out."""
P_QRS_GAP_S: Final = 0.008
FAST_RR_S: Final = 0.65
P_MARGIN_S: Final = 0.024
P_CLEAR_TIMES: Final = 2.0
P_SHORTEST_S: Final = 0.04
P_LONGEST_S: Final = 0.17
P_CALM: Final = 0.15
P_BASE_SHARE: Final = 0.5
P_BEYOND_TANGENT: Final = (0.45, 0.10)
"""How far its onset and end lie from the tangent's foot towards where P rests: as LUDB's readers mark them."""
T_EDGE_S: Final = 0.02
LOW: Final = 0.1
"""A share of its summit below which T has ended, if it ever comes there."""
T_LOBES_S, T_SECOND_LOBE = 0.18, 0.5
"""A T of two lobes ends with the second, if that is this large a share of the first; a U wave is neither that large nor
that near."""
T_BEYOND_TANGENT: Final = 0.30
SPIKE_BEFORE_R_S: Final = (0.15, 0.03)
SPIKE_STEADY_S: Final = 0.008
SPIKE_SHARE: Final = 0.3
"""Of the beats; a spike that was drowned in one beat stands in the next."""
SPIKE_LASTS_S: Final = 0.014
"""What is left of a blanked spike in the median beat; the ventricle answers later than that."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Samples in the median beat; None where the wave was not found."""

    r: int
    qrs_on: int
    qrs_off: int
    p_on: int | None = None
    p_off: int | None = None
    t_peak: int | None = None
    t_off: int | None = None
    p_uv: float = 0.0
    """Size of P in the combination of leads that shows it best."""
    spike_off: int | None = None
    """Where the pacing spike that starts this QRS has died away."""


def pacing_spike(spikes_s: list[float], beats: Beats, hz: float) -> int | None:
    """How many samples before R the pacemaker starts the dominant QRS; None where it does not."""
    if not spikes_s:
        return None
    leads_in = []
    for at in beats.at[beats.group == 0].tolist():
        before = [at - second * hz for second in spikes_s]
        near = [lead_in for lead_in in before if SPIKE_BEFORE_R_S[1] * hz <= lead_in <= SPIKE_BEFORE_R_S[0] * hz]
        leads_in += near[:1]
    if not leads_in:
        return None
    usual = float(np.median(leads_in))
    steady = sum(abs(lead_in - usual) <= SPIKE_STEADY_S * hz for lead_in in leads_in)
    return round(usual) if steady >= max(2, SPIKE_SHARE * (beats.group == 0).sum()) else None


def delineate(
    beat: MedianBeat,
    usable: list[int],
    hz: float,
    rr_s: float,
    *,
    with_p: bool = True,
    spike_before_r: int | None = None,
) -> Limits | None:
    """The global limits of the median beat; None where there is no QRS to hold on to.

    Args:
        beat: the median beat.
        usable: the leads that may be believed.
        hz: its sampling rate.
        rr_s: the usual interval between beats.
        with_p: look for the P wave, too; a third of the time.
        spike_before_r: samples from the pacing spike to R; the QRS cannot begin before the pacemaker has spoken.
    """
    if not usable:
        return None
    signal = moving_mean(beat.signal[usable], max(1, round(0.006 * hz)))
    velocity = np.sqrt((slope(signal) ** 2).sum(axis=0)) * hz / 1000
    resumes = RESUMES if rr_s > CLOSE_RR_S else CORE
    qrs = _qrs(velocity, beat.r, hz, resumes, paced=spike_before_r is not None)
    if qrs is None:
        return None
    on, off = qrs
    spike_off = None if spike_before_r is None else max(0, beat.r - spike_before_r + round(SPIKE_LASTS_S * hz))
    on = on if spike_off is None else max(on, min(spike_off, beat.r))
    level = median(signal[:, max(0, on - round(0.024 * hz)) : max(1, on - round(0.004 * hz))])[:, None]
    t_peak, t_off = _t_wave(signal - level, off, hz, rr_s)
    if not with_p:
        return Limits(beat.r, on, off, None, None, t_peak, t_off, spike_off=spike_off)
    noise = np.maximum(beat.noise_uv[usable], 1.0)
    quiet = noise <= NOISY_TIMES * median(noise)
    # at fast rates the T of the beat before stands where P is looked for
    t_before = beat.r - round(rr_s * hz) + t_off - beat.r if t_off is not None and rr_s < FAST_RR_S else None
    p_on, p_off, p_uv = _p_wave(signal[quiet], on, hz, rr_s, noise[quiet], t_before)
    return Limits(beat.r, on, off, p_on, p_off, t_peak, t_off, p_uv, spike_off)


def _qrs(velocity: Floats, r: int, hz: float, resumes: float, *, paced: bool = False) -> tuple[int, int] | None:
    first, last = max(0, r - round(QRS_BEFORE_S * hz)), min(len(velocity), r + round(QRS_AFTER_S * hz))
    near = slice(max(0, r - round(0.08 * hz)), r + round(0.08 * hz))
    peak = float(velocity[near].max(initial=0.0))
    if peak <= 0 or last - first < 5:
        return None
    before = velocity[max(0, first - round(0.10 * hz)) : max(1, r - round(0.07 * hz))]
    noise = float(quantile(before, 0.3)) if before.size else 0.0
    bridge = round(BRIDGE_S * hz)
    core_on, core_off = _core(velocity > CORE * peak, r, first, last, bridge)
    quiet = max(2, round(QUIET_S * hz))
    outwards = velocity[first : core_on + 1][::-1]
    on = _calm(outwards, max(ONSET * peak, NOISE_TIMES * noise), quiet)
    if on > LEAD_IN_S * hz:
        on = _calm(outwards, max(LEAD_IN * peak, NOISE_TIMES * noise), quiet)
    off = _calm(velocity[core_off:last], max((PACED_OFFSET if paced else OFFSET) * peak, NOISE_TIMES * noise), quiet)
    end = core_off + off
    for _ in range(0 if paced else 2):
        # at the summit of a late R' or S all leads may rest for a moment: what moves again soon after is still QRS
        ahead = velocity[end : min(len(velocity), end + round(RESUMES_WITHIN_S * hz))]
        again = np.flatnonzero(ahead > resumes * peak)
        if not again.size or end + int(again[-1]) - (core_on - on) > RESUMES_UNTIL_S * hz:
            break
        begin = end + int(again[-1])
        end = begin + _calm(velocity[begin:last], max(OFFSET * peak, NOISE_TIMES * noise), quiet)
    return core_on - on, min(end, len(velocity) - 1)


def _core(active: np.ndarray, r: int, first: int, last: int, bridge: int) -> tuple[int, int]:
    """First and last active sample that are joined to R by calms of at most ``bridge`` samples."""
    at = first + np.flatnonzero(active[first:last])
    if at.size == 0:
        return r, r
    nearest = int(np.argmin(np.abs(at - r)))
    begin = end = nearest
    while begin > 0 and at[begin] - at[begin - 1] <= bridge:
        begin -= 1
    while end < at.size - 1 and at[end + 1] - at[end] <= bridge:
        end += 1
    return int(at[begin]), int(at[end])


def _calm(outwards: Floats, threshold: float, quiet: int) -> int:
    """How far outwards the activity reaches: the sample before the first ``quiet`` ones below the threshold."""
    low = outwards < threshold
    run = 0
    for number, calm in enumerate(low.tolist()):
        run = run + 1 if calm else 0
        if run == quiet:
            return max(0, number - quiet + 1)
    # never calm: the least active place is the best guess (T wave that rises out of the QRS)
    return int(np.argmin(moving_mean(outwards, quiet))) if len(outwards) else 0


def _best_weights(signal: Floats) -> Floats:
    """(n_leads,) the combination of leads with the greatest power, its sign such that the larger deflection is up."""
    values, vectors = np.linalg.eigh(signal @ signal.T)
    weights: Floats = vectors[:, int(np.argmax(values))]
    view = weights @ signal
    return weights if abs(view.max()) >= abs(view.min()) else -weights


def _best_view(signal: Floats) -> Floats:
    """(n,) the leads combined by :func:`_best_weights`."""
    view: Floats = _best_weights(signal) @ signal
    return view


def _t_wave(signal: Floats, off: int, hz: float, rr_s: float) -> tuple[int | None, int | None]:
    """(peak, end) of T."""
    start = off + round(T_FROM_J_S * hz)
    stop = min(signal.shape[1], off + round(min(0.62, max(0.22, 0.62 * np.sqrt(rr_s))) * hz))
    if stop - start < round(0.08 * hz):
        return None, None
    part = moving_mean(signal[:, start:stop], max(1, round(0.024 * hz)))
    view = _best_view(part)
    peak, edge = int(np.argmax(view)), round(T_EDGE_S * hz)
    if peak >= len(view) - edge:  # the next P begins there; a T of the other sign may stand before it
        other = int(np.argmin(view))
        if edge <= other < len(view) - edge and view[other] <= -T_MIN_UV:
            peak, view = other, -view
    if view[peak] < T_MIN_UV:
        return None, None
    beyond = view[peak : peak + round(T_LOBES_S * hz)]
    second = peak + int(np.argmin(beyond))
    if beyond.min() <= -T_SECOND_LOBE * view[peak] and second < len(view) - edge:
        peak, view = second, -view
    if peak >= len(view) - edge:
        return start + peak, None
    fall = slope(view[peak:])
    floor = _floor_after(view[peak:], hz)
    steepest = int(np.argmin(fall[: max(2, floor)]))
    steep = float(fall[steepest])
    if steep >= 0:
        return start + peak, None
    base = float(min(view[peak:][min(floor, len(view) - peak - 1)], 0.25 * view[peak]))
    length = steepest + (view[peak + steepest] - base) / -steep
    end = start + peak + round(length + T_BEYOND_TANGENT * max(0.0, floor - length))
    return start + peak, end if end < signal.shape[1] else None


def _floor_after(fall: Floats, hz: float) -> int:
    """Where the descent first comes to rest: the first local minimum, or where it has become flat."""
    steps = slope(fall)
    limit = 0.02 * float(np.abs(steps).max(initial=1e-9))
    low = np.flatnonzero(fall <= LOW * fall[0])  # what falls behind that is the next wave
    reach = min(round(0.2 * hz), int(low[0]) + 1 if low.size else len(fall))
    begin = int(np.argmin(steps[: max(2, reach)]))
    flat = np.flatnonzero(steps[begin:] > -limit)
    return begin + int(flat[0]) if flat.size else len(fall) - 1


def _p_wave(
    signal: Floats, on: int, hz: float, rr_s: float, noise_uv: Floats, t_before: int | None
) -> tuple[int | None, int | None, float]:
    """(onset, end, size) of P; (None, None, size) where nothing stands out.

    Looked for close to the QRS first, then farther away: the end of T must not be taken for a P with a long PR. Both
    signs of the view are tried, because at fast rates what is left of T may be the larger deflection.
    """
    size = 0.0
    cut: _Wave | None = None
    vague: _Wave | None = None
    stop = on - round(P_QRS_GAP_S * hz)
    for reach_s in P_REACHES_S:
        start = max(0, on - round(min(reach_s, 0.62 * rr_s) * hz))
        after_t = t_before is not None and start < t_before < stop - round(0.07 * hz)
        start = t_before if after_t and t_before is not None else start
        if stop - start < round(0.07 * hz):
            continue
        part = moving_mean(signal[:, start:stop], max(1, round(0.016 * hz)))
        part = part - _chord(part, round(0.016 * hz))
        weights = _best_weights(part)
        least = max(P_MIN_UV, P_NOISE_TIMES * float(np.linalg.norm(weights * noise_uv)))
        for view in (weights @ part, -(weights @ part)):
            size = max(size, float(view.max()))
            wave = _p_candidate(view, start, least, 0 if after_t else round(P_MARGIN_S * hz), hz)
            if wave is None:
                continue
            if wave.whole and not (cut and wave.peak < cut.on - round(0.05 * hz)):
                return wave.on, wave.off, size
            cut = cut or (wave if wave.ends and wave.inside else None)
            vague = vague or (wave if wave.inside and view.max() >= P_CLEAR_TIMES * least else None)
    found = cut or vague
    if found is None:
        return None, None, size
    found = _without_t_before(signal, found, on, hz)
    return found.on, found.off, size


def _without_t_before(signal: Floats, found: "_Wave", on: int, hz: float) -> "_Wave":
    """The same wave where a nearer window shows it whole: what runs down from the T before is a slope there."""
    stop = on - round(P_QRS_GAP_S * hz)
    for reach_s in P_NEARER_S:
        start = on - round(reach_s * hz)
        if start <= found.on or stop - start < round(0.07 * hz):
            continue
        part = moving_mean(signal[:, start:stop], max(1, round(0.016 * hz)))
        part = part - _chord(part, round(0.016 * hz))
        weights = _best_weights(part)
        for view in (weights @ part, -(weights @ part)):
            wave = _p_candidate(view, start, P_MIN_UV, round(P_MARGIN_S * hz), hz)
            if wave is not None and wave.whole and abs(wave.peak - found.peak) <= P_SAME_S * hz:
                return wave
    return found


@dataclass(frozen=True, slots=True)
class _Wave:
    """What may be a P: samples of the median beat, and how far it can be believed."""

    on: int
    peak: int
    off: int
    whole: bool
    """Comes to rest on both sides, well inside the window."""
    ends: bool
    """Comes to rest before the QRS."""
    inside: bool
    """Its peak is not at the window's edge, where the rest of T is."""


def _p_candidate(view: Floats, start: int, least: float, margin: int, hz: float) -> _Wave | None:
    """The highest wave of this view, if it is large and long enough."""
    peak = int(np.argmax(view))
    if view[peak] < least:
        return None
    begin, begin_sound = _edge(view[peak::-1], hz, P_BEYOND_TANGENT[0])
    end, end_sound = _edge(view[peak:], hz, P_BEYOND_TANGENT[1])
    if not P_SHORTEST_S <= (begin + end) / hz <= P_LONGEST_S:
        return None
    return _Wave(
        on=start + peak - begin,
        peak=start + peak,
        off=start + peak + end,
        whole=peak - begin >= margin and begin_sound and end_sound,
        ends=end_sound,
        inside=peak >= 2 * margin,
    )


def _edge(outwards: Floats, hz: float, beyond: float) -> tuple[int, bool]:
    """(samples from the peak to the wave's limit, whether the wave comes to rest inside the window)."""
    reach = min(len(outwards), round(0.11 * hz))
    if reach < 3:
        return 0, False
    steps = slope(outwards)
    steepest = int(np.argmin(steps[:reach]))
    fall = -float(steps[steepest])
    if fall <= 0:
        return 0, False
    # a shoulder of a notched P is calm too, but high
    low = outwards[steepest:] < P_BASE_SHARE * outwards[0]
    calm = np.flatnonzero((steps[steepest:] > -P_CALM * fall) & low)
    rest = steepest + int(calm[0]) if calm.size else len(outwards) - 1
    base = float(outwards[rest])
    if not calm.size:
        return rest, False
    tangent = min(float(rest), steepest + max(0.0, float(outwards[steepest]) - base) / fall)
    return round(tangent + beyond * (rest - tangent)), True


def _chord(part: Floats, width: int) -> Floats:
    """The line through the ends of each lead."""
    left, right = part[:, :width].mean(axis=1, keepdims=True), part[:, -width:].mean(axis=1, keepdims=True)
    line: Floats = left + (right - left) * ramp(part.shape[1])
    return line
