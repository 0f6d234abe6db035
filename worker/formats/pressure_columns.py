"""Which field of a vendor's row is which part of a blood pressure reading? The map, and a row made into a reading.

Used by the tables (:mod:`worker.formats.pressure_csv`) and the XML exports (:mod:`worker.formats.pressure_xml`). Tables
of many vendors need no map: their headers are known by what they say, in English or Chinese.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from worker.formats import fields as f
from worker.formats.column_maps import ColumnMapError, check_table, declared
from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording
from worker.formats.xml_reader import as_number
from worker.pressure_readings import (
    MAX_READINGS,
    MMHG_PER_KPA,
    BloodPressureSeries,
    PressureReading,
    Status,
    in_order,
)
from worker.recording import Device

FIELDS: Final = (
    "at", "date", "time", "systolic", "diastolic", "mean", "pulse", "status", "reason", "awake", "manual", "subject",
    "patient_id", "patient_name", "sex", "birth_date",
)  # fmt: skip
"""What a field can be; a patient's words may stand in every row."""

_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "systolic": ("sys", "syst", "sbp", "systolic", "systole", "systolicbp", "systolicpressure", "收缩压", "高压"),
    "diastolic": ("dia", "diast", "dbp", "diastolic", "diastole", "diastolicbp", "diastolicpressure", "舒张压", "低压"),
    "mean": ("map", "mean", "mbp", "meanbp", "meanarterialpressure", "平均压", "平均动脉压"),
    "pulse": ("hr", "pulse", "pulserate", "pr", "heartrate", "心率", "脉率", "脉搏"),
    "at": ("at", "datetime", "timestamp", "dateandtime", "measuredat", "测量时间", "日期时间", "测量日期时间"),
    "date": ("date", "日期", "测量日期"),
    "time": ("time", "时间"),
    "awake": ("wake", "awake", "清醒"),
    "status": ("status", "valid", "状态", "有效"),
    "reason": ("reason", "error", "errorcode", "code", "comment", "备注", "错误", "错误代码"),
    "manual": ("manual", "手动"),
    "subject": ("id", "subject", "visit", "patientid", "病历号"),
}
_BY_WORD: Final = {word: name for name, words in _WORDS.items() for word in words}
_UNIT: Final = re.compile(r"[(\[（【].*?[)\]）】]|_?(mmhg|kpa|bpm)$", re.I)
_FALSE: Final = frozenset(
    {"", "0", "0.0", "n", "no", "false", "f", "asleep", "sleep", "night", "auto", "否", "睡眠", "夜"}
)
_EXCLUDED: Final = frozenset({"excluded", "edited", "deleted", "invalid", "manual exclude", "已排除", "剔除", "无效"})
_FAILED: Final = frozenset({"failed", "error", "err", "失败", "错误"})


@dataclass(frozen=True)
class PressureMap:
    """What an operator declares about a vendor's export.

    Attributes:
        columns: part of a reading (:data:`FIELDS`): name or number (from 1) of the column; in XML the name of the
            child element or, behind ``@``, of the attribute. ``subject`` may name several, joined by ``+``.
        time_format: of date and time joined by a blank, as ``datetime.strptime`` has it; empty: ISO 8601 or HL7.
        unit: ``mmHg`` or ``kPa``.
        reading: in XML, the name of the element that is one reading.
        header_rows: in a table, the rows before the readings; the last of them names the columns.
    """

    columns: dict[str, str] = field(default_factory=dict)
    time_format: str = ""
    unit: str = "mmHg"
    reading: str = ""
    header_rows: int = 1
    delimiter: str = ""

    @classmethod
    def parse(cls, toml: str) -> "PressureMap":
        """The map that a TOML text declares.

        Raises:
            ColumnMapError: saying what is wrong.
        """
        return declared(cls, toml)

    def check(self) -> None:
        """Raises ColumnMapError where the map contradicts itself or says too little."""
        if unknown := set(self.columns) - set(FIELDS):
            raise ColumnMapError(f"{', '.join(sorted(unknown))} is no part of a reading; those are {', '.join(FIELDS)}")
        if not {"systolic", "diastolic"} <= set(self.columns) or not {"at", "date"} & set(self.columns):
            raise ColumnMapError("the column map names systolic, diastolic, and at or date")
        check_table(self.delimiter, self.header_rows)
        if self.unit.lower() not in ("mmhg", "kpa"):
            raise ColumnMapError(f"the unit {self.unit[:16]!r} is neither mmHg nor kPa")
        if self.time_format and not _is_form_of_time(self.time_format):
            raise ColumnMapError(f"the time_format {self.time_format[:40]!r} is none; write e.g. %d.%m.%Y %H:%M")


def by_header(names: list[str]) -> PressureMap | None:
    """The map that a header's own words make; None where they name no systolic, diastolic and time.

    >>> by_header(["NR.", "DATE.TIME", "SYST", "MAP", "DIAST", "HR"]).columns["at"]
    'DATE.TIME'
    """
    columns: dict[str, str] = {}
    unit = "mmHg"
    for name in names:
        bare = re.sub(r"[\W_]", "", _UNIT.sub("", name.strip().lower()))
        what = _BY_WORD.get(bare)
        if what is None or not name.strip():
            continue
        if what == "subject" and what in columns:
            columns[what] += f"+{name}"
        else:
            columns.setdefault(what, name)
        if what == "systolic" and "kpa" in name.lower():
            unit = "kPa"
    if "time" in columns and "at" not in columns and "date" not in columns:
        columns["at"] = columns.pop("time")
    if not {"systolic", "diastolic"} <= set(columns) or not {"at", "date"} & set(columns):
        return None
    return PressureMap(columns, unit=unit)


def reading(cells: Mapping[str, str], shape: PressureMap, place: str) -> PressureReading:
    """One row as a reading.

    Args:
        cells: part of a reading: what the row has for it.
        shape: the unit and the form of the time.
        place: where the row stands, for the message of an error.

    Raises:
        DamagedRecording: its time is none.
    """
    said = f"{cells['at']}" if cells.get("at") else f"{cells.get('date', '')} {cells.get('time', '')}"
    at = _time(said.strip(), shape.time_format)
    if at is None:
        raise DamagedRecording(f"{place} has {said[:40]!r} as its time; declare its form by a column map's time_format")
    scale = MMHG_PER_KPA if shape.unit.lower() == "kpa" else 1.0
    systolic, diastolic, mean = (_pressure(cells.get(name, ""), scale) for name in ("systolic", "diastolic", "mean"))
    return PressureReading(
        at,
        systolic,
        diastolic,
        mean,
        as_number(cells.get("pulse", "")),
        _status(cells.get("status", "")),
        cells.get("reason", "").strip()[:100],
        awake(cells["awake"]) if cells.get("awake", "").strip() else None,
        cells.get("manual", "").strip().lower() not in _FALSE,
    )


def awake(word: str) -> bool:
    """Whether this word, or number, says that the patient was awake."""
    return word.strip().lower() not in _FALSE


def made(
    name: str, rows: list[Mapping[str, str]], shape: PressureMap, first_line: int, warnings: list[str], device: Device
) -> BloodPressureSeries:
    """A series of the rows of one patient.

    Raises:
        NoWaveform, TooLargeRecording, DamagedRecording
    """
    if not rows:
        raise NoWaveform("the export holds no blood pressure reading")
    if len(rows) > MAX_READINGS:
        raise TooLargeRecording(f"{len(rows)} readings are more than any recorder takes")
    readings = in_order((reading(row, shape, f"line {first_line + at}") for at, row in enumerate(rows)), warnings)
    first = rows[0]
    return BloodPressureSeries(
        name,
        readings,
        f.identity(
            patient_id=first.get("patient_id") or first.get("subject"),
            patient_name=first.get("patient_name"),
            sex=f.sex(first.get("sex", "")),
            birth_date=f.birth_date(first.get("birth_date", "")),
            started_at=readings[0].at,
            study_kind="abpm",
        ),
        device,
        warnings=tuple(warnings),
    )


def _pressure(text: str, scale: float) -> float | None:
    value = as_number(text)
    return round(value * scale, 1) if value is not None and scale != 1.0 else value


def _is_form_of_time(form: str) -> bool:
    """Whether a time written in this form can be read in it."""
    some = datetime(2024, 2, 28, 13, 5, 6, tzinfo=UTC)
    try:
        datetime.strptime(some.strftime(form), form)  # noqa: DTZ007 - whether it can be read is all that is asked
    except (ValueError, OverflowError, re.error):
        return False
    return True


def _time(text: str, form: str) -> datetime | None:
    if not form:
        return f.instant(text)
    try:
        found = datetime.strptime(text, form)  # noqa: DTZ007 - a recorder's clock has no zone; China's is given below
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=f.CHINA)


def _status(word: str) -> Status:
    bare = word.strip().lower()
    return "excluded" if bare in _EXCLUDED else "failed" if bare in _FAILED else "measured"
