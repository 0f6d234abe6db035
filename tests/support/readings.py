"""A healthy sinus rhythm as the rules see it, and leads whose waves a test changes one by one."""

from dataclasses import fields
from datetime import UTC, datetime

from gateway.simulate.pathologies import Pathology
from gateway.simulate.studies import record
from worker.formats import read
from worker.resting.patient import Patient, person_of
from worker.resting.reading import Reading, read_signal
from worker.resting.traces import prepare
from worker.resting.waves import LeadWaves

PLAIN = {field.name: 0.0 for field in fields(LeadWaves)} | {
    "r_uv": 800.0, "s_uv": -300.0, "net_uv": 500.0, "span_uv": 1100.0, "t_uv": 300.0, "t_high_uv": 300.0, "p_uv": 120.0,
    "st60_uv": 25.0, "t_falls_late": False, "t_half_ms": 180.0, "r_peak_ms": 40.0, "area_uvs": 10.0,
}  # fmt: skip


def sinus_reading() -> Reading:
    """What is read of one simulated 12-lead ECG in sinus rhythm."""
    recording = read(record(Pathology.SINUS, 1, datetime(2026, 1, 2, tzinfo=UTC), device="TEST").file.content)
    return read_signal(prepare(recording), person_of(recording, Patient()), calibrated=True)


def waves(**changed: object) -> LeadWaves:
    """An ordinary lead, of which these waves are others."""
    return LeadWaves(**(PLAIN | changed))  # type: ignore[arg-type]
