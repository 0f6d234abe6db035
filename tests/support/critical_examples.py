"""For each code that a resting list of critical values refers to: a recording of which the engine must say it.

Whole recordings, as a device would send them: what is only said of invented waves may never be said of a patient.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
from support.drawn_rhythms import drawn

from bench.accuracy.critical_cases import as_recording, faster, in_turn, of_samples, racing, torsades
from bench.accuracy.critical_shapes import Added, bump, cases_by_name, domed, with_waves
from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate import shapes
from gateway.simulate.generator import LEADS, generate
from gateway.simulate.waves import Beat, Lobe
from worker.recording import Recording

PR_S: Final = 0.16


def _heart(name: str = "sinus", **changes: Any) -> Any:
    return generate(name, **({"seed": 3, "sex": "M", "age_years": 60} | changes))


def _of_a_youth(recording: Recording) -> Recording:
    """Of sixteen years: only a young sinus node reaches 200/min."""
    return replace(recording, identity=RecordingIdentity(sex="M", age_years=16))


def _changed(*waves: tuple[Added, Any], **changes: Any) -> Recording:
    """A healthy heart with these waves added to each beat."""
    ecg = _heart(**changes)
    return of_samples(with_waves(ecg, *waves), float(ecg.sampling_hz))


def _chest(*size: float) -> Added:
    return Added(chest=size)


def _right_leads() -> Recording:
    """V4R and V3R in the place of V5 and V6, raised as in an infarction of the right ventricle."""
    raised = Added(i=-60.0, ii=130.0, chest=(0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    made = _changed((raised, domed))
    samples = np.array(made.digital, float)
    seconds = np.arange(samples.shape[1]) / made.sampling_hz
    v1 = LEADS.index("V1")
    for row, share in ((10, 0.8), (11, 0.6)):
        samples[row] = share * samples[v1]
        for at in _heart().truth.beats_s:
            near = slice(*np.searchsorted(seconds, (at - 0.15, at + 0.6)))
            samples[row, near] += 160.0 * domed(seconds[near] - at)
    leads = (*LEADS[:10], "V3R", "V4R")
    return Recording(
        "drawn", "resting", leads, np.rint(samples).astype(np.int16), np.ones(12), np.zeros(12), made.sampling_hz
    )


def _alternating() -> Recording:
    ecg = _heart(rate_bpm=64)
    samples, seconds = np.array(ecg.samples_uv, float), np.arange(ecg.samples_uv.shape[1]) / ecg.sampling_hz
    for number, at in enumerate(ecg.truth.beats_s):
        for lead in ("V2", "V3", "V4", "V5"):
            samples[LEADS.index(lead)] += (-1) ** number * 90.0 * np.exp(-0.5 * ((seconds - at - 0.27) / 0.05) ** 2)
    return of_samples(samples, float(ecg.sampling_hz))


def _polymorphic() -> Recording:
    """Waves at 210/min whose shape becomes another over seconds without turning over."""
    rng, hz, n = np.random.default_rng(3), 500, 5000
    phase = 2 * np.pi * 3.5 * np.arange(n) / hz
    share = 0.5 + 0.5 * np.cos(2 * np.pi * np.arange(n) / hz / 5)
    one = (np.sin(phase) + 0.35 * np.sin(2 * phase + 0.5)) * share
    other = (0.4 * np.sin(phase + 1.1) - np.sin(2 * phase)) * (1 - share)
    across = np.linspace(0, 1.6, 12)[:, None]
    return of_samples(600 * (np.cos(across) * one + np.sin(across) * other) + rng.normal(0, 10, (12, n)), float(hz))


def preexcited(share: float) -> Beat:
    """A beat that begins with a delta wave; its T points the other way."""
    usual = shapes.normal(86)
    left, down, back = (size * (1 - 1.6 * share) for size in usual.t_peak)
    delta = Lobe(0.28, 0.16, (0.55 * share, 0.35 * share, -0.45 * share))
    return Beat(qrs_ms=86 + 54 * share, qrs=(delta, *usual.qrs), t_peak=(left, down, back), st=usual.st)


def fibrillating(bpm: float, shortest_s: float, seed: int, beat: Beat | None = None, qt_ms: float = 270.0) -> Recording:
    """Irregular beats without P; ``beat`` of every QRS, else preexcited to a changing degree."""
    rng, n = np.random.default_rng(seed), int(13 * bpm / 60)
    rr = np.clip(60 / bpm * np.exp(0.22 * rng.standard_normal(n)), shortest_s, 0.9)
    rr[np.sort(rng.choice(np.arange(4, n - 4), 3, replace=False))] = shortest_s
    shares = rng.choice([0.35, 0.7, 1.0, 1.0, 1.0], n).tolist()
    each = None if beat else {place: preexcited(share) for place, share in enumerate(shares)}
    return drawn([], np.cumsum(rr) - 0.3, shape=beat or preexcited(1.0), shape_at=each, qt_ms=qt_ms, seed=seed)


FORMS: Final = [(1, 1, 1), (1, -1, 1), (-1, 0.6, 0.6), (0.4, 1.2, -0.8)]


def several_foci(bpm: float, seed: int, forms: int, spread: float = 0.14) -> Recording:
    """P waves of so many forms, each at a distance of its own before the QRS, at irregular intervals."""
    rng, n = np.random.default_rng(seed), int(14 * bpm / 60)
    rr = 60 / bpm * np.clip(1 + spread * rng.standard_normal(n), 0.65, 1.5)
    form = rng.integers(0, forms, n)
    for place in range(1, n):
        if form[place] == form[place - 1] and rng.random() < 0.6:
            form[place] = (form[place] + 1) % forms
    p = 0.3 + np.concatenate([[0], np.cumsum(rr[:-1])])
    turned = {place: FORMS[number] for place, number in enumerate(form.tolist())}
    return drawn(p, p + 0.12 + 0.02 * form, p_turned_at=turned, qt_ms=330.0 if bpm > 100 else 400.0, seed=seed)


def _early(beats: int, after_s: float) -> Recording:
    """Sinus rhythm; so long after one QRS a ventricular one, or a run of them, and a pause."""
    p = np.arange(-0.6, 11, 0.8)
    early = p[6] + PR_S + after_s + 0.4 * np.arange(beats)
    kept = np.delete(p, np.flatnonzero((p > p[6] + 0.1) & (p < early[-1] + 0.7)))
    qrs = np.sort(np.append(kept + PR_S, early))
    return drawn(kept, qrs, shape_at=dict.fromkeys(np.flatnonzero(np.isin(qrs, early)), shapes.ectopic_outflow()))


def _steady(step_s: float, pr_s: float, **changes: Any) -> Recording:
    p = np.arange(-0.6, 11, step_s)
    return drawn(p, p + pr_s, qt_ms=min(400.0, 620 * step_s), **changes)


UPWARDS: Final = (1, -1.3, 1)
INFERIOR: Final = Added(i=-60.0, ii=180.0)
_SHAPE = cases_by_name(3)

EXAMPLES: Final[dict[str, Callable[[], Recording]]] = {
    "21": lambda: _of_a_youth(faster(_heart("sinus-tachycardia", rate_bpm=150, duration_s=15), 201.5 / 150)),
    "26a": lambda: drawn([], []),
    "50": lambda: as_recording(_heart("atrial-fibrillation", rate_bpm=80)),
    "50a": lambda: as_recording(_heart("atrial-fibrillation", rate_bpm=140)),
    "50d": lambda: fibrillating(175, 0.235, 0),
    "51": lambda: as_recording(_heart("atrial-flutter")),
    "52": lambda: _steady(0.5, 0.15, p_turned=UPWARDS),
    "53": lambda: several_foci(125, 0, 3),
    "54": lambda: _steady(0.5, 0.10, p_turned=UPWARDS),
    "55": lambda: drawn([], np.arange(-0.3, 11, 0.34), qt_ms=230.0),
    "60g": lambda: _early(1, 0.29),
    "70": lambda: as_recording(_heart("ventricular-tachycardia")),
    "71": lambda: _early(4, 0.45),
    "72": _polymorphic,
    "73": lambda: torsades(1),
    "73a": lambda: in_turn(1),
    "74": lambda: as_recording(_heart("ventricular-fibrillation")),
    "74a": lambda: racing(1, 300.0),
    "76": lambda: drawn([], np.arange(-0.3, 11, 0.55), shape=shapes.lbbb(), qt_ms=330.0),
    "84": lambda: as_recording(_heart("av-block-mobitz-2")),
    "85": lambda: as_recording(_heart("av-block-2-1")),
    "87": lambda: drawn(np.arange(-0.6, 12, 0.55), np.arange(-0.6, 12, 1.65) + PR_S),
    "88": lambda: as_recording(_heart("av-block-third")),
    "147f": _alternating,
    "148": lambda: as_recording(_heart("long-qt")),
    "160.330": lambda: as_recording(_heart("stemi-anterior")),
    "161.330": lambda: as_recording(_heart("stemi-inferior")),
    "162.330": lambda: _changed(
        (_chest(-190.0, -190.0, -150.0, 0, 0, 0), domed), (_chest(1500.0, 1800.0, 1500.0, 0, 0, 0), bump(0.015, 0.02)),
        (_chest(350.0, 350.0, 200.0, 0, 0, 0), bump(0.27, 0.05)),
    ),
    "163.330": lambda: _SHAPE["lateral infarction, over"],
    "163a.330": lambda: _changed((Added(i=180.0, ii=0.0), domed)),
    "165.330": lambda: _changed((Added(ii=-70.0, chest=(200.0, 330.0, 330.0, 0, 0, 0)), domed)),
    "166.330": lambda: _changed((Added(i=120.0, ii=-70.0, chest=(60.0, 330.0, 350.0, 300.0, 250.0, 200.0)), domed)),
    "174.330": _right_leads,
    "201": lambda: _SHAPE["embolism, over"],
    "202": lambda: _changed(
        (_chest(330.0, 350.0, 0, 0, 0, 0), lambda since_r: domed(since_r, until_s=0.20, falls_s=0.15)),
        (_chest(-400.0, -500.0, 0, 0, 0, 0), bump(0.27, 0.05)),
    ),
    "202a": lambda: _changed(
        (_chest(0, 330.0, 0, 0, 0, 0), bump(0.06, 0.02)), (_chest(0, 120.0, 0, 0, 0, 0), domed),
        (_chest(0, 150.0, 0, 0, 0, 0), bump(0.27, 0.05)),
    ),
    "208": lambda: _SHAPE["potassium, over"],
    "211": lambda: _changed(
        (_chest(0, -260.0, -260.0, -260.0, -200.0, 0), bump(0.26, 0.06)),
        (Added(ii=120.0, chest=(0, 260.0, 260.0, 260.0, 260.0, 0)), bump(0.50, 0.03)),
        (_chest(0, -190.0, -190.0, -190.0, -190.0, 0), bump(0.12, 0.04)), rate_bpm=62,
    ),
    "220": lambda: _SHAPE["lateral ischaemia, over"],
    "220a": lambda: _SHAPE["de Winter, over"],
    "220b": lambda: _changed((_chest(0, -450.0, -450.0, -200.0, 0, 0), bump(0.34, 0.035))),
    "220c": lambda: _SHAPE["main stem, over"],
    "220d": lambda: _changed(
        (Added(i=-180.0, ii=0.0, chest=(30.0, -20.0, 0, -90.0, -120.0, -100.0)), domed),
        (_chest(0, 0, 0, 200.0, 200.0, 200.0), bump(0.27, 0.05)),
    ),
    "220e": lambda: _changed(
        (_chest(0, 1400.0, 1500.0, 1500.0, 900.0, 0), bump(0.25, 0.075)), (_chest(0, 90.0, 90.0, 90.0, 60.0, 0), domed)
    ),
}  # fmt: skip
