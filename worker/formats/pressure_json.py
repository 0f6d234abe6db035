"""Blood pressure readings as JSON: ``ecg-pressure`` of this project (docs/formats.md)

One object: ``format`` ("ecg-pressure"), ``version`` (1), ``readings`` (each with ``at`` in ISO 8601 with a zone,
``systolic_mmhg``, ``diastolic_mmhg`` and, where known, ``mean_mmhg``, ``pulse_bpm``, ``status``, ``reason``, ``awake``,
``manual``), and where known ``patient``, ``device``, ``planned``, ``diary`` (``at``, ``until``, ``label``).
"""

import json
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from worker.formats import fields as f
from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording
from worker.pressure_readings import (
    MAX_DIARY,
    MAX_READINGS,
    BloodPressureSeries,
    DiaryEntry,
    PressureReading,
    Status,
    in_order,
)
from worker.recording import Device

NAME: Final = "pressure-json"
MAX_JSON_BYTES: Final = 16 * 1024**2
"""20 000 readings with every field are 5 MB."""
HEAD_BYTES: Final = 4096
MAX_PARTS: Final = 400_000
"""Objects and arrays; 20 000 readings as FHIR observations have 300 000."""

Number = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=200)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Reading(_Message):
    at: AwareDatetime
    systolic_mmhg: Number | None = None
    diastolic_mmhg: Number | None = None
    mean_mmhg: Number | None = None
    pulse_bpm: Number | None = None
    status: Status = "measured"
    reason: Text = ""
    awake: bool | None = None
    manual: bool = False


class _Entry(_Message):
    at: AwareDatetime
    until: AwareDatetime | None = None
    label: Text = ""


class _Patient(_Message):
    patient_id: Text = ""
    patient_name: Text = ""
    accession_number: Text = ""
    sex: Text = ""
    birth_date: Text = ""


class _Device(_Message):
    manufacturer: Text = ""
    model: Text = ""
    serial: Text = ""
    software: Text = ""
    station: Text = ""
    institution: Text = ""
    technician: Text = ""


class _File(_Message):
    format: Literal["ecg-pressure"]
    version: Literal[1]
    readings: Annotated[list[_Reading], Field(max_length=MAX_READINGS)]
    patient: _Patient = _Patient()
    device: _Device = _Device()
    planned: Annotated[int, Field(gt=0, le=MAX_READINGS)] | None = None
    diary: Annotated[list[_Entry], Field(max_length=MAX_DIARY)] = []


def recognises(data: bytes) -> bool:
    """Whether this is a JSON object that names our format in its first bytes."""
    head = data[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"{") and b'"ecg-pressure"' in head


def read(data: bytes) -> BloodPressureSeries:
    """The readings of one file.

    Raises:
        UnreadableRecording: one of its family, naming the field that is wrong.
    """
    try:
        said = _File.model_validate(load_json(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DamagedRecording(f"the field {where[:80]!r} of the JSON is wrong: {first['msg'][:200]}") from None
    if not said.readings:
        raise NoWaveform("the file holds no blood pressure reading")
    warnings: list[str] = []
    readings = in_order((PressureReading(**one.model_dump()) for one in said.readings), warnings)
    patient = said.patient
    return BloodPressureSeries(
        NAME,
        readings,
        f.identity(
            accession_number=patient.accession_number,
            patient_id=patient.patient_id,
            patient_name=patient.patient_name,
            sex=f.sex(patient.sex),
            birth_date=f.birth_date(patient.birth_date),
            started_at=readings[0].at,
            study_kind="abpm",
        ),
        Device(**said.device.model_dump()),
        said.planned,
        tuple(DiaryEntry(entry.at, entry.label, entry.until) for entry in said.diary),
        tuple(warnings),
    )


def load_json(data: bytes, longest: int = MAX_JSON_BYTES) -> Any:
    """The JSON value of these bytes; UTF-8, or GB18030 where it is none.

    Raises:
        TooLargeRecording, DamagedRecording
    """
    if len(data) > longest:
        raise TooLargeRecording(f"the JSON is larger than {longest // 1024**2} MB, more than it should need")
    if max(data.count(b"["), data.count(b"{"), data.count(b",") // 10) > MAX_PARTS:
        raise TooLargeRecording("the JSON has more parts than a recorder writes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise TooLargeRecording("the JSON nests deeper than any recorder writes") from None
    except ValueError as error:
        raise DamagedRecording(f"the JSON is damaged: {str(error)[:200]}") from None


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")
