"""Which column of a table is which lead, how often was it sampled, in what unit? The column map and the table.

A table of numbers says none of this by itself, so it must be declared: in the file (:mod:`worker.formats.csv_text`), or
beside it by a :class:`ColumnMap` that an operator writes once for a vendor's export.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from worker.formats.column_maps import ColumnMapError, check_table, declared
from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording, UnsupportedRecording
from worker.formats.rows import Row, gaps_where
from worker.formats.text_numbers import Numbers
from worker.leads import standard_name
from worker.recording import MAX_LEADS, Gap

MAX_TEXT_BYTES: Final = 32 * 1024**2
"""A quarter of an hour of 12 leads at 500 Hz, half a day of one lead at 125 Hz. Longer ones are no text."""
MAX_ROWS: Final = 1_500_000
"""Of a table of several columns: fifty minutes at 500 Hz. More take longer than two seconds to read."""
MAX_CELLS: Final = 10_000_000
"""Rows times leads: half an hour of 12 leads at 500 Hz."""
ROWS_AT_ONCE: Final = 20_000
MICROVOLTS: Final = {"uv": 1.0, "µv": 1.0, "μv": 1.0, "mv": 1e3, "v": 1e6, "nv": 1e-3, "微伏": 1.0, "毫伏": 1e3}
_EMPTY: Final = frozenset({"", "nan", "na", "null", "none", "-", "--"})
_ABSENT: Final = "\x1a"
"""What an empty cell is handed on as; no table holds it."""


@dataclass(frozen=True)
class ColumnMap:
    """What an operator declares about a table.

    Attributes:
        columns: name or number (from 1) of a column: the lead in it. Empty: the table's header names the leads.
        sampling_hz: how often the leads were sampled.
        unit: ``uV``, ``mV``, ``V``, ``nV``, or ``lsb`` with ``uv_per_lsb``.
        delimiter: what stands between cells; empty: found out.
        decimal: the decimal sign.
        header_rows: rows before the numbers; the last of them names the columns. 0: there is none.
    """

    sampling_hz: float
    unit: str = "uV"
    columns: dict[str, str] = field(default_factory=dict)
    uv_per_lsb: float = 1.0
    baseline: float = 0.0
    delimiter: str = ""
    decimal: str = "."
    header_rows: int = 1

    @property
    def step_uv(self) -> float:
        """Microvolts of the number 1."""
        return self.uv_per_lsb if self.unit.lower() == "lsb" else MICROVOLTS[self.unit.lower()]

    @classmethod
    def parse(cls, toml: str) -> "ColumnMap":
        """The map that a TOML text declares.

        Raises:
            ColumnMapError: saying what is wrong.
        """
        return declared(cls, toml)

    def check(self) -> None:
        """Raises ColumnMapError where the map contradicts itself."""
        if self.unit.lower() != "lsb" and self.unit.lower() not in MICROVOLTS:
            raise ColumnMapError(f"the unit {self.unit!r} is none of uV, mV, V, nV, lsb")
        check_table(self.delimiter, self.header_rows)
        if self.decimal not in (".", ",") or self.decimal == self.delimiter:
            raise ColumnMapError("the decimal sign is a point or a comma, and not also what stands between cells")


def decode(data: bytes) -> str:
    """The text of these bytes: by byte order mark, else UTF-8, else GB18030.

    Raises:
        TooLargeRecording, DamagedRecording
    """
    if len(data) > MAX_TEXT_BYTES:
        raise TooLargeRecording(f"the text is larger than {MAX_TEXT_BYTES // 1024**2} MB; export the recording as EDF")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DamagedRecording("the text is neither UTF-8 nor GB18030")


def find_delimiter(line: str) -> str:
    """What stands between the cells of this line."""
    return max(("\t", ";", ","), key=lambda sign: (line.count(sign), sign == ","))


def read_table(text: str, shape: ColumnMap, first_line: int, warnings: list[str]) -> tuple[list[Row], list[Gap]]:
    """The leads of a table, and the gaps where cells were empty.

    Args:
        text: header rows and numbers.
        shape: what was declared.
        first_line: the number in the file of the text's first line, for messages.
        warnings: what had to be repaired.

    Raises:
        NoWaveform, DamagedRecording, UnsupportedRecording
    """
    lines = io.StringIO(text, newline="")
    header: list[str] = []
    head = list(islice(lines, shape.header_rows))
    delimiter = shape.delimiter or find_delimiter(head[-1] if head else text[:4096].split("\n", 1)[0])
    if head:
        header = [cell.strip() for cell in next(csv.reader([head[-1].rstrip("\r\n")], delimiter=delimiter), [])]
    first_line += shape.header_rows
    if (alone := _one_column(text, lines.tell(), delimiter, shape, header)) is not None:
        return alone
    if _ABSENT in text:
        raise DamagedRecording("the table holds signs that no text has; export the recording again")
    columns: list[_Column] = []
    for number, rows in _chunks(lines, delimiter, first_line):
        columns = columns or [_Column(lead, at) for at, lead in _columns(shape, header, len(rows[0])).items()]
        needed = max(column.at for column in columns) + 1
        if min(map(len, rows)) < needed:
            short = next(at for at, row in enumerate(rows) if len(row) < needed)
            if short < len(rows) - 1 or next(_chunks(lines, delimiter, 0), None) is not None:
                line = number + short
                raise DamagedRecording(f"near line {line} are {len(rows[short])} cells where the table needs {needed}")
            warnings.append("the last line of the table is cut and was left out")
            rows.pop()
        for column in columns:
            column.add([row[column.at] for row in rows], shape.decimal) if rows else None
    if not columns:
        raise NoWaveform("the table has no row of numbers")
    made = [column.row(shape) for column in columns]
    return [row for row, _ in made], [gap for _, gaps in made for gap in gaps]


def _one_column(
    text: str, at: int, delimiter: str, shape: ColumnMap, header: list[str]
) -> tuple[list[Row], list[Gap]] | None:
    """The lead of a table that is one number a line from here on; None where it is not."""
    body = text[at:].replace(",", ".") if shape.decimal == "," else text[at:]
    if delimiter in body or any(sign in body for sign in ' \t",;'):
        return None
    numbers = Numbers("the table")
    try:
        count = numbers.add(body)
    except DamagedRecording:
        return None  # row by row it can be said where
    if count == 0:
        return None
    values, places, _ = numbers.whole()
    lead = next(iter(_columns(shape, header, 1).values()))
    return [Row(lead, values, shape.step_uv / 10.0**places, shape.baseline * 10.0**places)], []


def _chunks(lines: io.StringIO, delimiter: str, first_line: int) -> Iterator[tuple[int, list[list[str]]]]:
    """(number of about the first line, rows that hold something), some thousand rows at a time."""
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        while raw := list(islice(reader, ROWS_AT_ONCE)):
            number = first_line + reader.line_num - len(raw)
            if reader.line_num > min(MAX_ROWS, MAX_CELLS // max(len(raw[0]), 1)) + 1000:
                raise TooLargeRecording(
                    f"the table has more than {MAX_ROWS} rows or {MAX_CELLS} cells; export the recording as EDF"
                )
            if rows := [row for row in raw if row and (row[0].strip() or "".join(row).strip())]:
                yield number, rows
    except csv.Error as error:
        raise DamagedRecording(f"the table is damaged near line {first_line + reader.line_num}: {error}") from None


def _columns(shape: ColumnMap, header: list[str], width: int) -> dict[int, str]:
    """Column: the lead in it."""
    if shape.columns:
        found = {}
        for name, lead in shape.columns.items():
            at = header.index(name) if name in header else int(name) - 1 if name.isdecimal() and len(name) < 6 else -1
            if not 0 <= at < width:
                raise UnsupportedRecording(f"the table has no column {name[:40]!r} that the column map names")
            found[at] = standard_name(lead)
    else:
        names = header or [f"channel {place + 1}" for place in range(width)]
        found = {at: standard_name(name) for at, name in enumerate(names) if name}
    if not 0 < len(found) <= MAX_LEADS:
        raise DamagedRecording(f"a table of {len(found)} leads is no recording")
    return found


class _Column:
    """The numbers of one lead, gathered in pieces so that their text need not be kept."""

    def __init__(self, lead: str, at: int) -> None:
        self.lead = lead
        self.at = at
        self._numbers = Numbers(f"column {lead[:40]}", _ABSENT)

    def add(self, cells: list[str], decimal: str) -> None:
        """Take in these cells, each a number or empty."""
        text = "\n".join(cells)
        if " " in text or "\t" in text:
            cells = [cell.strip() for cell in cells]
            text = "\n".join(cells)
        if "," in text and decimal == ",":
            cells = [cell.replace(",", ".") for cell in cells]
            text = "\n".join(cells)
        if " " in text or "\t" in text or "," in text or ";" in text or text.count("\n") != len(cells) - 1:
            raise DamagedRecording(f"a cell of column {self.lead[:40]} holds more than one number")
        if "\n\n" in text or text.startswith("\n") or text.endswith("\n") or not text:
            cells = [cell or _ABSENT for cell in cells]
            text = "\n".join(cells)
        try:
            self._numbers.add(text)
        except DamagedRecording:
            words = [_ABSENT if cell.lower() in _EMPTY else cell for cell in cells]
            if words == cells:
                raise
            self._numbers.add("\n".join(words))

    def row(self, shape: ColumnMap) -> tuple[Row, list[Gap]]:
        """The lead, all of it in one step, and where its cells were empty."""
        values, places, absent = self._numbers.whole()
        row = Row(self.lead, values, shape.step_uv / 10.0**places, shape.baseline * 10.0**places)
        return row, gaps_where(absent, self.lead) if absent is not None else []
