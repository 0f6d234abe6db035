"""The definitions of CinC 2015's alarms with their margins, and what is counted of VF windows."""

import numpy as np
import pytest

from bench.accuracy.alarms import alarm_of, confirmed
from bench.accuracy.critical_cases import of_samples
from bench.accuracy.vf import railed
from ecg_center.contract.findings import Evidence, Findings, Measurements, Quality, Statement


def findings(*codes, beats_s=(), evidence=None, **measured):
    return Findings(
        engine="test",
        engine_version="0",
        kind="resting",
        duration_s=16,
        sampling_hz=250,
        leads=["II"],
        quality=Quality(verdict="usable"),
        measurements=Measurements(**measured),
        statements=[
            Statement(
                code=code,
                certainty="probable",
                evidence=[Evidence(quantity=name, value=value) for name, value in (evidence or {}).items()],
            )
            for code in codes
        ],
        grade="normal",
        beats_s=list(beats_s),
    )


@pytest.mark.parametrize(
    ("kind", "yes", "no"),
    [
        ("Asystole", findings(rr_max_ms=3000), findings(rr_max_ms=2990)),
        ("Asystole", findings("26a"), findings("26")),
        ("Asystole", findings("74"), findings("70")),
        ("Bradycardia", findings(beats_s=np.arange(5) * 1.37), findings(beats_s=np.arange(5) * 1.36)),
        ("Bradycardia", findings(beats_s=np.arange(5) * 1.6), findings(beats_s=np.arange(4) * 1.6)),
        ("Tachycardia", findings(beats_s=np.arange(17) * 0.47), findings(beats_s=np.arange(17) * 0.48)),
        ("Tachycardia", findings(beats_s=np.arange(17) * 0.42), findings(beats_s=np.arange(16) * 0.42)),
        ("Ventricular_Flutter_Fib", findings("74a"), findings("70")),
        (
            "Ventricular_Tachycardia",
            findings("71", evidence={"run_beats": 3}),
            findings("71", evidence={"run_beats": 2}),
        ),
        ("Ventricular_Tachycardia", findings("70"), findings("60")),
    ],
)
def test_both_sides_of_each_definition(kind, yes, no):
    assert confirmed(kind, yes)
    assert not confirmed(kind, no)


def test_the_header_says_what_alarm_it_was_and_whether_it_was_true(tmp_path):
    header = tmp_path / "x1.hea"
    header.write_text("x1 1 250 75000\nx1.mat 16+24 7247/mV 16 0 0 0 0 II\n#Asystole\n#False alarm\n")
    assert alarm_of(header) == ("Asystole", False)


@pytest.mark.parametrize(("seconds", "hidden"), [(0.4, False), (0.6, True)])
def test_a_window_on_the_rail_in_every_lead_is_not_counted(seconds, hidden):
    uv = np.random.default_rng(0).normal(0, 200, (12, 2000))
    uv[:, 500 : 500 + round(seconds * 250)] = 5000
    assert railed(of_samples(uv, 250.0)) is hidden
    uv[3] = 0
    assert not railed(of_samples(uv, 250.0))
