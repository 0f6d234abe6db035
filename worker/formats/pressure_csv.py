"""Blood pressure readings as a table: ``ecg-pressure 1`` of this project (docs/formats.md), and vendors' tables.

::

    # ecg-pressure 1
    # patient_id: 70417
    # planned: 48
    # diary: 2016-12-27T22:30:00+08:00/2016-12-28T06:45:00+08:00 asleep
    at,systolic_mmhg,diastolic_mmhg,mean_mmhg,pulse_bpm,status,reason,awake,manual
    2016-12-27T09:23:00+08:00,123,58,81,72,measured,,1,0

A table without these lines is read where its header names systolic, diastolic and a time (:func:`by_header`), or with a
map. A table of several persons is several series: :func:`read_all`.
"""

import csv
import io
from collections.abc import Mapping
from typing import Final

from worker.formats import fields as f
from worker.formats.csv_columns import decode, find_delimiter
from worker.formats.csv_text import head_lines
from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording, UnsupportedRecording
from worker.formats.pressure_columns import PressureMap, by_header, made
from worker.formats.xml_reader import as_number
from worker.pressure_readings import MAX_DIARY, MAX_READINGS, BloodPressureSeries, DiaryEntry
from worker.recording import Device

NAME: Final = "pressure-csv"
SIGNATURE: Final = "# ecg-pressure 1"
MAX_SUBJECTS: Final = 1000
KEYS: Final = (
    "patient_id", "patient_name", "sex", "birth_date", "accession_number", "planned", "manufacturer", "model", "serial",
    "software",
)  # fmt: skip


def recognises(data: bytes) -> bool:
    """Whether this is our table, or one whose first line names systolic, diastolic and a time."""
    lines = head_lines(data)
    if not lines:
        return False
    return lines[0].strip().startswith(SIGNATURE) or by_header(_names(lines[0], "")) is not None


def read(data: bytes) -> BloodPressureSeries:
    """The readings of one patient.

    Raises:
        UnsupportedRecording: the table holds several patients (:func:`read_all`).
        UnreadableRecording: another of its family.
    """
    return _only(read_all(data))


def read_all(data: bytes, shape: PressureMap | None = None) -> tuple[BloodPressureSeries, ...]:
    """The series of every patient in the table, told apart by the columns that ``subject`` names.

    Raises:
        UnreadableRecording: one of its family.
        ColumnMapError: the map contradicts itself.
    """
    text = decode(data)
    said: dict[str, str] = {}
    diary: list[DiaryEntry] = []
    at = 0
    lines = text.splitlines()
    while at < len(lines) and lines[at].startswith("#"):
        key, _, value = lines[at][1:].partition(":")
        if key.strip() == "diary":
            diary += _diary(value.strip())
        else:
            said[key.strip()] = value.strip()
        at += 1
    if at >= len(lines):
        raise NoWaveform("the table holds no blood pressure reading")
    if shape is None:
        shape = by_header(_names(lines[at], ""))
        if shape is None:
            raise UnsupportedRecording("the header does not name systolic, diastolic and a time; declare a column map")
    shape.check()
    groups = _rows(lines[at:], shape)
    first_line = at + 1 + shape.header_rows
    warnings: list[str] = []
    series = tuple(_series(rows, shape, first_line, said, tuple(diary), list(warnings)) for rows in groups)
    if not series:
        raise NoWaveform("the table holds no blood pressure reading")
    return series


def _only(found: tuple[BloodPressureSeries, ...]) -> BloodPressureSeries:
    if len(found) > 1:
        who = ", ".join(str(series.identity.patient_id) for series in found[:5])
        raise UnsupportedRecording(f"the table holds {len(found)} patients or visits ({who} …); send one file for each")
    return found[0]


def _names(line: str, delimiter: str) -> list[str]:
    cells = next(csv.reader([line[:4096]], delimiter=delimiter or find_delimiter(line)), [])
    return [cell.strip().strip('"').lstrip("\ufeff") for cell in cells]


def _rows(lines: list[str], shape: PressureMap) -> list[list[Mapping[str, str]]]:
    """The rows of every subject, each as part of a reading: cell."""
    head = lines[shape.header_rows - 1] if shape.header_rows else lines[0]
    delimiter = shape.delimiter or find_delimiter(head)
    names = _names(head, delimiter) if shape.header_rows else []
    columns = {
        what: [_place(one, names) for one in named.split("+")] for what, named in shape.columns.items()
    }  # a name with a plus sign of its own is found by its number
    groups: dict[str, list[Mapping[str, str]]] = {}
    count = 0
    try:
        for row in csv.reader(io.StringIO("\n".join(lines[shape.header_rows :])), delimiter=delimiter):
            if not any(cell.strip() for cell in row):
                continue
            count += 1
            if count > MAX_READINGS * 10:
                raise TooLargeRecording(f"more than {MAX_READINGS * 10} rows are no export of blood pressures")
            cells = {
                what: " ".join(row[at].strip() for at in places if at < len(row)) for what, places in columns.items()
            }
            groups.setdefault(cells.get("subject", ""), []).append(cells)
    except csv.Error as error:
        raise DamagedRecording(f"the table is damaged: {error}") from None
    if len(groups) > MAX_SUBJECTS:
        raise TooLargeRecording(f"a table of {len(groups)} patients is no recorder's; is 'subject' the right column?")
    return list(groups.values())


def _place(name: str, names: list[str]) -> int:
    if name in names:
        return names.index(name)
    if name.isdecimal() and 0 < int(name[:6]) <= 10_000:
        return int(name) - 1
    raise UnsupportedRecording(f"the table has no column {name[:40]!r} that the column map names")


def _diary(text: str) -> list[DiaryEntry]:
    """``FROM[/UNTIL] words``."""
    times, _, label = text.partition(" ")
    first, _, last = times.partition("/")
    at = f.instant(first)
    return [DiaryEntry(at, label.strip()[:200], f.instant(last))] if at is not None else []


def _series(
    rows: list[Mapping[str, str]],
    shape: PressureMap,
    first_line: int,
    said: dict[str, str],
    diary: tuple[DiaryEntry, ...],
    warnings: list[str],
) -> BloodPressureSeries:
    if said:
        rows = [{**{key: said[key] for key in KEYS[:4] if key in said}, **rows[0]}, *rows[1:]]
    device = Device(**{key: said[key][: f.MAX_WORD] for key in KEYS[6:] if key in said})
    series = made(NAME, rows, shape, first_line, warnings, device)
    planned = as_number(said.get("planned", ""))
    identity = series.identity
    if accession := said.get("accession_number", "")[:64]:
        identity = identity.model_copy(update={"accession_number": accession})
    return BloodPressureSeries(
        series.format,
        series.readings,
        identity,
        series.device,
        int(planned) if planned is not None and 0 < planned <= MAX_READINGS else None,
        diary[:MAX_DIARY],
        series.warnings,
    )
