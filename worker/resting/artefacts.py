"""Did the heart make this deflection, or the electrode?

Where many leads were recorded, the heart is in all of them at once and a loose electrode in one or two: what was
detected as a beat there, unlike the usual one and hardly seen elsewhere, is none. Where there is one lead only, nothing
tells an artefact from a ventricular beat but the company that it keeps: a trace that is calm between beats that look
alike. What is read from a restless trace may be said, but only as possible.
What is a hundredth of the other beats is none either: where the heart stands still, the search for the most plausible
rhythm finds beats in the noise of the base line, and a pause must not be filled with them.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.beats import Beats
from worker.signal.filters import Floats

MANY_LEADS: Final = 4
"""Independent leads from which on one electrode's movement is outvoted."""
BEAT_S: Final = 0.08
SEEN: Final = 0.35
"""Share of the usual deflection that counts as seen in a lead, and the share of the leads in which a beat must be seen:
in LUDB, CPSC 2018 and Chapman real ectopic beats are seen in 0.75 of the leads and more, artefacts in at most 0.25."""
USUAL_SHARE: Final = 0.5
"""Where fewer of the beats are alike, as in ventricular fibrillation, nothing is left out and nothing is believed."""
FAINT: Final = (0.08, 0.15)
"""Of the larger beats' size: below the first it is none, below the second it is none where no other beat is like it.
Where the heart stood still in CinC 2015, noise was taken for beats of 0.006 to 0.1; of the 31,000 beats found in LUDB,
CPSC 2018, CinC 2017 and MIT-BIH three are below 0.12."""
LARGER_BEATS: Final = 0.9
MAX_ALONE: Final = 0.12
MAX_VENTRICULAR_ALONE: Final = 0.25
"""Share of the beats, and of the ventricular ones, that may have a form of their own: in single leads of CinC 2017 the
noise that looks like tachycardia has more, in those of MIT-BIH 203, 208 and 215, real runs in noise, it is less."""
CALM: Final = 0.08
CYCLE_S: Final = (0.25, 0.45)
"""Before and after R: the part of a usual beat in which only the beat itself should move."""


def without_artefacts(shape: Floats, beats: Beats, hz: float) -> Beats:
    """The beats without the faint ones, and without those that few of many leads know of.

    ``shape``: (n_usable_leads, n_samples), 1 to 40 Hz.

    >>> trace = np.zeros((6, 1000))
    >>> trace[:, 100:1000:200] = 1000.0  # five beats in six leads
    >>> trace[2, 400] = 3000.0  # and one that a single lead shows
    >>> at = np.array([100, 300, 400, 500, 700, 900])
    >>> found = Beats(at, np.array([0, 0, 1, 0, 0, 0]), np.full(6, 0.08), np.full(6, 2449.0))
    >>> without_artefacts(trace, found, 250.0).at.tolist()
    [100, 300, 500, 700, 900]
    """
    beats = _without_faint(beats)
    usual = beats.group == 0
    if len(shape) < MANY_LEADS or usual.all() or usual.mean() < USUAL_SHARE:
        return beats
    reach = round(BEAT_S * hz)
    span = np.array([np.ptp(shape[:, max(0, at - reach) : at + reach + 1], axis=1) for at in beats.at.tolist()])
    seen = (span > SEEN * np.median(span[usual], axis=0)).mean(axis=1)
    kept = usual | (seen >= SEEN)
    return _only(beats, kept)


def _without_faint(beats: Beats) -> Beats:
    if not beats.at.size:
        return beats
    larger = np.sort(beats.size)[int(LARGER_BEATS * (beats.size.size - 1))]
    alone = np.bincount(beats.group)[beats.group] == 1
    kept = _only(beats, beats.size >= np.where(alone, FAINT[1], FAINT[0]) * larger)
    if (kept.group == 0).any():
        return kept
    _, group, count = np.unique(kept.group, return_inverse=True, return_counts=True)
    rank = np.argsort(np.argsort(-count, kind="stable"))
    return replace(kept, group=rank[group])


def _only(beats: Beats, kept: NDArray[np.bool_]) -> Beats:
    if kept.all():
        return beats
    return replace(
        beats, at=beats.at[kept], group=beats.group[kept], width_s=beats.width_s[kept], size=beats.size[kept]
    )


def believable(shape: Floats, beats: Beats, ventricular: NDArray[np.bool_], hz: float) -> bool:
    """Whether beats of another form may be believed to be ventricular. ``shape``: (n_usable_leads, n), 1 to 40 Hz.

    Always with many leads, where artefacts are outvoted. With few, most beats must be alike, hardly any be without
    another of its form, and either the ventricular ones repeat their form or the trace is calm between the usual beats.
    """
    if len(shape) >= MANY_LEADS or not ventricular.any():
        return True
    alone = np.bincount(beats.group)[beats.group] == 1
    if (beats.group == 0).mean() < USUAL_SHARE or alone.mean() > MAX_ALONE:
        return False
    return bool(alone[ventricular].mean() <= MAX_VENTRICULAR_ALONE) or restlessness(shape, beats, hz) <= CALM


def restlessness(shape: Floats, beats: Beats, hz: float) -> float:
    """What moves between the usual beats that is not of the beat: rms over that of the QRS, upper quartile of beats.

    1.0 with fewer than three usual beats that lie whole in the recording.
    """
    before, after, qrs = (round(seconds * hz) for seconds in (CYCLE_S[0], CYCLE_S[1], BEAT_S))
    usual = beats.at[beats.group == 0]
    usual = usual[(usual >= before) & (usual + after <= shape.shape[1])]
    if usual.size < 3:
        return 1.0
    stack = np.stack([shape[:, at - before : at + after] for at in usual.tolist()])
    stack = stack - np.median(stack, axis=2, keepdims=True)
    median = np.median(stack, axis=0)
    size = float(np.sqrt((median[:, before - qrs : before + qrs] ** 2).mean()))
    between = np.delete(stack - median, np.s_[before - qrs : before + qrs], axis=2)
    return float(np.quantile(np.sqrt((between**2).mean(axis=(1, 2))), 0.75)) / max(size, 1e-9)
