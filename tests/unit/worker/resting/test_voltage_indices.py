"""Indices of hypertrophy from waves that are known."""

from dataclasses import fields, replace

import pytest

from bench.accuracy.calibration_signals import SIGNALS, drawn
from worker.resting import analyse, indices
from worker.resting.waves import LeadWaves

NOTHING = LeadWaves(**{field.name: 0.0 for field in fields(LeadWaves)})


def lead(**values):
    return replace(NOTHING, **values)


WAVES = {
    "I": lead(r_uv=1500.0, s_uv=-100.0),
    "II": lead(r_uv=1000.0),
    "III": lead(r_uv=200.0, s_uv=-1000.0),
    "aVR": lead(q_uv=-1200.0),
    "aVL": lead(r_uv=1400.0),
    "aVF": lead(r_uv=500.0),
    "V1": lead(s_uv=-2000.0, p_low_uv=-120.0, p_low_ms=50.0),
    "V2": lead(s_uv=-3100.0),
    "V3": lead(s_uv=-1200.0),
    "V4": lead(s_uv=-700.0),
    "V5": lead(r_uv=2500.0, r_peak_ms=52.0, st_j_uv=-80.0, t_uv=-200.0),
    "V6": lead(r_uv=2800.0),
}


def test_voltages():
    assert indices.sokolow_lyon_mv(WAVES) == pytest.approx(4.8)
    assert indices.rv5_sv1_mv(WAVES) == pytest.approx(4.5)
    assert indices.cornell_mv(WAVES) == pytest.approx(2.6)
    assert indices.lewis_mv(WAVES) == pytest.approx(1.5 + 1.0 - 0.2 - 0.1)
    assert indices.peguero_mv(WAVES) == pytest.approx(3.1 + 0.7)
    assert indices.v1_p_terminal_mv_ms(WAVES) == pytest.approx(6.0)


def test_points_add_up_and_each_counts_once():
    assert indices.romhilt_estes_points(WAVES, 95, -40, with_p=True) == 3 + 3 + 3 + 2 + 1 + 1
    assert indices.romhilt_estes_points(WAVES, 95, -40, with_p=False) == 10
    assert indices.romhilt_estes_points(WAVES, 80, 10, with_p=True) == 3 + 3 + 3 + 1
    calm = WAVES | {"V2": NOTHING, "V5": lead(r_uv=2500.0)}
    assert indices.romhilt_estes_points(calm, 80, 10, with_p=False) == 0


def test_a_missing_lead_gives_no_number():
    without = {name: waves for name, waves in WAVES.items() if name not in ("V1", "V4", "aVL")}
    assert indices.sokolow_lyon_mv(without) is None
    assert indices.cornell_mv(without) is None
    assert indices.peguero_mv(without) is None
    assert indices.v1_p_terminal_mv_ms(without) is None
    assert indices.romhilt_estes_points(without, 95, -40, with_p=True) is None
    assert indices.cornell_product_mv_ms(None, 100, female=True) is None


def test_the_pre_read_carries_them():
    signal = next(item for item in SIGNALS if item.name == "CAL20000")
    values = analyse(drawn(signal)).measurements
    v1, v5 = signal.leads["V1"], signal.leads["V5"]
    assert values.rv5_sv1_mv == pytest.approx((v5.r - v1.s) / 1000, rel=0.05)
    assert values.sokolow_lyon_mv == values.rv5_sv1_mv
    assert values.cornell_product_mv_ms == pytest.approx(values.cornell_mv * values.qrs_ms, abs=1)
    assert values.qt_dispersion_ms is not None
    assert values.qt_dispersion_ms < 20
