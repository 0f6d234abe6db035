from datetime import UTC, datetime

import numpy as np
import pytest

from worker.leads import standard_name
from worker.recording import MAX_WARNING, MAX_WARNINGS, Gap, Recording


def recording(**changes):
    rng = np.random.default_rng(1)
    values = {
        "format": "test",
        "kind": "resting",
        "leads": ("I", "II", "V1"),
        "digital": rng.integers(-800, 800, (3, 5000)).astype(np.int16),
        "uv_per_lsb": np.full(3, 2.5),
        "baseline": np.zeros(3),
        "sampling_hz": 500.0,
    } | changes
    return Recording(**values)


def test_microvolts_follow_scale_and_baseline():
    rec = recording(digital=np.array([[0, 10], [100, 110], [5, 5]], np.int16), baseline=np.array([0.0, 100.0, 5.0]))
    assert rec.microvolts().tolist() == [[0, 25], [0, 25], [0, 0]]
    assert rec.duration_s == 2 / 500
    assert rec.microvolts(1).shape == (3, 1)


def test_int16_rounds_half_to_even_and_saturates():
    rec = recording(digital=np.array([[1, 3], [30000, -30000], [0, 0]], np.int16))
    assert rec.int16_uv().tolist() == [[2, 8], [32767, -32768], [0, 0]]


def test_arrays_cannot_be_changed():
    rec = recording()
    with pytest.raises(ValueError, match="read-only"):
        rec.digital[0, 0] = 1
    with pytest.raises(TypeError):
        rec.device_measurements["qrs_ms"] = 1.0


def test_derived_limb_leads_are_exact_and_marked():
    rec = recording(started_at=datetime.now(UTC), gaps=(Gap(0, 10, ("I",)),))
    full = rec.with_derived_leads()
    uv = dict(zip(full.leads, full.microvolts(), strict=True))
    assert full.derived == {"III", "aVR", "aVL", "aVF"}
    np.testing.assert_array_equal(uv["III"], uv["II"] - uv["I"])
    np.testing.assert_array_equal(uv["aVR"], -(uv["I"] + uv["II"]) / 2)
    np.testing.assert_array_equal(uv["aVL"], (uv["I"] - uv["III"]) / 2)
    np.testing.assert_array_equal(uv["aVF"], (uv["II"] + uv["III"]) / 2)
    assert full.signal_sha256 == rec.signal_sha256
    assert "aVF" in full.gaps[0].leads
    assert full.with_derived_leads() is full


def test_leads_of_different_scale_are_not_mixed():
    rec = recording(uv_per_lsb=np.array([2.5, 5.0, 2.5])).with_derived_leads()
    assert rec.leads == ("I", "II", "V1")
    assert "differ in scale" in rec.warnings[0]


def test_hash_depends_on_lead_order_and_every_sample():
    rec = recording()
    assert rec.signal_sha256 == recording().signal_sha256
    changed = rec.digital.copy()
    changed[2, 4999] += 1
    assert recording(digital=changed).signal_sha256 != rec.signal_sha256
    assert recording(digital=rec.digital[::-1].copy()).signal_sha256 != rec.signal_sha256


@pytest.mark.parametrize(
    "wrong",
    [
        {"leads": ("I", "I", "V1")},
        {"digital": np.zeros((2, 10), np.int16)},
        {"digital": np.zeros((3, 10))},
        {"uv_per_lsb": np.array([1.0, 0.0, 1.0])},
        {"baseline": np.array([0.0, np.nan, 0.0])},
        {"sampling_hz": 0.0},
        {"started_at": datetime(2025, 1, 1)},  # noqa: DTZ001
    ],
)
def test_impossible_recordings_are_refused(wrong):
    with pytest.raises(ValueError, match=r"."):
        recording(**wrong)


@pytest.mark.parametrize(
    ("written", "name"),
    [("Lead I (Einthoven)", "Lead I (Einthoven)"), ("AVL", "aVL"), (" v6 ", "V6"), ("V4R", "V4R"), ("Lead aVR", "aVR")],
)
def test_lead_names(written, name):
    assert standard_name(written) == name


def test_warnings_are_as_many_and_as_long_as_a_person_reads():
    many = tuple(f"channel {number} is no lead" for number in range(5000))
    rec = recording(warnings=("x" * 10_000, *many, many[0]))
    assert len(rec.warnings) == MAX_WARNINGS
    assert len(rec.warnings[0]) == MAX_WARNING
    assert rec.warnings[-1] == "4902 further warnings are not shown"
    assert rec.with_derived_leads().warnings == rec.warnings
