"""Every file that is at hand reads, and what a reader has to say about it is known. All 502 take two seconds."""

import os
from collections import Counter
from pathlib import Path

import pytest

from worker.formats import errors, read
from worker.formats.anything import read_declared

DATA = Path(os.environ.get("ECG_DATA", "../shared/ecg-data"))
FOLDERS = (
    "cinc2015", "cinc2017", "cinc2021_12lead", "cpsc2018_12lead", "cpsc2021", "ludb/data", "mitdb", "cudb", "vfdb",
    "qtdb", "nstdb",
)  # fmt: skip
KNOWN = (
    "signals that are no ECG lead",
    "I and II differ in scale",
    "the device appended a calibration pulse",
    "the header gives no gain",
)
"""Beginnings of the warnings that real files give rise to; another one is a change of a reader that wants a look."""
CPSC_2019 = 'sampling_hz = 500\nunit = "mV"\n[columns]\necg = "ECG"\n'

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real recordings in {DATA} (set ECG_DATA)")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_record_reads(folder):
    headers = sorted((DATA / folder).glob("*.hea"))
    if not headers:
        pytest.skip(f"no records in {DATA / folder}")
    said = Counter()
    for path in headers:
        recording = read(path)
        assert recording.n_samples > 0, path
        assert recording.leads, path
        assert recording.format == "wfdb"
        said.update(warning for warning in recording.warnings if not warning.startswith(KNOWN))
    assert not said


def test_every_file_of_the_other_formats_reads():
    found = {}
    for path in sorted(path for path in (DATA / "formats").rglob("*") if path.is_file()):
        if path.name == "wfdb_test_edfann.edf":  # it holds no signal
            with pytest.raises(errors.NoWaveform, match="annotations alone"):
                read(path)
            continue
        recording = read(path)
        assert not [warning for warning in recording.warnings if not warning.startswith(KNOWN)], path
        found[path.parent.name] = recording.format
    if not found:
        pytest.skip(f"no files in {DATA / 'formats'}")
    assert found == {
        "aecg": "aecg", "csv": "csv", "dicom": "dicom", "muse_xml": "muse", "philips_xml": "philips", "scp": "scp",
    }  # fmt: skip


def test_files_that_say_neither_rate_nor_unit_read_with_a_column_map():
    paths = sorted((DATA / "cpsc2019" / "data").glob("*.mat"))
    if not paths:
        pytest.skip(f"no files in {DATA / 'cpsc2019' / 'data'}")
    for path in paths:
        assert read_declared(path, CPSC_2019).n_samples == 5000
        with pytest.raises(errors.UnsupportedRecording, match="column map"):
            read(path)
