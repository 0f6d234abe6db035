"""HL7 annotated ECG: what is the rhythm, what the representative beat? (HL7 v3 AnnotatedECG R1, PORT_MT020001)

Follows the HL7 aECG Implementation Guide (final, 21 March 2005), chapters Series, DerivedSeries, SequenceSet (GLIST_TS,
GLIST_PQ, SLIST_PQ and SLIST_INT of the HL7 v3 data types), ControlVariable and AnnotationSet (the last in
:mod:`worker.formats.aecg_annotations`). A value is origin + digit × scale. Any namespace prefix and encoding.
"""

from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import fields as f
from worker.formats import xml_reader
from worker.formats.aecg_annotations import Said, annotated
from worker.formats.binary import with_limb_leads
from worker.formats.errors import (
    DamagedRecording,
    NoWaveform,
    TooLargeRecording,
    UnreadableRecording,
    UnsupportedRecording,
)
from worker.formats.rows import Block, Row, assemble, rate_of_period
from worker.formats.text_numbers import decimals
from worker.formats.xml_reader import Element, as_number
from worker.leads import standard_name
from worker.recording import Device, Filters, Gap, MedianBeat, Recording

NAME: Final = "aecg"
MAX_SEQUENCES: Final = 512

SECONDS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0}
_MICROVOLTS: Final = {"uV": 1.0, "µV": 1.0, "μV": 1.0, "mV": 1e3, "V": 1e6, "nV": 1e-3, "uv": 1.0, "UV": 1.0, "mv": 1e3}
_REPRESENTATIVE: Final = ("REPRESENTATIVE", "MEDIAN", "AVERAGE")
_FILTER: Final = "MDC_ECG_CTL_VBL_ATTR_FILTER_"
_NOTHING: Final = Element("", {})


class _SequenceSet:
    """One sequence set: leads on one clock."""

    def __init__(self, rows: list[Row], sampling_hz: float, begins: datetime | None, head_s: float) -> None:
        self.rows = rows
        self.sampling_hz = sampling_hz
        self.begins = begins
        self.head_s = head_s

    @property
    def cells(self) -> int:
        """Samples of all leads."""
        return sum(row.samples.size for row in self.rows)


def recognises(data: bytes) -> bool:
    """Whether the root element is ``AnnotatedECG``, of whatever prefix."""
    return xml_reader.root_name(data)[0].lower() == "annotatedecg"


def read(data: bytes) -> Recording:
    """The recording of one aECG file.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    document = xml_reader.parse(data)
    root, warnings = document.root, document.warnings
    uncalibrated: list[str] = []
    series = _rhythm(root, warnings)
    sets = _sets(series, warnings, uncalibrated)
    if not sets:
        raise NoWaveform("the aECG file holds no sequence of samples; export it again with waveforms included")
    main = max(sets, key=lambda one: one.cells)
    block, first = _joined(sets, main, warnings)
    started_at = first.begins or f.instant(_low(series)) or f.instant(_low(root))
    marks = annotated(series, root, first.begins or started_at, first.head_s)
    duration_s = block.digital.shape[1] / main.sampling_hz
    recording = Recording(
        format=NAME,
        kind="holter" if duration_s > f.HOLTER_FROM_S else "resting",
        leads=block.leads,
        digital=block.digital,
        uv_per_lsb=block.uv_per_lsb,
        baseline=block.baseline,
        sampling_hz=main.sampling_hz,
        started_at=started_at,
        calibrated=not uncalibrated,
        identity=_identity(root, started_at, "holter" if duration_s > f.HOLTER_FROM_S else "resting"),
        device=_device(series, root),
        filters=_filters(series),
        gaps=(*block.gaps, *_noted_gaps(marks, block, main.sampling_hz)),
        annotations=marks.annotations,
        median_beat=_median_beat(root),
        device_measurements=marks.measurements,
        device_statements=marks.statements,
        warnings=tuple(warnings),
    )
    return with_limb_leads(recording)


def _rhythm(root: Element, warnings: list[str]) -> Element:
    """The series that is the recording: the one coded RHYTHM, else the first that is no representative beat."""
    every = [series for component in root.all("component") for series in component.all("series")]
    every = every or list(root.iter("series"))
    if not every:
        raise NoWaveform("the aECG file holds no series of samples; export it again with waveforms included")
    rhythms = [series for series in every if _code(series) == "RHYTHM"]
    others = [series for series in every if not _code(series).startswith(_REPRESENTATIVE)]
    candidates = rhythms or others or every
    if len(candidates) > 1:
        warnings.append(f"only the first of {len(candidates)} series was read")
    return candidates[0]


def _code(element: Element) -> str:
    code = element.find("code")
    return code.get("code") if code is not None else ""


def _sets(series: Element, warnings: list[str], uncalibrated: list[str]) -> list[_SequenceSet]:
    found = []
    for component in series.all("component"):
        for sequence_set in component.all("sequenceSet"):
            if (one := _sequence_set(sequence_set, warnings, uncalibrated)) is not None:
                found.append(one)
    return found


def _sequence_set(sequence_set: Element, warnings: list[str], uncalibrated: list[str]) -> _SequenceSet | None:
    sequences = [sequence for component in sequence_set.all("component") for sequence in component.all("sequence")]
    if len(sequences) > MAX_SEQUENCES:
        raise TooLargeRecording(f"a sequence set of {len(sequences)} sequences is more than any recorder writes")
    clock: tuple[float, datetime | None, float] | None = None
    rows: list[Row] = []
    for sequence in sequences:
        code, value = _code(sequence), sequence.find("value")
        if value is None:
            continue
        if code.upper().startswith("TIME_"):
            clock = clock or _clock(value)
        elif (row := _row(code, value, warnings, uncalibrated)) is not None:
            rows.append(row)
    if not rows:
        return None
    if clock is None:
        raise DamagedRecording("the aECG file does not say when its samples were taken: a sequence set has no time")
    return _SequenceSet(rows, *clock)


def _clock(value: Element) -> tuple[float, datetime | None, float]:
    """(sampling rate, absolute time of the first sample, relative time of the first sample in seconds)."""
    head = value.find("head") or value.find("origin") or _NOTHING
    step = value.find("increment") or value.find("scale") or _NOTHING
    step_s = (as_number(step.get("value")) or 0.0) * SECONDS.get(step.get("unit") or "s", 0.0)
    digits = value.find("digits")
    if digits is not None:
        times, places = decimals(digits.text, "the time axis")
        steps = np.diff(times.astype(np.int64))
        if steps.size == 0 or steps.min() != steps.max():
            raise UnsupportedRecording("the samples were not taken at a steady rate, which is not read here")
        step_s *= float(steps[0]) / 10.0**places
    rate = rate_of_period(step_s)
    begins = f.instant(head.get("value"))
    head_s = (as_number(head.get("value")) or 0.0) * SECONDS.get(head.get("unit") or "s", 0.0) if not begins else 0.0
    return rate, begins, head_s if abs(head_s) < 1e7 else 0.0


def _row(code: str, value: Element, warnings: list[str], uncalibrated: list[str]) -> Row | None:
    """One lead; None where the sequence is not measured in volts."""
    name = _lead(code)
    digits, origin = value.find("digits"), value.find("origin") or _NOTHING
    scale = value.find("scale") or _NOTHING
    if digits is None:
        kind = value.get("type").rpartition(":")[2]
        warnings.append(f"sequence {name[:40]} is a {kind or 'value'} without digits and was left out")
        return None
    unit = scale.get("unit") or origin.get("unit")
    if unit and unit not in _MICROVOLTS:
        warnings.append(f"sequence {name[:40]} is measured in {unit[:16]!r}, not in volts, and was left out")
        return None
    step = as_number(scale.get("value"))
    if not unit or step is None:
        warnings.append(f"lead {name[:40]} does not say how large its steps are; amplitudes are not to be trusted")
        uncalibrated.append(name)
    samples, places = _digits(digits.text, name)
    per_lsb = (1.0 if step is None else step) * _MICROVOLTS.get(unit, 1.0)
    if places:
        per_lsb /= 10.0**places
    origin_uv = (as_number(origin.get("value")) or 0.0) * _MICROVOLTS.get(origin.get("unit") or unit, 1.0)
    return Row(name, samples, per_lsb, 0.0 - origin_uv / per_lsb if per_lsb else 0.0)


def _digits(text: str, name: str) -> tuple[NDArray[np.int32], int]:
    return decimals(text, f"lead {name[:40]}")


def _lead(code: str) -> str:
    """Our name of the lead; of one that has none the term without its prefix."""
    name = standard_name(code)
    for prefix in ("MDC_ECG_LEAD_", "MDC_ECG_ELEC_POTL_"):
        name = name.removeprefix(prefix)
    return name


def _joined(sets: list[_SequenceSet], main: _SequenceSet, warnings: list[str]) -> tuple[Block, _SequenceSet]:
    """All sets of the main one's rate on one time axis, and the set that begins first."""
    used = [one for one in sets if one.sampling_hz == main.sampling_hz]
    if len(used) < len(sets):
        warnings.append(f"{len(sets) - len(used)} sequence sets of another sampling rate were left out")
    if len(used) == 1:
        return assemble(main.rows, warnings), main
    rows = []
    for one in used:
        shift = round(_seconds_between(main, one) * main.sampling_hz)
        rows += [Row(row.lead, row.samples, row.uv_per_lsb, row.baseline, shift) for row in one.rows]
    return assemble(rows, warnings), min(used, key=lambda one: _seconds_between(main, one))


def _seconds_between(main: _SequenceSet, other: _SequenceSet) -> float:
    if main.begins is not None and other.begins is not None:
        return (other.begins - main.begins).total_seconds()
    return other.head_s - main.head_s


def _noted_gaps(said: Said, block: Block, sampling_hz: float) -> list[Gap]:
    """The gaps that our own writer has noted."""
    gaps = []
    for start_s, end_s, codes in said.gaps:
        start, stop = round(start_s * sampling_hz), round(end_s * sampling_hz)
        leads = tuple(lead for code in codes if (lead := _lead(code)) in block.leads)
        if 0 <= start < stop <= block.digital.shape[1] and leads:
            gaps.append(Gap(start, stop, leads))
    return gaps


def _median_beat(root: Element) -> MedianBeat | None:
    """The representative beat, from a derived series or from a series of its own; what is odd in it is not told."""
    for series in root.iter("derivedSeries", "series"):
        if not _code(series).startswith(_REPRESENTATIVE):
            continue
        try:
            for one in _sets(series, [], [])[:1]:
                return assemble(one.rows, []).median_beat(one.sampling_hz)
        except UnreadableRecording:
            continue
    return None


def _low(element: Element) -> str:
    time = element.find("effectiveTime") or _NOTHING
    for tag in ("low", "center"):
        if (found := time.find(tag)) is not None and found.get("value"):
            return found.get("value")
    return time.get("value")


def _identity(root: Element, started_at: datetime | None, kind: str) -> RecordingIdentity:
    subject = root.first("trialSubject") or _NOTHING
    person = subject.find("subjectDemographicPerson") or _NOTHING
    trial_id = subject.find("id") or _NOTHING
    born = person.find("birthTime") or _NOTHING
    gender = person.find("administrativeGenderCode") or _NOTHING
    return f.identity(
        accession_number=None,
        patient_id=person.word("PatientID") or trial_id.get("extension"),
        patient_name=_name(person.find("name")),
        sex=None if gender.get("code") == "UN" else f.sex(gender.get("code")),
        birth_date=f.birth_date(born.get("value")),
        age_years=_age(root, person),
        started_at=started_at,
        study_kind=kind,
    )


def _name(name: Element | None) -> str:
    if name is None:
        return ""
    family, given = name.word("family"), " ".join(part.text.strip() for part in name.all("given"))
    return f.full_name(family, given) or " ".join(name.text.split())


def _age(root: Element, person: Element) -> float | None:
    """The reported age (LOINC 21612-7 or 30525-0), or Mindray's own element."""
    for observation in root.iter("relatedObservation"):
        value = observation.find("value")
        if _code(observation) in ("21612-7", "30525-0") and value is not None:
            return f.age_in_years(as_number(value.get("value")), value.get("unit"))
    age = person.find("Age")
    return f.age_in_years(as_number(age.text), age.get("unit")) if age is not None else None


def _device(series: Element, root: Element) -> Device:
    author = series.find("author", "seriesAuthor") or root.first("seriesAuthor") or _NOTHING
    machine = author.find("manufacturedSeriesDevice") or _NOTHING
    number = machine.find("id") or _NOTHING
    performer = series.find("secondaryPerformer", "seriesPerformer", "assignedPerson", "name")
    site = root.first("testingSite") or root.first("trialSite") or _NOTHING
    return Device(
        manufacturer=author.word("manufacturerOrganization", "name")[: f.MAX_WORD],
        model=machine.word("manufacturerModelName")[: f.MAX_WORD],
        serial=(machine.word("SerialNumber") or number.get("extension"))[: f.MAX_WORD],
        software=machine.word("softwareName")[: f.MAX_WORD],
        institution=site.word("location", "name")[: f.MAX_WORD],
        technician=_name(performer)[: f.MAX_WORD],
    )


def _filters(series: Element) -> Filters:
    found: dict[str, float | None] = {}
    for outer in series.all("controlVariable"):
        for variable in outer.iter("controlVariable"):
            kind = _code(variable).removeprefix(_FILTER)
            for inner in variable.iter("controlVariable"):
                value = inner.find("value")
                if _code(inner).startswith((f"{_FILTER}CUTOFF", f"{_FILTER}NOTCH_FREQ")) and value is not None:
                    found.setdefault(kind, f.positive(as_number(value.get("value"))))
    return Filters(found.get("HIGH_PASS"), found.get("LOW_PASS"), found.get("NOTCH"))
