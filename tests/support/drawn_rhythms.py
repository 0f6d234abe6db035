"""Hearts whose atria, ventricles and pacemaker beat when a test says so."""

from dataclasses import replace

import numpy as np

from gateway.simulate import leads, noise, shapes, waves
from gateway.simulate.noise import ORDINARY
from gateway.simulate.waves import Atrium
from worker.recording import Recording

HZ = 500
BUILD = shapes.build_of(np.random.default_rng([3, 1]), "M", 55)
SPIKE_UV = np.array([900, 900, 0, -900, 450, 450, -900, -900, -900, 900, 900, 900])


def drawn(
    p_s,
    qrs_s,
    *,
    duration_s=10.0,
    shape=None,
    shape_at=None,
    p_turned=(1, 1, 1),
    p_turned_at=None,
    qt_ms=400.0,
    spikes_s=(),
    spike_share=1.0,
    seed=0,
):
    """A recording with these onsets of P and QRS and these pacing spikes, seconds.

    Args:
        shape: the beat of every QRS, else a narrow one.
        shape_at: beats of another shape, by their place in ``qrs_s``.
        spike_share: of a unipolar pulse's size.
        p_turned_at: the same of single P waves, by their place in ``p_s``; sizes as well as signs.
        p_turned: signs of the atrial vector (left, down, back): (1, -1, 1) runs upwards, (-1, 1, 1) to the right.
    """
    rng, n = np.random.default_rng([seed, 9]), round(duration_s * HZ)
    vector = np.zeros((3, n))
    atrium = shapes.fitted_atrium(Atrium(), BUILD)
    usual = shapes.fitted(shape or shapes.normal(92), BUILD)
    for place, at in enumerate(p_s):
        waves.add_p(vector, HZ, float(at), _turned(atrium, (p_turned_at or {}).get(place, p_turned)), 1.0)
    for place, at in enumerate(qrs_s):
        beat = shapes.fitted((shape_at or {})[place], BUILD) if place in (shape_at or {}) else usual
        waves.add_qrs_t(vector, HZ, float(at), beat, qt_ms, 1.0)
    electrodes = leads.electrodes_from_vector(vector)
    electrodes += noise.electrode_noise(rng, n, float(HZ), ORDINARY.scaled(0.6))
    samples = np.asarray(leads.leads_from_electrodes(electrodes)).astype(np.int32)
    for at in spikes_s:
        samples[:, round(at * HZ)] += np.rint(spike_share * SPIKE_UV).astype(np.int32)
    digital = samples.astype(np.int16)
    return Recording("drawn", "resting", leads.LEADS, digital, np.ones(12), np.zeros(12), float(HZ))


def _turned(atrium, by):
    lobes = tuple(replace(o, peak=tuple(x * s for x, s in zip(o.peak, by, strict=True))) for o in atrium.lobes)
    return replace(atrium, lobes=lobes)
