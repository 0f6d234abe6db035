"""MATLAB 5 files: which of the variables is the ECG, and how often was it sampled?
(MathWorks, MAT-File Format, chapter 1: level 5; what MATLAB writes by default up to -v7)

A file of variables says nothing of leads or units, so it is read with a column map (:func:`read_mapped`): ``columns``
names variables, or numbers the rows of the largest matrix. Without one it is read where a variable says the sampling
rate (:data:`RATES`), as not calibrated where none says the unit; else it is refused with what to declare. Numbers with
decimals become integers of a finer step. scipy.io, oracle of the tests, promises nothing about hostile input.

The MATLAB 4 files of the PhysioNet challenges are WFDB records (:mod:`worker.formats.wfdb_records`).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats import wfdb_records
from worker.formats.binary import MICROVOLTS, runs, with_limb_leads
from worker.formats.csv_columns import ColumnMap
from worker.formats.errors import (
    DamagedRecording,
    NoWaveform,
    TooLargeRecording,
    TruncatedRecording,
    UnsupportedRecording,
)
from worker.formats.fields import HOLTER_FROM_S, identity
from worker.formats.rows import Row, assemble, checked_rate
from worker.leads import is_ecg, standard_name
from worker.recording import MAX_LEADS, Gap, Kind, Recording

NAME: Final = "matlab"
MAGIC: Final = b"MATLAB 5.0 MAT-file"
HEADER_BYTES: Final = 128
MAX_INFLATED_BYTES: Final = 48 * 1024**2
"""Eight minutes of 12 leads at 1000 Hz as doubles; the integers made of them and what is between fit 512 MB."""
MAX_VARIABLES: Final = 1000
MAX_PLACES: Final = 9
EXACT: Final = 1e-4
"""Of a step: doubles that were written with so many decimals lie within, others almost never do."""
RATES: Final = (
    "fs",
    "fsamp",
    "srate",
    "sfreq",
    "samplerate",
    "sampling_rate",
    "samplingrate",
    "sampling_frequency",
    "hz",
)
UNITS: Final = ("unit", "units")

_COMPRESSED: Final = 15
_MATRIX: Final = 14
_TYPES: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8", 16: "u1"}
"""Element type: how numpy calls it (table 1-1); 16 is UTF-8."""
_TEXT: Final = 4
_NUMBERS: Final = range(6, 16)
_COMPLEX: Final = 0x0800


@dataclass(frozen=True, eq=False, slots=True)
class _Variable:
    """A matrix of numbers (rows by columns), or a text."""

    name: str
    numbers: NDArray[Any]
    text: str = ""


def recognises(data: bytes) -> bool:
    """Whether these bytes are a MATLAB 5 file."""
    return data[: len(MAGIC)] == MAGIC and data[126:128] in (b"IM", b"MI")


def read(data: bytes) -> Recording:
    """The recording of a file whose variables say how often it was sampled.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    variables = list(_variables(data))
    rate = next((one for one in variables if one.name.lower() in RATES and one.numbers.size == 1), None)
    if rate is None:
        raise UnsupportedRecording(
            "the MATLAB file does not say how often it was sampled and in what unit; read it with a column map that "
            f"declares sampling_hz and unit (variables: {', '.join(one.name for one in variables)[:200]})"
        )
    unit = next((one.text for one in variables if one.name.lower() in UNITS and one.text), "")
    microvolts = MICROVOLTS.get(unit.strip().lower())
    warnings = []
    if microvolts is None:
        warnings.append("the MATLAB file does not say in what unit it is; amplitudes are not to be trusted")
    shape = ColumnMap(float(rate.numbers.reshape(-1)[0]), "lsb", uv_per_lsb=microvolts or 1.0)
    return _made(variables, shape, warnings, calibrated=microvolts is not None)


def read_path(path: Path, data: bytes) -> Recording:
    """The recording of this file, by the WFDB header beside it where there is one."""
    return wfdb_records.read_record(path) if wfdb_records.header_beside(path) is not None else read(data)


def read_mapped(data: bytes, shape: ColumnMap) -> Recording:
    """The recording of a file that an operator has declared.

    Raises:
        UnreadableRecording: one of its family.
        ColumnMapError: the map contradicts itself.
    """
    shape.check()
    return _made(list(_variables(data)), shape, [], calibrated=True)


def _made(variables: list[_Variable], shape: ColumnMap, warnings: list[str], *, calibrated: bool) -> Recording:
    rate = checked_rate(shape.sampling_hz)
    rows: list[Row] = []
    gaps: list[Gap] = []
    for lead, values in _leads(variables, shape.columns):
        missing = np.isnan(values)
        samples, places = _whole(np.where(missing, 0.0, values), lead)
        rows.append(Row(lead, samples, shape.step_uv / 10.0**places, shape.baseline * 10.0**places))
        gaps += runs(missing, lead)
    block = assemble(rows, warnings)
    kind: Kind = "holter" if block.digital.shape[1] / rate > HOLTER_FROM_S else "resting"
    return with_limb_leads(
        Recording(
            format=NAME,
            kind=kind,
            leads=block.leads,
            digital=block.digital,
            uv_per_lsb=block.uv_per_lsb,
            baseline=block.baseline,
            sampling_hz=rate,
            calibrated=calibrated,
            identity=identity(study_kind=kind),
            gaps=(*block.gaps, *(gap for gap in gaps if gap.leads[0] in block.leads)),
            warnings=tuple(warnings),
        )
    )


def _leads(variables: list[_Variable], columns: dict[str, str]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The leads with their values: variables by name, or rows of the largest matrix by number; all of it by default."""
    matrices = {one.name: one.numbers for one in variables if one.numbers.size > 1}
    if not matrices:
        raise NoWaveform("the MATLAB file holds no matrix of numbers")
    largest = max(matrices, key=lambda name: matrices[name].size)
    whole = matrices[largest] if matrices[largest].shape[0] <= matrices[largest].shape[1] else matrices[largest].T
    if not columns and whole.shape[0] > MAX_LEADS:
        raise UnsupportedRecording(f"the largest matrix has {whole.shape[0]} rows, more than an ECG has leads")
    if not columns:
        alone = largest if is_ecg(standard_name(largest)) else "ECG"
        n = whole.shape[0]
        columns = {"1": alone} if n == 1 else {str(row): f"channel {row}" for row in range(1, n + 1)}
    for wanted, lead in columns.items():
        if wanted in matrices:
            values = matrices[wanted].reshape(-1)
        elif wanted.isdecimal() and 0 < int(wanted[:6]) <= whole.shape[0]:
            values = whole[int(wanted[:6]) - 1]
        else:
            raise UnsupportedRecording(
                f"the MATLAB file has no variable or row {wanted[:40]!r} as the column map names it"
            )
        yield standard_name(lead), values.astype(np.float64)


def _whole(values: NDArray[np.float64], lead: str) -> tuple[NDArray[np.int32], int]:
    """The values as integers of 10^-places: the fewest places that lose nothing, else as many as 32 bits hold."""
    if not np.isfinite(values).all():
        raise DamagedRecording(f"lead {lead[:40]} holds a value that is no number")
    most = float(np.abs(values).max(initial=0.0))
    limit = np.iinfo(np.int32).max
    if most > limit:
        raise DamagedRecording(f"the samples of lead {lead[:40]} are beyond 32 bits, more than any recorder resolves")
    places = 0
    while places < MAX_PLACES and most * 10.0 ** (places + 1) <= limit:
        scaled = values * 10.0**places
        if np.abs(scaled - np.rint(scaled)).max(initial=0.0) <= EXACT:
            break
        places += 1
    return np.rint(values * 10.0**places).astype(np.int32), places


# ---- the file


def _variables(data: bytes) -> Iterator[_Variable]:
    """Every matrix of real numbers and every text."""
    order = "<" if data[126:128] == b"IM" else ">"
    left = MAX_INFLATED_BYTES
    for count, (kind, start, stop) in enumerate(_elements(data, HEADER_BYTES, len(data), order)):
        if count >= MAX_VARIABLES:
            raise TooLargeRecording(f"the MATLAB file has more than {MAX_VARIABLES} variables")
        if kind == _MATRIX:
            found = _matrix(data, start, stop, order)
        elif kind == _COMPRESSED:
            plain = _inflate(data[start:stop], left)
            left -= len(plain)
            inner = next(_elements(plain, 0, len(plain), order), (0, 0, 0))
            found = _matrix(plain, inner[1], inner[2], order) if inner[0] == _MATRIX else None
        else:
            found = None
        if found is not None:
            yield found


def _inflate(data: bytes, left: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, max(left, 1))
    except zlib.error as error:
        raise DamagedRecording(f"a variable of the MATLAB file is damaged ({error}); save it again") from None
    if inflater.unconsumed_tail or left <= 0:
        raise TooLargeRecording(f"the MATLAB file unpacks to more than {MAX_INFLATED_BYTES // 1024**2} MB")
    return plain


def _elements(data: bytes, at: int, stop: int, order: str) -> Iterator[tuple[int, int, int]]:
    """(type, start, end) of each data element; small ones hold their value within their tag."""
    while at + 8 <= stop:
        kind, size = struct.unpack_from(f"{order}II", data, at)
        start = at + 8
        following = start + size + (-size % 8 if kind != _COMPRESSED else 0)
        if kind >> 16:
            kind, size, start, following = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        if start + size > stop or (start == at + 4 and size > 4):
            raise TruncatedRecording("the MATLAB file ends within a variable; send it again")
        yield kind, start, start + size
        at = following


def _matrix(data: bytes, start: int, stop: int, order: str) -> _Variable | None:
    """The variable in a matrix element; None where it is a cell, a structure, sparse, complex or of more dimensions."""
    parts = []
    for part in _elements(data, start, stop, order):
        parts.append(part)
        if len(parts) == 4:
            break
    if len(parts) < 4 or parts[0][2] - parts[0][1] < 8:
        return None
    flags = struct.unpack_from(f"{order}I", data, parts[0][1])[0]
    n_dimensions = (parts[1][2] - parts[1][1]) // 4
    name = data[parts[2][1] : min(parts[2][2], parts[2][1] + 64)].decode("latin-1")
    kind, begin, end = parts[3]
    if n_dimensions != 2 or kind not in _TYPES or flags & _COMPLEX:
        return None
    rows, columns = struct.unpack_from(f"{order}2i", data, parts[1][1])
    dtype = np.dtype(f"{order}{_TYPES[kind]}")
    values = np.frombuffer(data, dtype, (end - begin) // dtype.itemsize, begin)
    if flags & 0xFF == _TEXT:
        text = "".join(map(chr, values[:1000].tolist())) if kind in (2, 4, 16) else ""
        return _Variable(name, np.empty((0, 0)), text)
    if flags & 0xFF not in _NUMBERS:
        return None
    if rows < 0 or columns < 0 or rows * columns != values.size:
        raise DamagedRecording(f"the variable {name!r} has {values.size} numbers where it announces {rows} × {columns}")
    return _Variable(name, values.reshape(columns, rows).T)
