import os
import re
from pathlib import Path

import numpy as np
import pytest
from aecg_files import GLIST_TS, aecg, sequence_set, series, slist

from worker.formats import errors, read

FILES = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "formats" / "aecg"
real = pytest.mark.skipif(not FILES.is_dir(), reason=f"no real aECG files in {FILES} (set ECG_DATA)")
II = "MDC_ECG_LEAD_II"


def values(seed=1, n=500):
    return np.random.default_rng(seed).integers(-3000, 3000, n)


def independently(path):
    """Every sequence of digits in the text: lead, scale, integers."""
    found = re.findall(
        r'code="MDC_ECG_LEAD_(\w+)"[^>]*>(?:\s|<!--.*?-->|</code>)*<value[^>]*SLIST_PQ">.*?'
        r'scale value="([\d.]+)".*?<digits>([^<]*)</digits>',
        path.read_text("utf-8"),
        re.S,
    )
    return [(lead.upper(), float(scale), [int(digit) for digit in digits.split()]) for lead, scale, digits in found]


@real
@pytest.mark.parametrize("path", sorted(FILES.glob("*.xml")), ids=lambda path: path.stem)
def test_real_files_to_the_last_digit_of_the_text(path):
    recording = read(path)
    sequences = independently(path)
    assert len(sequences) == 24
    for row, (lead, scale, digits) in enumerate(sequences[:12]):
        assert recording.leads[row].upper() == lead
        assert recording.uv_per_lsb[row] == scale
        np.testing.assert_array_equal(recording.digital[row], digits)
    for row, (_, _, digits) in enumerate(sequences[12:]):
        np.testing.assert_array_equal(recording.median_beat.digital[row], digits)
    assert not recording.derived
    assert not recording.warnings


@real
def test_the_example_of_the_standard():
    recording = read(FILES / "fda_hl7_Example_aECG.xml")
    assert recording.sampling_hz == 500
    assert recording.started_at.isoformat() == "2002-11-22T09:10:00+08:00"
    assert recording.identity.patient_id == "SBJ-123"
    assert recording.identity.age_years == 46
    assert recording.device.model == "ELI250"
    assert (recording.filters.lowpass_hz, recording.filters.notch_hz) == (150, 60)
    assert recording.device_measurements["qrs_axis_deg"] == -61
    first = recording.annotations[:4]
    assert [mark.label for mark in first] == ["Sinus Rhythm", "P wave", "QRS", "PEAK"]
    assert [(mark.start_s, mark.end_s) for mark in first[1:]] == [(0.122, 0.224), (0.27, 0.39), (0.332, None)]


@real
def test_a_mindray_file():
    recording = read(FILES / "liryc_hl7aecg_example.xml")
    assert recording.sampling_hz == 100
    assert recording.identity.patient_id == "25060897140"
    assert recording.identity.sex is None
    assert recording.device.serial == "FN-3A045256"
    assert recording.device_measurements["rv5_mv"] == 1.008
    assert "qtc_ms" not in recording.device_measurements  # the device wrote 0
    assert recording.device_statements[2] == "ECG limite"


@pytest.mark.parametrize("prefix", ["", "hl7"])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "GB18030", "ISO-8859-1"])
def test_any_prefix_and_encoding(prefix, encoding):
    digital = values()
    data = aecg(series(sequence_set({II: slist(digital)})), prefix=prefix, encoding=encoding)
    recording = read(data)
    np.testing.assert_array_equal(recording.digital, [digital])
    assert recording.started_at.isoformat() == "2024-02-29T23:59:59.500000+08:00"


def test_origin_scale_and_units():
    leads = {
        "MDC_ECG_LEAD_V1": slist([0, 100, -5], origin="12.5", scale="2.5"),
        "MDC_ECG_LEAD_V2": slist([0, 100, -5], origin="-1", scale="0.01", unit="mV"),
        "MDC_ECG_LEAD_aVR": slist([1, 2, 3], scale="500", unit="nV"),
        "MDC_ECG_LEAD_V3R": slist("1.5 -2.25 3", scale="10"),
        "MDC_ECG_LEAD_X": slist([1, 2, 3]),
        "MDC_PRESS_BLD": slist([1, 2, 3], unit="mm[Hg]"),
    }
    recording = read(aecg(series(sequence_set(leads))))
    assert recording.leads == ("V1", "V2", "aVR", "V3R", "X")
    expected = [[12.5, 262.5, 0], [-1000, 0, -1050], [0.5, 1, 1.5], [15, -22.5, 30], [2.5, 5, 7.5]]
    np.testing.assert_allclose(recording.microvolts(), expected, atol=1e-9)
    assert recording.warnings == ("sequence MDC_PRESS_BLD is measured in 'mm[Hg]', not in volts, and was left out",)


GLIST_PQ = '<value xsi:type="GLIST_PQ"><head value="0" unit="ms"/><increment value="4" unit="ms"/></value>'
SLIST_PQ = '<value xsi:type="SLIST_PQ"><scale value="0.001" unit="s"/><digits>0 2 4 6</digits></value>'


@pytest.mark.parametrize(
    ("clock", "time", "rate"),
    [("TIME_RELATIVE", GLIST_PQ, 250), ("TIME_ABSOLUTE", GLIST_TS, 500), ("TIME_RELATIVE", SLIST_PQ, 500)],
)
def test_every_way_to_tell_the_time(clock, time, rate):
    recording = read(aecg(series(sequence_set({II: slist([1, 2, 3, 4])}, time, clock))))
    assert recording.sampling_hz == rate


def test_leads_recorded_one_group_after_another_lie_on_one_time_axis():
    later = GLIST_TS.replace("59.500", "59.504")
    first = sequence_set({"MDC_ECG_LEAD_I": slist([1, 2, 3, 4])})
    second = sequence_set({"MDC_ECG_LEAD_V1": slist([5, 6, 7, 8])}, later)
    recording = read(aecg(series(first, second)))
    assert recording.leads == ("I", "V1")
    np.testing.assert_array_equal(recording.digital, [[1, 2, 3, 4, 0, 0], [0, 0, 5, 6, 7, 8]])
    assert [(gap.start, gap.stop, gap.leads) for gap in recording.gaps] == [(4, 6, ("I",)), (0, 2, ("V1",))]


def test_one_and_two_give_the_others():
    recording = read(aecg(series(sequence_set({"MDC_ECG_LEAD_I": slist([1, 3]), II: slist([5, 6])}))))
    assert recording.derived == {"III", "aVR", "aVL", "aVF"}
    np.testing.assert_array_equal(recording.microvolts()[recording.row("aVF")], [(5 - 0.5) * 2.5, (6 - 1.5) * 2.5])


def test_a_step_without_a_unit_is_not_calibrated():
    data = aecg(series(sequence_set({II: slist([1, 2]).replace(' unit="uV"', "")})))
    assert not read(data).calibrated


REFUSED = {
    "no series": (aecg(), errors.NoWaveform),
    "no sequence": (aecg(series()), errors.NoWaveform),
    "empty digits": (aecg(series(sequence_set({II: slist([])}))), errors.NoWaveform),
    "no time": (aecg(series(sequence_set({II: slist([1])}, time=""))), errors.DamagedRecording),
    "no increment": (
        aecg(series(sequence_set({II: slist([1])}, time=GLIST_TS.replace("0.002", "0")))),
        errors.DamagedRecording,
    ),
    "unsteady": (
        aecg(
            series(
                sequence_set(
                    {II: slist([1, 2, 3])},
                    '<value xsi:type="SLIST_PQ"><scale value="1" unit="ms"/><digits>0 2 5</digits></value>',
                )
            )
        ),
        errors.UnsupportedRecording,
    ),
    "words": (aecg(series(sequence_set({II: slist("1 2 three")}))), errors.DamagedRecording),
    "too large": (aecg(series(sequence_set({II: slist("1 99999999999")}))), errors.DamagedRecording),
    "zero scale": (aecg(series(sequence_set({II: slist([1], scale="0")}))), errors.DamagedRecording),
    "cut": (aecg(series(sequence_set({II: slist(values())})))[:900], errors.TruncatedRecording),
}


@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(data, error):
    with pytest.raises(error):
        read(data)
