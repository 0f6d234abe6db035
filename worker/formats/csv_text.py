"""ECG as text: what do the columns hold? (``ecg-csv 1`` of this project, docs/formats.md; Apple Health's ECG export)

``ecg-csv 1`` declares itself::

    # ecg-csv 1
    # sampling_hz: 500
    # unit: uV
    # started_at: 2024-02-29T07:08:09+08:00
    I,II,V1
    -12,5,7.5

The first line, ``sampling_hz`` and ``unit`` (uV, mV, V, nV, or lsb with ``uv_per_lsb`` and ``baseline``, one number or,
between blanks, one for each lead) are required; further keys are those of :data:`KEYS`. A column named ``time_s`` or
``sample`` is passed by. An empty cell was not measured.

Apple's export is one number a line behind a header whose words are in the watch's language and whose decimal sign is
the language's: what a line means is told by its value (``511,844 hertz``, ``µV``), else by its place.

Numbers with decimals become integers of a finer step; no sample is rounded. A table that declares nothing is refused
with the lines that are missing; :func:`read_mapped` reads it with a column map.
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

from worker.formats import fields as f
from worker.formats.binary import with_limb_leads
from worker.formats.column_maps import ColumnMapError
from worker.formats.csv_columns import MICROVOLTS, ColumnMap, decode, find_delimiter, read_table
from worker.formats.errors import DamagedRecording, UnsupportedRecording
from worker.formats.rows import assemble, checked_rate
from worker.formats.xml_reader import as_number
from worker.leads import is_ecg, standard_name
from worker.recording import MAX_LEADS, Device, Filters, Gap, Recording

NAME: Final = "csv"
HEAD_BYTES: Final = 8192
MAX_HEADER_LINES: Final = 60
KEYS: Final = (
    "sampling_hz", "unit", "uv_per_lsb", "baseline", "started_at", "accession_number", "patient_id", "patient_name",
    "sex", "birth_date", "manufacturer", "model", "serial", "software", "station", "institution", "technician",
    "highpass_hz", "lowpass_hz", "notch_hz", "decimal",
)  # fmt: skip
SIGNATURE: Final = "# ecg-csv 1"
_NO_LEAD: Final = frozenset({"time", "time_s", "time_ms", "t", "sample", "samples", "n", "index", "时间", "序号", ""})
_HERTZ: Final = re.compile(r"^([\d.,]+)\s*(?:hertz|herz|hercios|赫兹|赫|hz)\.?$", re.I)
_NUMBER: Final = re.compile(r"^[+-]?\d+(?:[.,]\d+)?$")


def recognises(data: bytes) -> bool:
    """Whether this is a declared table, an Apple Watch export, or a table whose header names ECG leads."""
    lines = head_lines(data)
    if not lines:
        return False
    return lines[0].strip().startswith(SIGNATURE) or _is_apple(lines) or _names_leads(lines)


def read(data: bytes) -> Recording:
    """The recording of one text file that says what it holds.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    lines = head_lines(data)
    text = decode(data)
    if lines[:1] and lines[0].strip().startswith(SIGNATURE):
        return _declared(text)
    if _is_apple(lines):
        return _apple(text)
    raise UnsupportedRecording(
        "the table does not say how often it was sampled and in what unit; put the lines '# ecg-csv 1', "
        "'# sampling_hz: 500' and '# unit: mV' before it, or read it with a column map"
    )


def read_mapped(data: bytes, column_map: ColumnMap) -> Recording:
    """The recording of a table that an operator has declared.

    Raises:
        UnreadableRecording: one of its family.
        ColumnMapError: the map contradicts itself.
    """
    column_map.check()
    return _made(decode(data), column_map, 1, {}, [])


def head_lines(data: bytes) -> list[str]:
    """The first lines; none where these are no text."""
    head = data[:HEAD_BYTES]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", "replace")
    elif b"\0" in head:
        return []
    else:
        text = head.decode("utf-8-sig", "replace") if not _cut_gb18030(head) else head.decode("gb18030", "replace")
    return text.splitlines()


def _cut_gb18030(head: bytes) -> bool:
    """Whether the head, but for a character that its end cuts, is no UTF-8."""
    for cut in range(4):
        try:
            head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return False
    return True


def _names_leads(lines: list[str]) -> bool:
    """Whether the first line names two leads or more and the second is numbers."""
    if len(lines) < 2 or "," not in lines[0] + lines[0].replace("\t", ",").replace(";", ","):
        return False
    delimiter = find_delimiter(lines[0])
    names = [name.strip(' "') for name in lines[0].split(delimiter)]
    cells = [cell.strip(' "') for cell in lines[1].split(delimiter)]
    return sum(is_ecg(standard_name(name)) for name in names) >= 2 and all(map(_NUMBER.match, filter(None, cells)))


# ---- ecg-csv 1


def _declared(text: str) -> Recording:
    lines = text.split("\n", MAX_HEADER_LINES + 2)
    said: dict[str, str] = {}
    at = 0
    while at < len(lines) and lines[at].startswith("#"):
        if at > MAX_HEADER_LINES:
            raise DamagedRecording(f"more than {MAX_HEADER_LINES} lines of declarations are none")
        key, _, value = lines[at][1:].partition(":")
        said[key.strip()] = value.strip().strip("\r")
        at += 1
    sampling_hz = checked_rate(as_number(said.get("sampling_hz", "")))
    unit = said.get("unit", "")
    is_lsb = unit.lower() == "lsb"
    steps = _numbers(said.get("uv_per_lsb", "")) if is_lsb else [1.0]
    zeros = _numbers(said.get("baseline", "0"))
    if (unit.lower() not in MICROVOLTS and not is_lsb) or steps is None or zeros is None:
        raise DamagedRecording(
            f"the unit {unit[:16]!r} is not one that is read: write '# unit: uV', mV, V, nV, or lsb with uv_per_lsb "
            "(and baseline), one number or one for each lead"
        )
    rest = "\n".join(lines[at:])
    header = lines[at] if at < len(lines) else ""
    delimiter = find_delimiter(header)
    names = [name.strip(' "\r') for name in header.split(delimiter)]
    columns = {str(place + 1): name for place, name in enumerate(names) if name.lower() not in _NO_LEAD}
    own = _each(steps, zeros, len(columns)) if max(len(steps), len(zeros)) > 1 else None
    step, zero = (1.0, 0.0) if own else (steps[0], zeros[0])
    shape = ColumnMap(sampling_hz, unit, columns, step, zero, delimiter, said.get("decimal", "."))
    try:
        shape.check()
    except ColumnMapError as error:
        raise DamagedRecording(str(error)) from None
    warnings = [
        f"the declaration {key[:40]!r} is not known" for key in said if key not in KEYS and "ecg-csv" not in key
    ]
    return _made(rest, shape, at + 1, said, warnings, own)


def _numbers(text: str) -> list[float] | None:
    """The numbers in this text, between blanks; None where there is none or something else."""
    found = [as_number(word) for word in text.split()[: MAX_LEADS + 1]]
    return [number for number in found if number is not None] if found and None not in found else None


def _each(steps: list[float], zeros: list[float], n_leads: int) -> list[tuple[float, float]]:
    """(step, baseline) of each lead, of which either may be one for all."""
    if {len(steps), len(zeros)} - {1, n_leads}:
        raise DamagedRecording(
            f"{len(steps)} values of uv_per_lsb and {len(zeros)} of baseline do not fit {n_leads} leads: "
            "write one, or one for each lead"
        )
    return [(steps[place % len(steps)], zeros[place % len(zeros)]) for place in range(n_leads)]


def _made(
    text: str,
    shape: ColumnMap,
    first_line: int,
    said: dict[str, str],
    warnings: list[str],
    own: list[tuple[float, float]] | None = None,
) -> Recording:
    """The recording of a table; ``own`` are step and baseline of each lead where they differ."""
    checked_rate(shape.sampling_hz)
    rows, gaps = read_table(text, shape, first_line, warnings)
    if own is not None:
        rows = [
            replace(row, uv_per_lsb=row.uv_per_lsb * step, baseline=zero / row.uv_per_lsb)
            for row, (step, zero) in zip(rows, own, strict=True)
        ]
    block = assemble(rows, warnings)
    started_at = f.instant(said.get("started_at", ""))
    holter = block.digital.shape[1] / shape.sampling_hz > f.HOLTER_FROM_S
    recording = Recording(
        format=NAME,
        kind="holter" if holter else "resting",
        leads=block.leads,
        digital=block.digital,
        uv_per_lsb=block.uv_per_lsb,
        baseline=block.baseline,
        sampling_hz=shape.sampling_hz,
        started_at=started_at,
        identity=f.identity(
            accession_number=said.get("accession_number"),
            patient_id=said.get("patient_id"),
            patient_name=said.get("patient_name"),
            sex=f.sex(said.get("sex", "")),
            birth_date=f.birth_date(said.get("birth_date", "")),
            started_at=started_at,
            study_kind="holter" if holter else "resting",
        ),
        device=Device(**{key: said[key][: f.MAX_WORD] for key in KEYS[10:17] if key in said}),
        filters=Filters(*(f.positive(as_number(said.get(key, ""))) for key in KEYS[17:20])),
        gaps=(*block.gaps, *(Gap(gap.start, gap.stop, gap.leads) for gap in gaps if gap.leads[0] in block.leads)),
        warnings=tuple(warnings),
    )
    return with_limb_leads(recording)


# ---- Apple Watch


def _is_apple(lines: list[str]) -> bool:
    """Whether one of the first lines gives a rate in hertz and a later one of them a unit of voltage, alone."""
    values = [_value(line) for line in lines[:30]]
    rate = next((at for at, value in enumerate(values) if _HERTZ.match(value)), None)
    return rate is not None and any(value.lower() in MICROVOLTS for value in values[rate + 1 : rate + 8])


def _value(line: str) -> str:
    """What stands behind the first comma of ``name,value``; the value is in quotes where it holds a comma."""
    return line.partition(",")[2].strip().strip('"').strip()


def _apple(text: str) -> Recording:
    lines = text.splitlines()
    values = [_value(line) for line in lines[:30]]
    rate_at = next(at for at, value in enumerate(values) if _HERTZ.match(value))
    unit_at = next((at for at in range(rate_at + 1, len(values)) if values[at].lower() in MICROVOLTS), None)
    if unit_at is None:
        raise DamagedRecording("the Apple Watch export does not name its unit (µV); export the ECG again")
    rate_text = _HERTZ.match(values[rate_at])
    sampling_hz = checked_rate(as_number(rate_text[1]) if rate_text else None)
    lead = next((standard_name(word) for word in values[rate_at + 1 : unit_at] if word), "")
    words = lead.split()
    lead = standard_name(words[-1]) if words and is_ecg(standard_name(words[-1])) else lead or "I"
    shape = ColumnMap(
        sampling_hz, values[unit_at], {"1": lead}, delimiter="\t", decimal=_decimal(lines[unit_at + 1 :]), header_rows=0
    )
    warnings: list[str] = []
    rows, gaps = read_table("\n".join(lines[unit_at + 1 :]), shape, unit_at + 2, warnings)
    block = assemble(rows, warnings)
    started_at = next((time for value in values[:rate_at] if (time := _time(value)) is not None), None)
    return Recording(
        format=NAME,
        kind="resting",
        leads=block.leads,
        digital=block.digital,
        uv_per_lsb=block.uv_per_lsb,
        baseline=block.baseline,
        sampling_hz=sampling_hz,
        started_at=started_at,
        identity=f.identity(
            patient_name=values[0],
            birth_date=f.birth_date(values[1]) if len(values) > 1 else None,
            started_at=started_at,
            study_kind="resting",
        ),
        device=Device("Apple", values[rate_at - 1][: f.MAX_WORD], "", values[rate_at - 2][: f.MAX_WORD]),
        gaps=tuple(gaps),
        device_statements=tuple(filter(None, values[rate_at - 4 : rate_at - 3])) if rate_at >= 4 else (),
        warnings=tuple(warnings),
    )


def _time(value: str) -> datetime | None:
    """A recording's time has hours; a date of birth has none."""
    return f.instant(value) if ":" in value else None


def _decimal(lines: list[str]) -> str:
    """The decimal sign: with one number a line, a comma can be nothing else."""
    return "," if any("," in line for line in lines[:200]) else "."
