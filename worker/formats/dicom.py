"""DICOM waveforms: which multiplex group is the recording, and what do its integers mean? (PS3.3 C.10.9, A.34)

Reads the 12-lead, General, Ambulatory and General 32-bit ECG classes, and the ECG leads of a Hemodynamic or
electrophysiology object. A group marked as derived or labelled a median beat is kept beside the recording.
"""

import re
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Final

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import dicom_tables as t
from worker.formats.binary import with_limb_leads
from worker.formats.dicom_elements import DataSet, parse
from worker.formats.dicom_groups import Channel, Group, assemble, is_computed, median_group, read_group
from worker.formats.dicom_text import SPECIFIC_CHARACTER_SET, Texts
from worker.formats.errors import DamagedRecording, NoWaveform, UnreadableRecording, UnsupportedRecording
from worker.formats.fields import HOLTER_FROM_S
from worker.mapped import Buffer
from worker.recording import Annotation, Device, Filters, Gap, Kind, MedianBeat, Recording

NAME: Final = "dicom"
CHINA: Final = timezone(timedelta(hours=8))
"""The zone of a device clock that names none: China has one zone and, since 1991, no daylight saving."""
MAX_GROUPS: Final = 64
MAX_ANNOTATIONS: Final = 20_000
MAX_STATEMENTS: Final = 100

_DATE_TIME: Final = re.compile(r"^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})?(\d{2})?(?:\.(\d{1,6}))?([+-]\d{4})?$")
_AGE: Final = re.compile(r"^(\d{3})([DWMY])$")
_YEARS: Final = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


def recognises(data: Buffer) -> bool:
    """Whether these bytes are a DICOM object: by the PS3.10 prefix, or by a first element of group 0002 or 0008."""
    if data[128:132] == b"DICM":
        return True
    head = bytes(data[:8])
    return (
        len(head) == 8
        and (
            (head[:2] == b"\x02\x00" and head[4:6] in (b"UL", b"UI", b"OB"))
            or (head[:3] == b"\x00\x08\x00" and head[4:6] in (b"CS", b"UI", b"DA", b"UL"))  # big endian
            or (
                head[:2] == b"\x08\x00"
                and head[2] in (0x00, 0x01, 0x05, 0x08, 0x12, 0x16)
                and head[3] == 0
                and head[7] in (0, 0x20)
            )
        )
    )


def read(data: Buffer) -> Recording:
    """The recording of one DICOM waveform object.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    data_set, _ = parse(data)
    texts = Texts(data_set.raw(SPECIFIC_CHARACTER_SET).decode("latin-1"))
    warnings: list[str] = []
    groups = _groups(data_set, texts, warnings)
    median = median_group(groups)
    body = assemble([group for group in groups if group is not median], warnings)
    if body.digital.shape[1] == 0:
        raise DamagedRecording("the DICOM object holds not one sample of its waveform; record the ECG again")
    measurements, statements, annotations = _annotations(data_set, texts, body.sampling_hz, warnings)
    recording = Recording(
        format=NAME,
        kind=_kind(data_set, body.digital.shape[1] / body.sampling_hz),
        leads=tuple(channel.lead for channel in body.channels),
        digital=body.digital,
        uv_per_lsb=body.scales(),
        baseline=body.baselines(),
        sampling_hz=body.sampling_hz,
        started_at=_started_at(data_set, body.offset_s),
        calibrated=all(channel.calibrated for channel in body.channels),
        identity=_identity(data_set, texts),
        device=_device(data_set, texts),
        filters=_filters(body.channels, warnings),
        derived=frozenset(channel.lead for channel in body.channels if channel.derived),
        gaps=(*body.gaps, *_noted_gaps(data_set, body)),
        annotations=annotations,
        median_beat=_median_beat(median),
        device_measurements=measurements,
        device_statements=statements,
        warnings=(*warnings, *texts.warnings),
    )
    return with_limb_leads(recording)


def _groups(data_set: DataSet, texts: Texts, warnings: list[str]) -> list[Group]:
    items = data_set.items(t.WAVEFORM_SEQUENCE)
    if not items:
        sop_class = data_set.ascii(t.SOP_CLASS)
        what = t.OTHER_CLASSES.get(sop_class, f"of the class {sop_class}" if sop_class else "without a class")
        raise NoWaveform(
            f"the DICOM object is {what} and holds no waveform; set the device to send 12-lead ECG Waveform Storage"
        )
    if len(items) > MAX_GROUPS:
        warnings.append(f"only the first {MAX_GROUPS} of {len(items)} multiplex groups were read")
    ecg = data_set.ascii(t.SOP_CLASS) in t.ECG_CLASSES
    groups: list[Group] = []
    refused: list[UnreadableRecording] = []
    for item in items[:MAX_GROUPS]:
        try:
            group = read_group(item, texts, warnings, of_ecg_class=ecg)
        except (DamagedRecording, UnsupportedRecording) as error:
            refused.append(error)
            continue
        groups += [group] if group else []
    if refused and all(is_computed(group) for group in groups):
        raise refused[0]
    warnings += [f"a multiplex group was left out: {error}" for error in refused]
    if not groups:
        raise NoWaveform(f"none of the object's {len(items)} multiplex groups holds an ECG lead in volts")
    return groups


def _kind(data_set: DataSet, duration_s: float) -> Kind:
    return "holter" if data_set.ascii(t.SOP_CLASS) == t.AMBULATORY or duration_s > HOLTER_FROM_S else "resting"


def _started_at(data_set: DataSet, offset_s: float) -> datetime | None:
    zone = data_set.ascii(t.TIMEZONE_OFFSET)
    for text in (
        data_set.ascii(t.ACQUISITION_DATETIME),
        data_set.ascii(t.CONTENT_DATE) + data_set.ascii(t.CONTENT_TIME),
        data_set.ascii(t.STUDY_DATE) + data_set.ascii(t.STUDY_TIME),
    ):
        if match := _DATE_TIME.match(text):
            *numbers, fraction, own_zone = match.groups()
            year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
            try:
                start = datetime(year, month, day, hour, minute, second, tzinfo=_zone(own_zone or zone))
                return start + timedelta(seconds=float(f"0.{fraction or 0}") + offset_s)
            except (ValueError, OverflowError):
                continue
    return None


def _zone(text: str) -> timezone:
    if not re.fullmatch(r"[+-]\d{4}", text) or int(text[1:3]) > 14 or int(text[3:]) > 59:
        return CHINA
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:]))
    return timezone(-offset if text[0] == "-" else offset)


def _identity(data_set: DataSet, texts: Texts) -> RecordingIdentity:
    sex = data_set.ascii(t.SEX)
    age = _AGE.match(data_set.ascii(t.AGE))
    years = int(age[1]) * _YEARS[age[2]] if age else None
    return RecordingIdentity(
        accession_number=texts.decode(data_set.raw(t.ACCESSION_NUMBER))[:64] or None,
        patient_id=texts.decode(data_set.raw(t.PATIENT_ID))[:64] or None,
        patient_name=texts.name(data_set.raw(t.PATIENT_NAME))[:200] or None,
        sex=sex if sex in ("M", "F", "O") else None,
        birth_date=_birth_date(data_set.ascii(t.BIRTH_DATE)),
        age_years=years if years is not None and years <= 150 else None,
        started_at=_started_at(data_set, 0.0),
        study_kind="holter" if data_set.ascii(t.SOP_CLASS) == t.AMBULATORY else "resting",
    )


def _birth_date(text: str) -> str | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).isoformat() if len(text) == 8 else None
    except ValueError:
        return None


def _device(data_set: DataSet, texts: Texts) -> Device:
    def word(tag: int) -> str:
        return texts.decode(data_set.raw(tag).split(b"\\", 1)[0])[:200]

    return Device(
        manufacturer=word(t.MANUFACTURER),
        model=word(t.MODEL),
        serial=word(t.SERIAL),
        software=word(t.SOFTWARE),
        station=word(t.STATION),
        institution=word(t.INSTITUTION),
        technician=texts.name(data_set.raw(t.OPERATORS))[:200],
    )


def _filters(channels: list[Channel], warnings: list[str]) -> Filters:
    """The filters of the recording; where leads differ, the narrowest band, and it is said."""
    if len({channel.filters for channel in channels}) > 1:
        warnings.append("the leads were filtered differently; the narrowest band is given")
    highpass = [channel.filters.highpass_hz for channel in channels if channel.filters.highpass_hz]
    lowpass = [channel.filters.lowpass_hz for channel in channels if channel.filters.lowpass_hz]
    notch = [channel.filters.notch_hz for channel in channels if channel.filters.notch_hz]
    return Filters(max(highpass, default=None), min(lowpass, default=None), max(notch, default=None))


def _median_beat(group: Group | None) -> MedianBeat | None:
    if group is None:
        return None
    return MedianBeat(
        tuple(channel.lead for channel in group.channels),
        group.digital,
        group.scales(),
        group.baselines(),
        group.sampling_hz,
    )


def _annotations(
    data_set: DataSet, texts: Texts, sampling_hz: float, warnings: list[str]
) -> tuple[dict[str, float], tuple[str, ...], tuple[Annotation, ...]]:
    """The device's own measurements, statements and marks (PS3.3 C.10.10)."""
    measurements: dict[str, float] = {}
    statements: list[str] = []
    marks: list[Annotation] = []
    items = data_set.items(t.ANNOTATIONS)
    if len(items) > MAX_ANNOTATIONS:
        warnings.append(f"only the first {MAX_ANNOTATIONS} of {len(items)} annotations were read")
    for item in items[:MAX_ANNOTATIONS]:
        concepts = item.items(t.CONCEPT_NAME)
        meaning = texts.decode(concepts[0].raw(t.CODE_MEANING))[:100] if concepts else ""
        value = item.decimal(t.NUMERIC_VALUE)
        if text := texts.decode(item.raw(t.TEXT_VALUE))[:500]:
            statements.append(text)
        elif value is not None and meaning:
            own = concepts[0].ascii(t.CODE_SCHEME) == t.OWN_CODES
            _measurement(measurements, meaning, value, item, own)
        elif t.RANGE_TYPE in item and meaning != t.GAP_LABEL:
            marks += _marks(item, meaning, sampling_hz)
        elif coded := item.items(t.CONCEPT_CODE):
            statements.append(texts.decode(coded[0].raw(t.CODE_MEANING))[:500])
    return measurements, tuple(filter(None, statements[:MAX_STATEMENTS])), tuple(marks)


def _noted_gaps(data_set: DataSet, body: Group) -> list[Gap]:
    """The gaps that our own writer has noted, as their samples hold what the device put there."""
    gaps: list[Gap] = []
    for item in data_set.items(t.ANNOTATIONS)[:MAX_ANNOTATIONS]:
        concepts = item.items(t.CONCEPT_NAME)
        if not concepts or concepts[0].ascii(t.CODE_MEANING) != t.GAP_LABEL:
            continue
        positions, places = item.unsigned_all(t.REFERENCED_SAMPLES, 4), item.unsigned_all(t.REFERENCED_CHANNELS, 2)
        at = [
            (group - 1) * t.GROUP_CHANNELS + channel - 1
            for group, channel in zip(places[::2], places[1::2], strict=False)
        ]
        leads = tuple(body.channels[place].lead for place in at if 0 <= place < len(body.channels))
        if len(positions) == 2 and leads and 0 < positions[0] <= positions[1] <= body.digital.shape[1]:
            gaps.append(Gap(positions[0] - 1, positions[1], leads))
    return gaps


def _measurement(measurements: dict[str, float], meaning: str, value: float, item: DataSet, own: bool) -> None:
    known = None if own else t.measurement_name(meaning)
    name = known or re.sub(r"\W+", "_", meaning.lower()).strip("_")
    units = item.items(t.UNITS_CODE)
    if units and units[0].ascii(t.CODE_VALUE) == "s" and name.endswith("_ms"):
        value *= 1000
    if name and not (value == 0 and not name.endswith("_deg")):  # devices write 0 for "not measured"
        measurements.setdefault(name, value)


def _marks(item: DataSet, meaning: str, sampling_hz: float) -> list[Annotation]:
    raw_offsets = item.raw(t.REFERENCED_OFFSETS_S).decode("latin-1").split("\\")
    samples = item.unsigned_all(t.REFERENCED_SAMPLES, 4)
    if samples:
        times = [(sample - 1) / sampling_hz for sample in samples]  # samples are counted from 1
    else:
        times = [float(text) for text in raw_offsets if re.fullmatch(r"\s*[+-]?\d{1,9}(\.\d{1,9})?\s*", text)]
    if item.ascii(t.RANGE_TYPE) == "SEGMENT":
        return [Annotation(meaning, start, end) for start, end in pairwise(times[:2])]
    return [Annotation(meaning, time) for time in times]
