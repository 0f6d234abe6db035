"""DICOM waveform objects made with pydicom, the oracle: as devices write them, and as they should not."""

from io import BytesIO

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
SCP_NUMBERS = {
    "I": 1,
    "II": 2,
    "V1": 3,
    "V2": 4,
    "V3": 5,
    "V4": 6,
    "V5": 7,
    "V6": 8,
    "III": 61,
    "aVR": 62,
    "aVL": 63,
    "aVF": 64,
}
TYPES = {
    "SB": (8, np.int8),
    "UB": (8, np.uint8),
    "SS": (16, np.int16),
    "US": (16, np.uint16),
    "SL": (32, np.int32),
    "UL": (32, np.uint32),
}


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def channel(lead, *, unit="uV", sensitivity=2.5, correction=1.0, baseline=0.0, stored=None, skew=0, coded=True):
    item = Dataset()
    if coded and lead in SCP_NUMBERS:
        item.ChannelSourceSequence = Sequence([code(f"5.6.3-9-{SCP_NUMBERS[lead]}", "SCPECG", f"Lead {lead}")])
    else:
        item.ChannelLabel = lead
        item.ChannelSourceSequence = Sequence([code("X", "99TEST", lead)])
    if sensitivity is not None:
        item.ChannelSensitivity = sensitivity
        item.ChannelSensitivityUnitsSequence = Sequence([code(unit, "UCUM", unit)])
        item.ChannelSensitivityCorrectionFactor = correction
        item.ChannelBaseline = baseline
    item.ChannelSampleSkew = str(skew)
    item.WaveformBitsStored = stored or 16
    item.FilterLowFrequency, item.FilterHighFrequency, item.NotchFilterFrequency = 0.05, 150, 50
    return item


def group(samples, channels, *, kind="SS", hz=500, label="RHYTHM", originality="ORIGINAL", offset_ms=0, padding=None):
    bits, dtype = TYPES.get(kind, (8, np.uint8))
    item = Dataset()
    item.MultiplexGroupTimeOffset = offset_ms
    item.WaveformOriginality, item.MultiplexGroupLabel = originality, label
    item.NumberOfWaveformChannels, item.NumberOfWaveformSamples = len(channels), samples.shape[1]
    item.SamplingFrequency = hz
    item.ChannelDefinitionSequence = Sequence(channels)
    item.WaveformBitsAllocated, item.WaveformSampleInterpretation = bits, kind
    if padding is not None:
        item.WaveformPaddingValue = np.array([padding], dtype).tobytes()
    item.WaveformData = np.ascontiguousarray(samples.T.astype(dtype)).tobytes()
    if len(item.WaveformData) % 2:
        item.WaveformData += b"\0"
    item["WaveformData"].VR = "OB" if bits == 8 else "OW"
    return item


def waveform_object(groups, *, sop_class=TWELVE_LEAD, charset="ISO_IR 192", **attributes):
    ds = Dataset()
    ds.SpecificCharacterSet = charset
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, generate_uid()
    ds.PatientName, ds.PatientID, ds.PatientSex, ds.PatientBirthDate, ds.PatientAge = (
        "Wang^Fang=王^芳",
        "P1",
        "F",
        "19600102",
        "065Y",
    )
    ds.AccessionNumber = "A1"
    ds.AcquisitionDateTime = "20250102030405.250"
    ds.Manufacturer = "Test"
    if groups is not None:
        ds.WaveformSequence = Sequence(groups)
    for name, value in attributes.items():
        setattr(ds, name, value)
    return ds


def as_bytes(ds, syntax=ExplicitVRLittleEndian, *, part10=True):
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    out = DicomBytesIO() if part10 else BytesIO()
    dcmwrite(
        out,
        ds,
        enforce_file_format=part10,
        implicit_vr=None if part10 else syntax.is_implicit_VR,
        little_endian=None if part10 else True,
    )
    return out.getvalue()


def noise(n_leads=12, n_samples=5000, high=800, seed=1, low=None):
    return np.random.default_rng(seed).integers(-high if low is None else low, high, (n_leads, n_samples))


def twelve(**kwargs):
    return [
        channel(lead, **kwargs) for lead in ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    ]
