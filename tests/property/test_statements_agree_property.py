"""Whatever is measured, no two statements of a pre-read contradict one another; each has its place in the report."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ecg_center.contract.findings import Quality
from ecg_center.domain.statements import TERMS, contradicts, in_report_order
from gateway.simulate.pathologies import Pathology
from gateway.simulate.studies import record
from worker.formats import read
from worker.resting.analysis import _statements
from worker.resting.patient import Patient, Person, person_of
from worker.resting.reading import Reading, read_signal
from worker.resting.rhythm import rhythm_of
from worker.resting.traces import prepare
from worker.resting.waves import LeadWaves

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
BASES = ("sinus", "sinus-bradycardia", "atrial-fibrillation", "ventricular-premature", "av-block-2-1", "av-block-third",
         "atrial-flutter", "lbbb", "ventricular-tachycardia")  # fmt: skip
TYPICAL_UV = {"q_uv": -150, "r_uv": 900, "s_uv": -500, "r2_uv": 150, "p_uv": 120, "t_uv": 350}
SIGNED = ("t_uv", "p_uv")
MANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def base(name: str) -> Reading:
    content = record(Pathology(name), 1, datetime(2026, 1, 2, tzinfo=UTC), device="TEST").file.content
    recording = read(content)
    return read_signal(prepare(recording), person_of(recording, Patient()), calibrated=True)


def some_waves(rng: np.random.Generator) -> LeadWaves:
    """A lead as any heart, or none, might have it: each wave large, small or missing, the levels around them."""
    values: dict[str, float | bool] = {field.name: 0.0 for field in fields(LeadWaves)}
    for name, typical in TYPICAL_UV.items():
        size = typical * float(rng.choice([0.0, 0.3, 1.0, 2.5])) * float(rng.uniform(0.5, 1.5))
        values[name] = size * float(rng.choice([-1, 1])) if name in SIGNED else size
    j = float(rng.choice([0.0, 30.0, -60.0, 130.0, -130.0, 260.0]) + rng.normal(0, 15))
    values |= {
        "st_j_uv": j, "st60_uv": j * float(rng.uniform(0.3, 1.4)), "st80_uv": j * float(rng.uniform(0.1, 1.4)),
        "t_high_uv": max(0.0, float(values["t_uv"])), "t_low_uv": min(0.0, float(values["t_uv"])),
        "t_falls_late": bool(rng.random() < 0.3), "t_half_ms": float(rng.uniform(60, 220)),
        "q_ms": float(rng.uniform(0, 60)), "r_peak_ms": float(rng.uniform(15, 80)),
        "net_uv": float(values["r_uv"]) + min(float(values["s_uv"]), float(values["q_uv"])),
        "area_uvs": float(rng.normal(10, 40)), "start_uv": float(rng.normal(100, 100)),
        "terminal_uv": float(rng.normal(0, 150)),
        "span_uv": float(values["r_uv"]) - min(float(values["s_uv"]), float(values["q_uv"])),
    }  # fmt: skip
    return LeadWaves(**values)


def some_reading(name: str, seed: int) -> Reading:
    """This heart's beats with waves and limits that are not its own."""
    rng, reading = np.random.default_rng(seed), base(name)
    assert reading.limits is not None
    hz, on = reading.traces.hz, reading.limits.qrs_on
    off = on + round(float(rng.uniform(0.06, 0.19)) * hz)
    p_on = on - round(float(rng.uniform(0.08, 0.34)) * hz) if rng.random() < 0.8 else None
    limits = replace(
        reading.limits, qrs_off=off, p_on=p_on, p_off=None if p_on is None else p_on + round(0.1 * hz),
        t_off=off + round(float(rng.uniform(0.12, 0.45)) * hz) if rng.random() < 0.9 else None,
    )  # fmt: skip
    person = Person(
        female=[None, True, False][int(rng.integers(3))],
        age_years=[None, float(rng.uniform(0, 16)), float(rng.uniform(16, 95))][int(rng.integers(3))],
    )
    alike = some_waves(rng)  # in half of the leads the same, so that neighbours agree as they do in life
    waves = {lead: alike if rng.random() < 0.5 else some_waves(rng) for lead in LEADS}
    return replace(reading, waves=waves, limits=limits, person=person)


@MANY
@example("sinus", 492824)  # small limb leads beside high chest leads: Goldberger's triad, no contradiction
@given(st.sampled_from(BASES), st.integers(0, 2**32 - 1))
def test_no_statement_contradicts_another(name: str, seed: int) -> None:
    reading = some_reading(name, seed)
    said = _statements(reading, rhythm_of(reading), Quality(verdict="usable"), dextrocardia=False)
    codes = [statement.code for statement in said]
    assert contradicts(codes) == [], codes
    assert codes == in_report_order(codes)
    assert set(codes) <= TERMS.keys()
