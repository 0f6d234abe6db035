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

import numpy as np
from numpy.typing import NDArray

from worker.formats.column_maps import ColumnMapError, check_table, declared
from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording, UnsupportedRecording
from worker.formats.rows import Row
from worker.formats.text_numbers import INT32, decimals
from worker.leads import standard_name
from worker.recording import MAX_LEADS, Gap

MAX_TEXT_BYTES: Final = 32 * 1024**2
"""Twenty minutes of 12 leads at 500 Hz; measured: 57 MB took 10 s and 750 MB. Longer ones are no text."""
ROWS_AT_ONCE: Final = 20_000
MAX_CELL_CHARACTERS: Final = 4096
MICROVOLTS: Final = {"uv": 1.0, "µv": 1.0, "μv": 1.0, "mv": 1e3, "v": 1e6, "nv": 1e-3, "微伏": 1.0, "毫伏": 1e3}
_EMPTY: Final = frozenset({"", "nan", "na", "null", "none", "-", "--"})


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
    rows = _cells(lines, delimiter, first_line + shape.header_rows)
    first = next(rows, None)
    if first is None:
        raise NoWaveform("the table has no row of numbers")
    leads = _columns(shape, header, len(first[1]))
    columns = [_Column(lead, at) for at, lead in leads.items()]
    needed = max(leads) + 1
    for number, row in _chained(first, rows):
        if len(row) < needed:
            if next(rows, None) is not None:
                raise DamagedRecording(f"line {number} has {len(row)} cells where the table needs {needed}")
            warnings.append("the last line of the table is cut and was left out")
            break
        for column in columns:
            column.add(row[column.at], shape.decimal)
    made = [column.row(shape) for column in columns]
    return made, [gap for column in columns for gap in column.gaps()]


def _chained(first: tuple[int, list[str]], rest: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rest


def _cells(lines: io.StringIO, delimiter: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for place, row in enumerate(reader):
            if any(cell.strip() for cell in row):
                yield first_line + place, row
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
        self._waiting: list[str] = []
        self._pieces: list[tuple[NDArray[np.int32], int]] = []
        self._empty: list[int] = []
        self._n = 0

    def add(self, cell: str, decimal: str) -> None:
        cell = cell.strip()
        if len(cell) > MAX_CELL_CHARACTERS:
            raise DamagedRecording(f"a cell of {len(cell)} characters is no sample")
        if cell.lower() in _EMPTY:
            self._empty.append(self._n)
            cell = "0"
        self._waiting.append(cell.replace(",", ".") if decimal == "," else cell)
        self._n += 1
        if len(self._waiting) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        values, places = decimals(" ".join(self._waiting), f"column {self.lead[:40]}")
        if values.size != len(self._waiting):
            raise DamagedRecording(f"a cell of column {self.lead[:40]} holds more than one number")
        self._pieces.append((values, places))
        self._waiting = []

    def row(self, shape: ColumnMap) -> Row:
        """The lead; all pieces in the finest step of any."""
        self._flush()
        finest = max(places for _, places in self._pieces)
        whole = np.concatenate([piece.astype(np.int64) * 10 ** (finest - places) for piece, places in self._pieces])
        if whole.size and (whole.min() < INT32.min or whole.max() > INT32.max):
            raise DamagedRecording(f"the samples of column {self.lead[:40]} are beyond 32 bits")
        step = shape.step_uv / 10.0**finest
        return Row(self.lead, whole.astype(np.int32), step, shape.baseline * 10.0**finest)

    def gaps(self) -> list[Gap]:
        """Runs of empty cells."""
        if not self._empty:
            return []
        empty = np.array(self._empty)
        starts = empty[np.concatenate([[True], np.diff(empty) > 1])]
        stops = empty[np.concatenate([np.diff(empty) > 1, [True]])] + 1
        return [Gap(int(a), int(b), (self.lead,)) for a, b in zip(starts, stops, strict=True)]
