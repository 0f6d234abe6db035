"""DICOM objects as gateways and cardiographs in the field write them: against the letter, and readable all the same."""

import struct
import warnings

import numpy as np
import pytest
from dicom_objects import as_bytes, channel, group, noise, twelve, waveform_object
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian

from worker.formats import errors, read

warnings.filterwarnings("ignore", module="pydicom")
LEADS = ("I", "II", "V1")
DIGITAL = noise(3, 100)
HEMODYNAMIC = "1.2.840.10008.5.1.4.1.1.9.2.1"


def channels():
    return [channel(lead) for lead in LEADS]


def changed(**attributes):
    """A sound group with these attributes changed; None takes one out."""
    made = group(DIGITAL, channels())
    for name, value in attributes.items():
        if value is None:
            delattr(made, name)
        else:
            setattr(made, name, value)
    return made


def written(data_set, *, implicit, little=True):
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = little, implicit
    write_dataset(out, data_set)
    return out.getvalue()


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("undefined", [True, False])
def test_a_waveform_that_a_gateway_did_not_know_and_wrote_as_unknown(implicit, undefined):
    """PS3.5 section 6.2.2: inside UN it is implicit; some write it as the rest of the object."""
    whole = waveform_object([group(DIGITAL, channels())])
    sequence = whole.pop("WaveformSequence").value
    body = written(sequence[0], implicit=implicit)
    value = struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body
    raw = as_bytes(whole, ExplicitVRLittleEndian)
    raw += struct.pack("<HH2sHI", 0x5400, 0x0100, b"UN", 0, 0xFFFFFFFF if undefined else len(value)) + value
    raw += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) if undefined else b""
    recording = read(raw)
    np.testing.assert_array_equal(recording.digital[:3], DIGITAL)
    assert recording.leads[:3] == LEADS


def test_big_endian_without_the_file_header():
    made = group(DIGITAL, channels())
    made.WaveformData = np.frombuffer(made.WaveformData, "<i2").astype(">i2").tobytes()
    recording = read(written(waveform_object([made]), implicit=False, little=False))
    np.testing.assert_array_equal(recording.digital[:3], DIGITAL)


def test_gb2312_without_the_escape_sequence_that_iso_2022_asks_for():
    raw = as_bytes(waveform_object([group(DIGITAL, channels())], charset=["", "ISO 2022 IR 58"]))
    at = raw.index("王^".encode("gb2312").replace(b"^", b""))
    start, stop = raw.rindex(b"PN", 0, at) + 4, raw.index(b"\x10\x00\x20\x00LO", at)
    bare = raw[start:stop].replace(b"\x1b$)A", b"")
    recording = read(raw[:start] + bare.ljust(stop - start) + raw[stop:])
    assert recording.identity.patient_name == "王芳"


@pytest.mark.parametrize(
    "bad",
    [
        changed(SamplingFrequency=0),
        changed(WaveformSampleInterpretation="MB", WaveformBitsAllocated=8),
        changed(NumberOfWaveformChannels=7, NumberOfWaveformSamples=150),
    ],
)
def test_a_group_that_cannot_be_read_beside_one_that_can(bad):
    recording = read(as_bytes(waveform_object([bad, group(DIGITAL, channels())])))
    np.testing.assert_array_equal(recording.digital[:3], DIGITAL)
    assert any("was left out" in warning for warning in recording.warnings)
    with pytest.raises((errors.DamagedRecording, errors.UnsupportedRecording)):
        read(as_bytes(waveform_object([bad])))
    beat = group(DIGITAL[:, :30], channels(), label="MEDIAN BEAT", originality="DERIVED")
    with pytest.raises((errors.DamagedRecording, errors.UnsupportedRecording)):
        read(as_bytes(waveform_object([bad, beat])))


@pytest.mark.parametrize(
    ("attributes", "warns"),
    [
        ({"NumberOfWaveformChannels": None}, "channels"),
        ({"NumberOfWaveformChannels": 2}, "channels"),
        ({"NumberOfWaveformSamples": None}, ""),
        ({"WaveformBitsAllocated": None}, ""),
        ({"WaveformSampleInterpretation": None}, "signed"),
    ],
)
def test_what_can_be_known_from_the_rest_is_not_missed(attributes, warns):
    recording = read(as_bytes(waveform_object([changed(**attributes)])))
    np.testing.assert_array_equal(recording.digital[:3], DIGITAL)
    assert any(warns in warning for warning in recording.warnings) if warns else not recording.warnings


@pytest.mark.parametrize(
    "attributes",
    [
        {"NumberOfWaveformChannels": 2, "NumberOfWaveformSamples": None},
        {"NumberOfWaveformChannels": 2, "NumberOfWaveformSamples": 150},
        {"WaveformSampleInterpretation": None, "WaveformBitsAllocated": None},
        {"WaveformSampleInterpretation": None, "WaveformBitsAllocated": 8},
    ],
)
def test_what_could_mean_two_things_is_refused(attributes):
    with pytest.raises((errors.DamagedRecording, errors.UnsupportedRecording)):
        read(as_bytes(waveform_object([changed(**attributes)])))


def test_twelve_leads_beside_pressures_of_another_rate_in_a_hemodynamic_object():
    digital = noise(12, 1200)
    pressures = group(noise(2, 300), [channel(name, unit="mm[Hg]", coded=False) for name in ("AO", "LV")], hz=250)
    leads = group(digital, twelve(coded=False), hz=1000)
    for groups in ([pressures, leads], [leads, pressures]):
        recording = read(as_bytes(waveform_object(groups, sop_class=HEMODYNAMIC)))
        np.testing.assert_array_equal(recording.digital, digital)
        assert recording.sampling_hz == 1000
        assert any("mm[Hg]" in warning for warning in recording.warnings)
