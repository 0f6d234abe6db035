"""Which signals of a WFDB record become the Recording, and at what rate? (WFDB Applications Guide, header(5))

Signals in volts are leads; what is named or measured as something else (pulse, pressure, respiration) is left out and
named in a warning. Segments are laid on one time axis; what none covers is a gap.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.binary import (
    MAX_UV_PER_LSB,
    microvolts_of,
    narrow,
    room,
    runs,
    unique_names,
    value_gaps,
    with_limb_leads,
)
from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording
from worker.formats.fields import HOLTER_FROM_S, MAX_STATEMENTS, identity
from worker.formats.fields import sex as sex_of
from worker.formats.rows import MAX_CELLS, checked_rate
from worker.formats.wfdb_annotations import read_annotations
from worker.formats.wfdb_header import RecordHeader, Signal
from worker.formats.wfdb_samples import MISSING, Integers
from worker.leads import standard_name
from worker.mapped import in_blocks
from worker.recording import MAX_LEADS, Gap, Kind, Recording, Samples

CHECKSUM_MODULUS: Final = 1 << 16
MAX_SPARSENESS: Final = 64
"""Records of intensive care lie days apart in their nulls; beyond this the header's numbers are wrong."""

_NOT_ECG: Final = re.compile(
    r"^(PLETH|RESP|ABP|ART|PAP|CVP|NBP|BP|SPO2|SaO2|CO2|ICP|RAP|LAP|UAP|UVP|EEG|EMG|EOG|TEMP|PPG|FLOW|SOUND|PCG|ACC|CO$)",
    re.I,
)
_AGE: Final = re.compile(r"<?\bage\b>?\s*[:=]\s*(\d{1,3}(?:\.\d+)?)", re.I)
_SEX: Final = re.compile(r"<?\b(?:sex|gender)\b>?\s*[:=]\s*([A-Za-z男女]+)", re.I)
_MIT: Final = re.compile(r"^(\d{1,3})\s+([MF])\b")


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """Signals that were recorded together; ``start`` and ``n_frames`` count frames.

    Attributes:
        rows: the samples of each signal; where they lie together in one file, rows of one array, a view of it.
    """

    start: int
    n_frames: int
    signals: tuple[Signal, ...]
    rows: list[Integers] | Integers


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """What a Recording needs of the signal."""

    leads: tuple[str, ...]
    digital: Samples
    uv_per_lsb: NDArray[np.float64]
    baseline: NDArray[np.float64]
    sampling_hz: float
    calibrated: bool
    gaps: tuple[Gap, ...]


def assemble(header: RecordHeader, pieces: list[Piece], warnings: list[str]) -> Block:
    """All pieces on one time axis.

    Raises:
        UnreadableRecording: one of its family.
    """
    wanted = _leads(pieces, warnings)
    per_frame = next(iter(wanted.values())).per_frame
    sampling_hz = checked_rate(header.sampling_hz * per_frame)
    only = pieces[0]
    if len(pieces) == 1 and only.start == 0:
        places = [place for place in range(len(only.signals)) if _key(only, place) in wanted]
        digital, covered = _together(only.rows, places, only.n_frames * per_frame), None
    else:
        digital, covered = _lay_out(header, pieces, wanted, per_frame, warnings)
    if digital.shape[1] == 0:
        raise NoWaveform("the record holds no sample of an ECG lead")
    leads = unique_names([standard_name(signal.description) for signal in wanted.values()])
    scales, calibrated = _scales(list(wanted.values()), warnings)
    _check_sums(only, digital, list(wanted.values()), warnings) if covered is None and len(pieces) == 1 else None
    gaps = _gaps(digital, covered, list(wanted.values()), leads)
    baseline = np.array([float(signal.baseline) for signal in wanted.values()])
    return Block(leads, narrow(digital), scales, baseline, sampling_hz, calibrated, gaps)


def _together(rows: list[Integers] | Integers, places: list[int], n_samples: int) -> Any:
    """(n_leads, n_samples) of the rows at these places; a view where they are neighbours in one array."""
    first, last = places[0], places[-1]
    if isinstance(rows, np.ndarray) and places == list(range(first, last + 1)):
        return rows[first : last + 1, :n_samples]
    kinds = {rows[place].dtype for place in places}
    digital = room((len(places), n_samples), kinds.pop() if len(kinds) == 1 else np.int32)
    for row, place in enumerate(places):
        digital[row] = rows[place][:n_samples]
    return digital


def _leads(pieces: list[Piece], warnings: list[str]) -> dict[str, Signal]:
    """The signals that are leads, by their name and order of appearance, all of the most usual rate."""
    seen: dict[str, Signal] = {}
    for piece in pieces:
        for place, signal in enumerate(piece.signals):
            seen.setdefault(_key(piece, place), signal)
    volts = {
        key: signal
        for key, signal in seen.items()
        if microvolts_of(signal.unit) is not None and not _NOT_ECG.match(signal.description)
    }
    if not volts:
        named = ", ".join(signal.description or "?" for signal in seen.values())[:200]
        raise NoWaveform(f"the record holds no ECG lead in volts; its signals are {named or 'none'}")
    rates = [signal.per_frame for signal in volts.values()]
    most = max(set(rates), key=lambda rate: (rates.count(rate), rate))
    taken = {key: signal for key, signal in volts.items() if signal.per_frame == most}
    taken = dict(list(taken.items())[:MAX_LEADS])
    left_out = [signal.description or "?" for key, signal in seen.items() if key not in taken]
    if left_out:
        names = ", ".join(left_out)[:200]
        warnings.append(f"signals that are no ECG lead, or of another sampling rate, were left out: {names}")
    return taken


def _key(piece: Piece, place: int) -> str:
    """A signal's name within the record: its description, numbered where it comes again."""
    description = piece.signals[place].description
    before = sum(signal.description == description for signal in piece.signals[:place])
    return f"{description}\n{before}"


def _lay_out(
    header: RecordHeader, pieces: list[Piece], wanted: dict[str, Signal], per_frame: int, warnings: list[str]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    n_frames = max([header.n_samples or 0, *(piece.start + piece.n_frames for piece in pieces)])
    measured = sum(len(row) for piece in pieces for row in piece.rows)
    cells = n_frames * per_frame * len(wanted)
    if cells > MAX_CELLS or cells > MAX_SPARSENESS * max(measured, 1):
        raise TooLargeRecording(f"the header claims {n_frames} samples of {len(wanted)} leads and {measured} are there")
    wide = any(row.dtype != np.int16 for piece in pieces for row in piece.rows)
    digital = np.empty((len(wanted), n_frames * per_frame), np.int32 if wide else np.int16)
    limits = np.iinfo(digital.dtype)
    digital[:] = np.array([np.clip(signal.baseline, limits.min, limits.max) for signal in wanted.values()])[:, None]
    covered = np.zeros(digital.shape, bool)
    rows = {key: row for row, key in enumerate(wanted)}
    for piece in pieces:
        for place, row in enumerate(piece.rows):
            key = _key(piece, place)
            if key not in rows or piece.signals[place].per_frame != per_frame:
                continue
            window = slice(piece.start * per_frame, (piece.start + piece.n_frames) * per_frame)
            values = row[: piece.n_frames * per_frame]
            digital[rows[key], window] = _rescaled(values, piece.signals[place], wanted[key], limits, warnings)
            covered[rows[key], window] = True
    return digital, covered


def _rescaled(
    values: Integers, own: Signal, common: Signal, limits: "np.iinfo[Any]", warnings: list[str]
) -> NDArray[Any]:
    """The samples of a segment in the steps of the first segment that has this lead."""
    if (own.gain, own.baseline, own.unit) == (common.gain, common.baseline, common.unit):
        return values
    note = "segments differ in their scale; later ones were converted to that of the first"
    if note not in warnings:
        warnings.append(note)
    step = (microvolts_of(own.unit) or 1.0) / own.gain / ((microvolts_of(common.unit) or 1.0) / common.gain)
    moved = (values.astype(np.float64) - own.baseline) * step + common.baseline
    return np.clip(np.rint(moved), limits.min, limits.max)


def _scales(signals: list[Signal], warnings: list[str]) -> tuple[NDArray[np.float64], bool]:
    scales = np.array([(microvolts_of(signal.unit) or 1.0) / signal.gain for signal in signals])
    if not ((np.abs(scales) > 0) & (np.abs(scales) <= MAX_UV_PER_LSB)).all():
        raise DamagedRecording("the header gives a gain that no ECG recorder has")
    calibrated = all(signal.calibrated for signal in signals)
    if not calibrated:
        warnings.append("the header gives no gain for some leads; amplitudes are not to be trusted")
    return scales, calibrated


def _check_sums(piece: Piece, digital: NDArray[Any], signals: list[Signal], warnings: list[str]) -> None:
    """Compares the sum of each lead's samples with its header line (header(5), checksum)."""
    stated = [row for row, signal in enumerate(signals) if signal.checksum and signal.skew == 0]
    if not stated:  # 0 stands for "not computed" in what converters write
        return
    sums = np.zeros(len(signals), np.int64)
    for _, block in in_blocks(digital):
        sums += block.sum(axis=1, dtype=np.int16)  # it may run over: only the lower 16 bits are compared
    wrong = [
        signals[row].description or str(row + 1)
        for row in stated
        if (int(sums[row]) - (signals[row].checksum or 0)) % CHECKSUM_MODULUS
    ]
    if wrong:
        warnings.append(f"the checksums of these leads are wrong: {', '.join(wrong)[:200]}")


def _gaps(
    digital: NDArray[Any], covered: NDArray[np.bool_] | None, signals: list[Signal], leads: tuple[str, ...]
) -> tuple[Gap, ...]:
    missing = [MISSING.get(signal.storage) for signal in signals]
    if covered is None:
        return value_gaps(digital, leads, missing)
    gaps: list[Gap] = []
    for row, (value, lead) in enumerate(zip(missing, leads, strict=True)):
        absent = ~covered[row]
        if value is not None:
            absent |= digital[row] == value
        gaps += runs(absent, lead)
    return tuple(gaps)


def recording_of(
    name: str, header: RecordHeader, block: Block, annotations: bytes | None, warnings: list[str]
) -> Recording:
    """The Recording of a record whose signal is this block."""
    marks, notes = read_annotations(annotations, header.sampling_hz) if annotations else ((), ())
    kind: Kind = "holter" if block.digital.shape[1] / block.sampling_hz > HOLTER_FROM_S else "resting"
    age, sex, statements = _about(header.comments)
    recording = Recording(
        format=name,
        kind=kind,
        leads=block.leads,
        digital=block.digital,
        uv_per_lsb=block.uv_per_lsb,
        baseline=block.baseline,
        sampling_hz=block.sampling_hz,
        started_at=header.started_at,
        calibrated=block.calibrated,
        identity=identity(age_years=age, sex=sex, started_at=header.started_at, study_kind=kind),
        gaps=block.gaps,
        annotations=marks,
        device_statements=statements,
        warnings=(*warnings, *notes),
    )
    return with_limb_leads(recording)


def _about(comments: tuple[str, ...]) -> tuple[float | None, Any, tuple[str, ...]]:
    """Age and sex where the comments tell, and the comments that say something else."""
    age: float | None = None
    sex: Any = None
    statements: list[str] = []
    for comment in comments:
        words, bare = _AGE.search(comment), _MIT.match(comment)
        if words or bare:
            age = age or float((words or bare)[1])  # type: ignore[index]
        if found := _SEX.search(comment):
            sex = sex or sex_of(found[1])
        elif bare:
            sex = sex or sex_of(bare[2])
        if not (words or bare or found) and comment.strip():
            statements.append(comment.strip()[:500])
    return age if age is not None and 0 < age <= 150 else None, sex, tuple(statements[:MAX_STATEMENTS])
