import base64
import os
import re
from pathlib import Path

import numpy as np
import pytest
from muse_files import lead, muse, waveform

from worker.formats import errors, read

FILES = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "formats" / "muse_xml"
real = pytest.mark.skipif(not FILES.is_dir(), reason=f"no real MUSE files in {FILES} (set ECG_DATA)")
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def samples(seed=1, n=500):
    return np.random.default_rng(seed).integers(-3000, 3000, n)


def independently(path, kind):
    """Leads and integers by a regular expression and struct alone."""
    text = path.read_text("latin-1")
    body = next(part for part in re.findall(r"<Waveform>.*?</Waveform>", text, re.S) if f">{kind}<" in part)
    names = re.findall(r"<LeadID>(.*?)<", body)
    words = re.findall(r"<WaveFormData>(.*?)</WaveFormData>", body, re.S)
    return tuple(names), np.stack([np.frombuffer(base64.b64decode(word), "<i2") for word in words])


@real
@pytest.mark.parametrize("path", sorted(FILES.glob("*.xml")), ids=lambda path: path.stem)
def test_real_files_to_the_last_bit(path):
    recording = read(path)
    names, digital = independently(path, "Rhythm")
    assert recording.format == "muse"
    assert recording.leads[:8] == names == EIGHT
    assert recording.derived == {"III", "aVR", "aVL", "aVF"}
    np.testing.assert_array_equal(recording.digital[:8], digital)
    one, two = digital[0].astype(int), digital[1].astype(int)
    np.testing.assert_array_equal(recording.microvolts()[recording.row("III")], (two - one) * 4.88)
    np.testing.assert_array_equal(recording.microvolts()[recording.row("aVR")], -(one + two) * 2.44)
    names, digital = independently(path, "Median")
    assert recording.median_beat.leads == names
    np.testing.assert_array_equal(recording.median_beat.digital, digital)
    assert recording.sampling_hz == 500
    assert recording.uv_per_lsb[0] == 4.88
    assert recording.warnings == ()


@real
def test_real_file_words():
    recording = read(FILES / "egm_muse-sinus.xml")
    assert recording.identity.patient_name == "DOE JOHN"
    assert recording.identity.birth_date == "1979-07-08"
    assert recording.started_at.isoformat() == "2023-04-29T22:41:16+08:00"
    assert recording.device.model == "MV360"
    assert recording.filters.highpass_hz == 0.56
    assert recording.device_measurements["qtc_ms"] == 491
    assert recording.device_measurements["qrs_axis_deg"] == 0
    assert recording.device_statements[1] == "Anterior infarct, age undetermined"
    assert [mark.start_s for mark in recording.annotations[:2]] == [0.212, 0.872]


def test_sample_exponent_lead_off_checksum_and_twelve_leads():
    names = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
    leads = [lead(name, samples(row)) for row, name in enumerate(names)]
    leads[6] = lead("V1", samples(6), LeadOff="TRUE")
    leads[7] = lead("V2", samples(7), LeadDataCRC32=1)
    recording = read(muse(waveform("Rhythm", leads, rate=25, exponent=1)))
    assert recording.sampling_hz == 250
    assert recording.derived == frozenset()
    assert recording.leads[3] == "aVR"
    assert recording.median_beat is None
    assert recording.warnings == (
        "the device reports that the electrode of lead V1 was off",
        "the checksum of lead V2 does not fit its samples; they may have been changed",
    )


def test_leads_of_different_length_leave_a_gap():
    recording = read(muse(waveform("Rhythm", [lead("V1", samples(n=500)), lead("V2", samples(n=400))])))
    assert recording.n_samples == 500
    assert [(gap.start, gap.stop, gap.leads) for gap in recording.gaps] == [(400, 500, ("V2",))]


def test_a_site_that_writes_the_day_first():
    date, time = "<AcquisitionDate>29-04-2023</AcquisitionDate>", "<AcquisitionTime>07:06:05</AcquisitionTime>"
    extra = f"<TestDemographics>{date}{time}</TestDemographics>"
    recording = read(muse(waveform("Rhythm", [lead("II", samples())]), extra=extra))
    assert recording.started_at.isoformat() == "2023-04-29T07:06:05+08:00"


def test_chinese_names_in_gb18030():
    names = "<PatientLastName>欧阳</PatientLastName><PatientFirstName>小明</PatientFirstName>"
    extra = f"<PatientDemographics>{names}<Gender>女</Gender></PatientDemographics>"
    recording = read(muse(waveform("Rhythm", [lead("II", samples())]), extra=extra, encoding="GB18030"))
    assert recording.identity.patient_name == "欧阳小明"
    assert recording.identity.sex == "F"


def rhythm(**changes):
    return muse(waveform("Rhythm", [lead("II", samples(), **changes)]))


REFUSED = {
    "no waveform": (muse(), errors.NoWaveform),
    "median alone": (muse(waveform("Median", [lead("II", samples())])), errors.NoWaveform),
    "empty lead": (muse(waveform("Rhythm", [lead("II", [])])), errors.NoWaveform),
    "no rate": (muse(waveform("Rhythm", [lead("II", samples())], rate="")), errors.DamagedRecording),
    "absurd rate": (muse(waveform("Rhythm", [lead("II", samples())], exponent=99)), errors.DamagedRecording),
    "not base64": (rhythm(WaveFormData="§§"), errors.DamagedRecording),
    "no step": (rhythm(LeadAmplitudeUnitsPerBit=""), errors.DamagedRecording),
    "zero step": (rhythm(LeadAmplitudeUnitsPerBit=0), errors.DamagedRecording),
    "degrees": (rhythm(LeadAmplitudeUnits="DEGREES"), errors.UnsupportedRecording),
    "one byte": (rhythm(LeadSampleSize=1), errors.UnsupportedRecording),
    "cut": (rhythm()[:-100], errors.TruncatedRecording),
}


@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(data, error):
    with pytest.raises(error):
        read(data)
