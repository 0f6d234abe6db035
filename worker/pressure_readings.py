"""What did an ambulatory blood pressure recorder measure? The form beside :class:`worker.recording.Recording`.

A reading is what the cuff found at one time, or that it found nothing and why. Nothing is judged here but what no body
can have: which readings count is the analysis' business, so failed ones are kept.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from ecg_center.contract.upload import RecordingIdentity
from worker.recording import Device, Recording, told

MAX_READINGS: Final = 20_000
"""Two weeks, a reading a minute: no cuff bears more."""
MAX_DIARY: Final = 5_000
MIN_PRESSURE_MMHG: Final = 1.0
MAX_PRESSURE_MMHG: Final = 350.0
"""What a cuff can show at all: IEC 80601-2-30 ends the range of neonatal to adult cuffs well within."""
MAX_PULSE_BPM: Final = 400.0
MMHG_PER_KPA: Final = 7.50062
"""1 kPa in conventional millimetres of mercury (NIST SP 811, appendix B.8)."""

Status = Literal["measured", "failed", "excluded"]


@dataclass(frozen=True, slots=True)
class PressureReading:
    """One reading.

    Attributes:
        at: when the cuff was read, with a time zone.
        status: ``failed`` has no pressures; ``excluded`` was taken out by the device or its operator.
        reason: the device's words for a failure or exclusion.
        awake: as the device or the diary has it; None where neither says.
        manual: started by the patient, not by the plan.
    """

    at: datetime
    systolic_mmhg: float | None = None
    diastolic_mmhg: float | None = None
    mean_mmhg: float | None = None
    pulse_bpm: float | None = None
    status: Status = "measured"
    reason: str = ""
    awake: bool | None = None
    manual: bool = False


@dataclass(frozen=True, slots=True)
class DiaryEntry:
    """What the patient or the device noted: ``asleep``, ``awake``, ``medicine``, or free words."""

    at: datetime
    label: str
    until: datetime | None = None


@dataclass(frozen=True)
class BloodPressureSeries:
    """All readings of one patient's recorder, in order of time.

    Attributes:
        planned: how many readings the plan asked for; None where the file does not say.
        warnings: what had to be repaired or could not be used, in plain English.
    """

    format: str
    readings: tuple[PressureReading, ...]
    identity: RecordingIdentity = field(default_factory=RecordingIdentity)
    device: Device = field(default_factory=Device)
    planned: int | None = None
    diary: tuple[DiaryEntry, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.readings or len(self.readings) > MAX_READINGS:
            raise ValueError(f"a series has between 1 and {MAX_READINGS} readings, not {len(self.readings)}")
        if any(one.at.tzinfo is None for one in self.readings):
            raise ValueError("readings carry their time zone")
        if any(after.at < before.at for before, after in zip(self.readings, self.readings[1:], strict=False)):
            raise ValueError("readings are in order of time")
        object.__setattr__(self, "warnings", told(self.warnings))

    @property
    def measured(self) -> tuple[PressureReading, ...]:
        """The readings that have pressures and were not taken out."""
        return tuple(one for one in self.readings if one.status == "measured")

    @property
    def started_at(self) -> datetime:
        """Time of the first reading."""
        return self.readings[0].at

    @property
    def duration(self) -> timedelta:
        """From the first reading to the last."""
        return self.readings[-1].at - self.readings[0].at

    @property
    def readings_sha256(self) -> str:
        """SHA-256 over ``time;systolic;diastolic;mean;pulse;status`` lines: the same whatever the format was."""
        digest = hashlib.sha256()
        for one in self.readings:
            numbers = (one.systolic_mmhg, one.diastolic_mmhg, one.mean_mmhg, one.pulse_bpm)
            words = ["" if number is None else f"{number:.10g}" for number in numbers]
            digest.update(f"{one.at.isoformat()};{';'.join(words)};{one.status}\n".encode())
        return digest.hexdigest()


def checked(reading: PressureReading) -> PressureReading:
    """The reading; as failed, with the reason, where its pressures are none that a body can have.

    >>> from datetime import UTC
    >>> checked(PressureReading(datetime(2024, 1, 1, tzinfo=UTC), 80, 120)).reason
    'systolic 80 is not above diastolic 120'
    """
    systolic, diastolic = reading.systolic_mmhg, reading.diastolic_mmhg
    if reading.status == "failed":
        return _failed(reading, reading.reason)
    if not systolic or not diastolic:
        return _failed(reading, reading.reason or "no pressure was found")
    if diastolic < MIN_PRESSURE_MMHG or systolic > MAX_PRESSURE_MMHG:
        return _failed(reading, f"{systolic:g}/{diastolic:g} mmHg is beyond what a cuff shows")
    if systolic <= diastolic:
        return _failed(reading, f"systolic {systolic:g} is not above diastolic {diastolic:g}")
    mean, pulse = reading.mean_mmhg, reading.pulse_bpm
    return replace(
        reading,
        mean_mmhg=mean if mean is not None and diastolic < mean < systolic else None,
        pulse_bpm=pulse if pulse is not None and 0 < pulse <= MAX_PULSE_BPM else None,
    )


def _failed(reading: PressureReading, reason: str) -> PressureReading:
    return replace(reading, systolic_mmhg=None, diastolic_mmhg=None, mean_mmhg=None, status="failed", reason=reason)


def in_order(readings: Iterable[PressureReading], warnings: list[str]) -> tuple[PressureReading, ...]:
    """The readings in order of time, each checked, exact repetitions dropped."""
    kept = list(dict.fromkeys(checked(one) for one in readings))
    ordered = tuple(sorted(kept, key=lambda one: one.at))
    if list(ordered) != kept:
        warnings.append("the readings were not in order of time and were sorted")
    return ordered


_READING: Final = re.compile(
    r"(?:^|[^\d.])(\d{2,3})\s*/\s*(\d{2,3})(?![\d./])(?:.*?\b(?:hr|pr|pulse|心率|脉率)\D{0,3}(\d{2,3}))?", re.I
)


def from_annotations(recording: Recording) -> BloodPressureSeries | None:
    """The readings that a combined recorder noted in its diary (EDF+ annotations, ISHNE), e.g. ``NIBP 120/80 HR 72``.

    None where there are none, or where the recording does not say when it began.
    """
    if recording.started_at is None:
        return None
    readings = []
    for mark in recording.annotations[:MAX_READINGS]:
        if match := _READING.search(mark.label):
            at = recording.started_at + timedelta(seconds=mark.start_s)
            pulse = float(match[3]) if match[3] else None
            readings.append(PressureReading(at, float(match[1]), float(match[2]), None, pulse))
    warnings: list[str] = []
    ordered = in_order(readings, warnings)
    if not any(one.status == "measured" for one in ordered):
        return None
    return BloodPressureSeries(
        recording.format, ordered, recording.identity, recording.device, warnings=tuple(warnings)
    )
