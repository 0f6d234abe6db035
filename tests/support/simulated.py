"""Simulated ECGs as recordings of the resting kind, whoever the person is."""

import numpy as np

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.generator import LEADS, generate
from worker.recording import Recording
from worker.resting import analyse


def recording_of(ecg, **changes) -> Recording:
    """The ECG as a device's file would give it, any field of it changed."""
    values = {
        "format": "simulated",
        "kind": "resting",
        "leads": LEADS,
        "digital": np.asarray(ecg.samples_uv).astype(np.int16),
        "uv_per_lsb": np.ones(12),
        "baseline": np.zeros(12),
        "sampling_hz": float(ecg.sampling_hz),
        "identity": RecordingIdentity(sex=ecg.sex, age_years=ecg.age_years),
    } | changes
    return Recording(**values)


def simulated(name, seed, **changes):
    """(the ECG with its truth, what is found in it)."""
    ecg = generate(name, seed=seed, sex="MF"[seed % 2], age_years=32 + 7 * seed, **changes)
    return ecg, analyse(recording_of(ecg))
