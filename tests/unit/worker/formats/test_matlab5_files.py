import io
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from worker.formats import errors, matlab5, read
from worker.formats.anything import read_declared
from worker.formats.csv_columns import ColumnMap

DATA = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "cpsc2019" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real recordings in {DATA} (set ECG_DATA)")
MAP = 'sampling_hz = 500\nunit = "mV"\n[columns]\necg = "II"\n'


def saved(compress=False, **variables):
    out = io.BytesIO()
    scipy.io.savemat(out, variables, do_compression=compress)
    return out.getvalue()


def values(rows=2, n=500):
    return np.random.default_rng(1).integers(-3000, 3000, (rows, n))


@real
def test_real_files_by_a_column_map_agree_with_scipy():
    for path in sorted(DATA.glob("*.mat")):
        recording = read_declared(path, MAP)
        theirs = scipy.io.loadmat(path)["ecg"].reshape(-1)
        assert recording.leads == ("II",)
        assert recording.sampling_hz == 500
        np.testing.assert_allclose(recording.microvolts()[0] / 1000, theirs, rtol=0, atol=1e-9)
        with pytest.raises(errors.UnsupportedRecording, match="column map"):
            read(path)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("kind", ["f8", "f4", "i2", "i4", "u2"])
def test_every_kind_of_number(kind, compress):
    digital = np.abs(values()) if kind == "u2" else values()
    recording = matlab5.read_mapped(
        saved(compress, val=digital.astype(kind)), ColumnMap(250, "uV", {"1": "I", "2": "II"})
    )
    assert recording.leads[:2] == ("I", "II")
    np.testing.assert_array_equal(recording.digital[:2], digital)
    assert recording.derived == {"III", "aVR", "aVL", "aVF"}


def test_decimals_become_integers_of_a_finer_step_and_what_is_no_number_a_gap():
    wanted = np.round(values(1) / 1000, 3)[0]
    wanted[20:40] = np.nan
    recording = matlab5.read_mapped(saved(x=wanted.reshape(-1, 1)), ColumnMap(500, "mV", {"x": "V1"}))
    known = np.r_[0:20, 40:500]
    np.testing.assert_array_equal(recording.digital[0, known], np.rint(wanted[known] * 1000))
    assert recording.uv_per_lsb[0] == 1.0
    assert [(gap.start, gap.stop) for gap in recording.gaps] == [(20, 40)]


def test_numbers_of_any_kind_lose_a_billionth_of_the_largest():
    wanted = np.random.default_rng(2).normal(size=400) * 1.7
    recording = matlab5.read_mapped(saved(x=wanted), ColumnMap(500, "mV", {"x": "V1"}))
    np.testing.assert_allclose(recording.microvolts()[0] / 1000, wanted, rtol=0, atol=1e-8)


def test_a_file_that_says_its_rate_is_read_without_a_map():
    recording = read(saved(ecg=values(1), fs=360.0, units="mV"))
    assert (recording.sampling_hz, recording.leads, recording.calibrated) == (360, ("ECG",), True)
    assert recording.uv_per_lsb[0] == 1000
    recording = read(saved(val=values(3).T, Fs=250))
    assert recording.leads == ("channel 1", "channel 2", "channel 3")
    assert not recording.calibrated
    assert "unit" in recording.warnings[0]


def test_a_signal_file_of_a_wfdb_record_is_read_by_its_header(tmp_path):
    digital = values(1)[0]
    raw = saved(val=digital.astype("i2").reshape(1, -1))
    offset = raw.index(digital.astype("<i2").tobytes())
    (tmp_path / "a.mat").write_bytes(raw)
    (tmp_path / "a.hea").write_text(f"a 1 250 500\na.mat 16+{offset} 1000/mV 16 0 0 0 0 II\n")
    recording = read(tmp_path / "a.mat")
    assert (recording.format, recording.sampling_hz) == ("wfdb", 250)
    np.testing.assert_array_equal(recording.digital[0], digital)


@pytest.mark.parametrize("columns", [{"y": "I"}, {"3": "I"}, {"0": "I"}])
def test_a_map_that_names_what_is_not_there(columns):
    with pytest.raises(errors.UnsupportedRecording, match="no variable or row"):
        matlab5.read_mapped(saved(x=values()), ColumnMap(500, "uV", columns))


PACKED = zlib.compress(bytes(60 * 1024**2))
BOMB = saved(x=1)[:128] + (15).to_bytes(4, "little") + len(PACKED).to_bytes(4, "little") + PACKED
REFUSED = {
    "no rate": (saved(ecg=values(1)), errors.UnsupportedRecording),
    "no matrix": (saved(fs=500, note="x"), errors.NoWaveform),
    "cells": (saved(fs=500, x=np.array([[1], "a"], dtype=object)), errors.NoWaveform),
    "cut": (saved(fs=500, ecg=values(1))[:-800], errors.TruncatedRecording),
    "infinite": (saved(fs=500, ecg=np.array([1.0, np.inf])), errors.DamagedRecording),
    "beyond": (saved(fs=500, ecg=np.array([1.0, 1e12])), errors.DamagedRecording),
    "rate": (saved(fs=0, ecg=values(1)), errors.DamagedRecording),
    "too many leads": (saved(fs=500, ecg=values(200, 300)), errors.UnsupportedRecording),
    "bomb": (BOMB, errors.TooLargeRecording),
}


@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(data, error):
    with pytest.raises(error):
        read(data)
