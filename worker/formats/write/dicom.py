"""DICOM waveforms: of which class is this recording, how do its integers stand in it? (PS3.3 A.34.3 to A.34.5, C.10.9)

12-lead ECG for a resting 12-lead, Ambulatory for Holter, General else; General 32-bit where samples or rate fit no
other class. Samples are the device's own integers: sensitivity is the step, baseline the value of 0, both to the 16
characters of a decimal string (PS3.5 6.2). The median beat is a second multiplex group; derived leads are marked as
such. Samples that were not measured are padding (C.10.9.1.4.5), except where the device put a number there: then the
number stays and an annotation names the gap.

:func:`write` also gives an analysis' measurements as a structured report (:mod:`worker.formats.write.dicom_report`).
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID

from ecg_center.contract.findings import Findings
from worker.formats.dicom_tables import DERIVED_FROM_I_AND_II, GAP_LABEL, OWN_CODES, PADDING
from worker.formats.write.common import file_name
from worker.formats.write.dicom_header import MEASUREMENTS, code, decimal, encoded, header, stable_uid, text
from worker.formats.write.dicom_report import report
from worker.formats.write.errors import UnwritableRecording
from worker.leads import NUMBERS, TWELVE
from worker.recording import Filters, Gap, MedianBeat, Recording, Samples

NAME: Final = "dicom"
TWELVE_LEAD: Final = UID("1.2.840.10008.5.1.4.1.1.9.1.1")
GENERAL: Final = UID("1.2.840.10008.5.1.4.1.1.9.1.2")
AMBULATORY: Final = UID("1.2.840.10008.5.1.4.1.1.9.1.3")
GENERAL_32_BIT: Final = UID("1.2.840.10008.5.1.4.1.1.9.1.4")

MAX_12_LEAD_SAMPLES: Final = 16_384
"""PS3.3 A.34.3.4.4."""
CHANNELS: Final = {TWELVE_LEAD: 13, GENERAL: 24, AMBULATORY: 12, GENERAL_32_BIT: 24}
"""Channels of one multiplex group at most (A.34.3.4.3, A.34.4.4.3, A.34.5.4.3)."""
RATES_HZ: Final = {TWELVE_LEAD: (200, 1000), GENERAL: (200, 1000), AMBULATORY: (50, 1000)}
"""A.34.3.4.5, A.34.4.4.4, A.34.5.4.4; the 32-bit class leaves it to the conformance statement."""
MAX_GROUP_BYTES: Final = 2**32 - 4
MAX_MARKS: Final = 20_000

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\]")


def write(recording: Recording, name: str, findings: Findings | None = None) -> dict[str, bytes]:
    """The recording as one object, and with findings a report beside it, by file name.

    Raises:
        UnwritableRecording: there is no sample, or more than one object holds.
    """
    if recording.n_samples == 0:
        raise UnwritableRecording("the recording has no sample to write")
    dataset = waveform(recording)
    files = {f"{file_name(name)}.dcm": encoded(dataset)}
    if findings is not None:
        files[f"{file_name(name)}-report.dcm"] = encoded(report(recording, dataset, findings))
    return files


def waveform(recording: Recording) -> Dataset:
    """The recording as a waveform object."""
    sop_class = class_of(recording)
    dataset = header(recording)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = stable_uid(recording, f"instance/{recording.format}")
    dataset.SeriesInstanceUID = stable_uid(recording, "series")
    dataset.Modality = "ECG"
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    dataset.AcquisitionContextSequence = []
    wide = sop_class == GENERAL_32_BIT
    samples, padded, kept = _padded(recording, wide)
    groups = []
    for start in range(0, len(recording.leads), CHANNELS[sop_class]):
        rows = slice(start, start + CHANNELS[sop_class])
        groups.append(_rhythm(recording, samples, rows, padded))
    if recording.median_beat is not None and sop_class != AMBULATORY:
        groups.append(_median(recording.median_beat, wide))
    dataset.WaveformSequence = groups
    notes = [*_measured(recording), *_stated(recording), *_marked(recording, kept)]
    if notes:
        dataset.WaveformAnnotationSequence = notes
    return dataset


def class_of(recording: Recording) -> UID:
    """The class that this recording is written as."""
    values = np.iinfo(np.int16)
    if recording.digital.min() < values.min or recording.digital.max() > values.max:
        return GENERAL_32_BIT
    n, length, rate = len(recording.leads), recording.n_samples, recording.sampling_hz
    candidates = [GENERAL]
    if recording.kind == "holter":
        candidates = [AMBULATORY, GENERAL]
    elif set(TWELVE) <= set(recording.leads) and length <= MAX_12_LEAD_SAMPLES:
        candidates = [TWELVE_LEAD, GENERAL]
    for candidate in candidates:
        low, high = RATES_HZ[candidate]
        if low <= rate <= high and (n <= CHANNELS[candidate] or candidate == GENERAL):
            return candidate
    return GENERAL_32_BIT


def _rhythm(recording: Recording, samples: Samples, rows: slice, padded: bool) -> Dataset:
    leads = recording.leads[rows]
    group = _group(samples[rows], recording.sampling_hz, "ORIGINAL", "RHYTHM")
    if padded:
        lowest = np.iinfo(samples.dtype).min
        group.add(DataElement(PADDING, "OW", np.array([lowest], samples.dtype).tobytes()))
    group.ChannelDefinitionSequence = [
        _channel(
            lead,
            float(recording.uv_per_lsb[row]),
            float(recording.baseline[row]),
            samples.dtype.itemsize * 8,
            recording.filters,
            lead in recording.derived,
            recording.calibrated,
        )
        for row, lead in zip(range(*rows.indices(len(recording.leads))), leads, strict=True)
    ]
    return group


def _median(beat: MedianBeat, wide: bool) -> Dataset:
    samples = _as_type(beat.digital, wide)
    group = _group(samples, beat.sampling_hz, "DERIVED", "MEDIAN BEAT")
    group.ChannelDefinitionSequence = [
        _channel(
            lead,
            float(beat.uv_per_lsb[row]),
            float(beat.baseline[row]),
            samples.dtype.itemsize * 8,
            Filters(),
            derived=False,
            calibrated=True,
        )
        for row, lead in enumerate(beat.leads)
    ]
    return group


def _group(samples: Samples, sampling_hz: float, originality: str, label: str) -> Dataset:
    data: NDArray[Any] = np.ascontiguousarray(samples.T).astype(samples.dtype.newbyteorder("<"), copy=False)
    if data.nbytes > MAX_GROUP_BYTES:
        raise UnwritableRecording("the recording is larger than the 4 GB of one DICOM waveform; write EDF instead")
    group = Dataset()
    group.WaveformOriginality = originality
    group.NumberOfWaveformChannels = samples.shape[0]
    group.NumberOfWaveformSamples = samples.shape[1]
    group.SamplingFrequency = decimal(sampling_hz)
    group.MultiplexGroupLabel = label
    bits = samples.dtype.itemsize * 8
    group.WaveformBitsAllocated = bits
    group.WaveformSampleInterpretation = "SS" if bits == 16 else "SL"
    group.add_new("WaveformData", "OW", data.tobytes())
    return group


def _channel(
    lead: str, step_uv: float, zero: float, bits: int, filters: Filters, derived: bool, calibrated: bool
) -> Dataset:
    channel = Dataset()
    channel.ChannelLabel = text(lead, 16)
    number = next((number for number, name in NUMBERS.items() if name == lead), None)
    if number is not None:
        channel.ChannelSourceSequence = [code(f"2:{number}", "MDC", f"Lead {lead}")]
    else:
        channel.ChannelSourceSequence = [code(text(lead, 16) or "?", OWN_CODES, lead)]
    if derived:
        channel.ChannelDerivationDescription = DERIVED_FROM_I_AND_II
    if calibrated:
        channel.ChannelSensitivity = decimal(step_uv)
        channel.ChannelSensitivityUnitsSequence = [code("uV", "UCUM", "microvolt")]
        channel.ChannelSensitivityCorrectionFactor = "1"
        channel.ChannelBaseline = decimal(0.0 - zero * step_uv)
    channel.ChannelTimeSkew = "0"
    channel.WaveformBitsStored = bits
    if filters.highpass_hz is not None:
        channel.FilterLowFrequency = decimal(filters.highpass_hz)
    if filters.lowpass_hz is not None:
        channel.FilterHighFrequency = decimal(filters.lowpass_hz)
    if filters.notch_hz is not None:
        channel.NotchFilterFrequency = decimal(filters.notch_hz)
    return channel


def _as_type(digital: Samples, wide: bool) -> Samples:
    """32-bit where the class has it, and where a median beat needs it."""
    values = np.iinfo(np.int16)
    fits = digital.size == 0 or (digital.min() >= values.min and digital.max() <= values.max)
    kind: type[Any] = np.int32 if wide or not fits else np.int16
    result: Samples = digital.astype(kind, copy=False)
    return result


def _padded(recording: Recording, wide: bool) -> tuple[Samples, bool, list[Gap]]:
    """(the samples with silent gaps as padding, whether there is padding, the gaps that hold a number)."""
    samples = _as_type(recording.digital, wide)
    lowest = np.iinfo(samples.dtype).min
    if not recording.gaps or samples.min() == lowest:
        return samples, False, list(recording.gaps)
    padded: Any = samples.copy()
    kept: list[Gap] = []
    used = False
    for gap in recording.gaps:
        rows = [recording.row(lead) for lead in gap.leads]
        part = samples[rows, gap.start : gap.stop]
        if gap.stop - gap.start > 1 and part.size and (part == part[:, :1]).all():
            padded[rows, gap.start : gap.stop] = lowest
            used = True
        else:
            kept.append(gap)
    return padded, used, kept


def _note(meaning: str, coding: Dataset | None = None) -> Dataset:
    note = Dataset()
    note.ReferencedWaveformChannels = [1, 0]
    note.ConceptNameCodeSequence = [coding or code("MARK", OWN_CODES, meaning)]
    return note


def _measured(recording: Recording) -> Iterable[Dataset]:
    for name, value in recording.device_measurements.items():
        known = MEASUREMENTS.get(name)
        coding = code(known[0], "MDC", known[1]) if known else code(text(name, 16), OWN_CODES, name.replace("_", " "))
        note = _note("", coding)
        unit = known[2] if known else next((u for u in ("ms", "mV", "deg") if name.endswith(f"_{u.lower()}")), "1")
        note.MeasurementUnitsCodeSequence = [code(unit, "UCUM", unit)]
        note.NumericValue = decimal(value)
        yield note


def _stated(recording: Recording) -> Iterable[Dataset]:
    for statement in recording.device_statements:
        note = Dataset()
        note.ReferencedWaveformChannels = [1, 0]
        note.UnformattedTextValue = _CONTROL.sub(" ", statement)[:1024]
        yield note


def _marked(recording: Recording, kept: list[Gap]) -> Iterable[Dataset]:
    """The device's marks, and the gaps whose samples were left as they are."""
    for mark in recording.annotations[:MAX_MARKS]:
        if mark.start_s < 0:
            continue
        note = _note(mark.label or "mark")
        ends = [mark.start_s] if mark.end_s is None else [mark.start_s, mark.end_s]
        note.TemporalRangeType = "POINT" if mark.end_s is None else "SEGMENT"
        note.ReferencedTimeOffsets = [decimal(end) for end in ends]
        yield note
    for gap in kept[:MAX_MARKS]:
        note = _note(GAP_LABEL)
        note.ReferencedWaveformChannels = [
            number for lead in gap.leads for number in _place(recording, recording.row(lead))
        ]
        note.TemporalRangeType = "SEGMENT"
        note.ReferencedSamplePositions = [gap.start + 1, gap.stop]
        yield note


def _place(recording: Recording, row: int) -> tuple[int, int]:
    """(multiplex group, channel), both counted from 1."""
    each = CHANNELS[class_of(recording)]
    return row // each + 1, row % each + 1
