"""Measured days made of letters: ``day("NNVN")`` is four beats, one a second, of which the third is ventricular."""

from dataclasses import replace

import numpy as np

from worker.holter.measured import NOT_MEASURED, Beats, Label, Measured, Minutes, Template

HZ = 250.0
STEP_S = 10.0


def day(labels, *, at_s=None, rr_s=1.0, template=None, hz=HZ, leads=("II", "V5"), qrs_ms=90, p_wave=0.9, **fields):
    """A day of these beats: the first at ``rr_s``, then one each ``rr_s``, or at the times ``at_s``."""
    n = len(labels)
    at_s = (np.arange(n) + 1) * rr_s if at_s is None else np.asarray(at_s, float)
    shapes = np.zeros(n, np.int32) if template is None else np.asarray(template, np.int32)
    beats = Beats(
        sample=np.round(at_s * hz).astype(np.int64),
        label=np.array([Label[letter] for letter in labels], np.uint8),
        confidence=np.full(n, 0.5, np.float32),
        template=shapes,
        qrs_ms=np.broadcast_to(np.asarray(qrs_ms, np.int16), (n,)).copy(),
        p_wave=np.broadcast_to(np.asarray(p_wave, np.float32), (n,)).copy(),
    )
    end_s = fields.pop("duration_s", (at_s[-1] if n else 0.0) + 1.0)
    wave = np.zeros((len(leads), 50), np.int16)
    measured = Measured(
        leads=leads,
        sampling_hz=hz,
        n_samples=round(end_s * hz),
        started_at=None,
        calibrated=True,
        beats=beats,
        templates=tuple(
            Template(
                int(shape), Label(int(beats.label[shapes == shape][0])), int((shapes == shape).sum()), wave, hz, 20
            )
            for shape in np.unique(shapes[shapes >= 0])
        ),
        minutes=fields.pop("minutes", None) or minutes(len(leads), end_s),
    )
    return replace(measured, **{name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()})


def minutes(n_leads, duration_s, *, step_s=STEP_S, st_uv=0, qt_ms=400, rr_ms=1000.0, t_alternans_uv=np.nan, qrs_uv=800):
    """Rows over the whole day with these values (a number, or one a row)."""
    n = max(1, int(duration_s // step_s))

    def filled(value, shape, kind):
        return np.broadcast_to(np.asarray(value, kind), shape).copy()

    return Minutes(
        step_s=step_s,
        start_s=np.arange(n) * step_s,
        st_j_uv=filled(st_uv, (n_leads, n), np.int16),
        st_uv=filled(st_uv, (n_leads, n), np.int16),
        st_slope_uv_s=filled(0.0, (n_leads, n), np.float32),
        qt_ms=filled(NOT_MEASURED if qt_ms is None else qt_ms, (n,), np.int16),
        rr_ms=filled(rr_ms, (n,), np.float32),
        t_alternans_uv=filled(t_alternans_uv, (n,), np.float32),
        qrs_uv=filled(qrs_uv, (n_leads, n), np.int16),
    )
