"""MFER: which frames are the recording, which the representative beat?
(ISO 22077-1:2015 and 2022, MFER part I section 5; ISO/TS 22077-2 standard 12-lead, ISO/TS 22077-3 long-term ECG)

A frame holds sequences of blocks, one a channel. Frames of one layout follow one another, with a gap where a pointer
says so. Groups of other leads at the same rate are laid beside them, the representative beat is kept apart, and what
has another rate or is no voltage is left out and named. Value = (sample + offset) × sensitivity.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats import mfer_tags as t
from worker.formats.binary import MAX_GAPS_A_LEAD, MAX_UV_PER_LSB, room, unique_names, value_gaps, with_limb_leads
from worker.formats.errors import (
    DamagedRecording,
    NoWaveform,
    TooLargeRecording,
    TruncatedRecording,
    UnsupportedRecording,
)
from worker.formats.fields import HOLTER_FROM_S
from worker.formats.mfer_about import About, read_about
from worker.formats.rows import checked_rate
from worker.leads import standard_name
from worker.mapped import BLOCK_SAMPLES, Buffer, forget
from worker.recording import MAX_LEADS, Gap, Kind, MedianBeat, Recording

NAME: Final = "mfer"
DEFAULT_RATE: Final = 1000.0
DOMINANT_BEAT: Final = 9
STATUS_TYPE: Final = 4
AHA_TYPE: Final = 9
VOLT: Final = 0
MAX_SPARSENESS: Final = 8
MAX_MANTISSA_BYTES: Final = 4
MAX_BLOCK_BYTES: Final = 64 * 1024**2
MAX_ROWS: Final = 1_200_000
"""Frames times channels: a day of twelve leads with a frame a second."""
CUT: Final = "the samples end before the file says they do: it was cut, or the transfer was"

_TYPES: Final = {0: "i2", 1: "u2", 2: "i4", 3: "u1", 4: "u2", 5: "i1", 6: "u4", 7: "f4", 8: "f8"}
"""MWF_DTP: how numpy calls it; 4 is a status, 9 the compression of the American Heart Association."""
_LEADS: Final = {
    1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6", 9: "V7", 10: "V2R", 11: "V3R", 12: "V4R",
    13: "V5R", 14: "V6R", 15: "V7R", 16: "X", 17: "Y", 18: "Z", 19: "CC5", 20: "CM5", 31: "NASA", 32: "CB4", 33: "CB5",
    34: "CB6", 61: "III", 62: "aVR", 63: "aVL", 64: "aVF", 65: "-aVR", 66: "V8", 67: "V9", 68: "V8R", 69: "V9R",
    70: "D", 71: "A", 72: "J", 4166: "ECG1", 4167: "ECG2", 4168: "ECG3", 4169: "ECG4",
}  # fmt: skip
"""MWF_LDN: the lead (part I table 5-17; part 3 for the channels of a Holter)."""
_NOT_ECG: Final = frozenset({143, 160, 175, *range(4160, 4166)})
"""Blood pressure, respiration, SpO2, status, body position and movement."""


@dataclass(frozen=True, eq=False, slots=True)
class _Lead:
    """One channel of a group: what its definitions say, and its samples."""

    name: str
    sampling_hz: float
    uv_per_lsb: float
    baseline: float
    calibrated: bool
    missing: int | None
    key: tuple[Any, ...]


@dataclass(eq=False, slots=True)
class _Group:
    """Frames of one layout: leads of one rate, pieces with the sample at which each begins.

    The samples of a lead in a piece may have two axes, sequences and blocks: a view of the file, in order of time.
    """

    leads: list[_Lead]
    beat: bool
    pieces: list[tuple[int, list[NDArray[Any]]]]
    length: int = 0
    """Samples from the first to the last of any piece."""
    measured: int = 0
    """Samples that are there."""

    def add(self, start: int, rows: list[NDArray[Any]]) -> None:
        """Put a piece behind the others, or later."""
        start = max(start, self.length)
        self.pieces.append((start, rows))
        self.length = max(self.length, start + max(row.size for row in rows))
        self.measured += sum(row.size for row in rows)


@dataclass(frozen=True, eq=False, slots=True)
class _Layout:
    """How the samples of a frame lie, and of which leads they are: the same for all frames until a definition changes.

    Attributes:
        record: one sequence of all channels.
        groups: the channels of each rate, those that are leads alone.
    """

    channels: tuple[dict[int, t.Held], ...]
    big: bool
    types: list[np.dtype[Any]]
    blocks: list[int]
    record: np.dtype[Any]
    sequences: int
    beat: bool
    leads: dict[int, _Lead]
    groups: dict[float, list[int]]

    def key(self, rate: float) -> tuple[Any, ...]:
        """What frames of one group have in common."""
        return self.beat, rate, tuple(self.leads[place].key for place in self.groups[rate])


def recognises(data: Buffer) -> bool:
    """Whether these bytes are MFER: by the preamble, or by a chain of definitions that describe samples."""
    return t.looks_like_mfer(data)


def read(data: Buffer) -> Recording:
    """The recording of one MFER file.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    warnings: list[str] = []
    contents = t.walk(data)
    if not contents.frames:
        raise NoWaveform("the MFER file holds definitions but no samples (MWF_WAV)")
    groups = _groups(data, contents.frames, warnings)
    rhythm = [group for group in groups if not group.beat]
    if not rhythm:
        raise NoWaveform("the MFER file holds no voltage over time that could be an ECG")
    main = max(rhythm, key=lambda group: group.measured)
    used = [main, *_beside(main, rhythm, warnings)]
    digital, covered = _lay_out(used)
    if digital.shape[1] == 0:
        raise TruncatedRecording("the file ends before its first sample; send the recording again")
    leads = [lead for group in used for lead in group.leads]
    names = unique_names([lead.name for lead in leads])
    sampling_hz = leads[0].sampling_hz
    about = read_about(contents, sampling_hz, warnings)
    kind: Kind = "holter" if digital.shape[1] / sampling_hz > HOLTER_FROM_S else "resting"
    recording = Recording(
        format=NAME,
        kind=kind,
        leads=names,
        digital=digital,
        uv_per_lsb=np.array([lead.uv_per_lsb for lead in leads]),
        baseline=np.array([lead.baseline for lead in leads]),
        sampling_hz=sampling_hz,
        started_at=about.started_at,
        calibrated=all(lead.calibrated for lead in leads),
        identity=about.identity.model_copy(update={"study_kind": kind}),
        device=about.device,
        filters=about.filters,
        gaps=_gaps(digital, covered, leads, names),
        annotations=about.annotations,
        median_beat=_median([group for group in groups if group.beat]),
        device_measurements=about.measurements,
        device_statements=about.statements,
        warnings=tuple(dict.fromkeys((*warnings, *about.warnings))),
    )
    return with_limb_leads(recording)


def _groups(data: Buffer, frames: list[t.Frame], warnings: list[str]) -> list[_Group]:
    """The frames by layout, in order of appearance; leads of a frame that differ in rate are groups of their own."""
    groups: dict[tuple[Any, ...], _Group] = {}
    layout: _Layout | None = None
    rows_left = MAX_ROWS
    for frame in frames:
        if frame.stop == frame.start:
            continue
        if layout is None or frame.channels is not layout.channels or frame.big != layout.big:
            layout = _layout(frame, warnings)
        rows_left -= len(layout.channels)
        if rows_left < 0:
            raise TooLargeRecording(
                f"the file has more than {MAX_ROWS} blocks of samples, more than any recorder writes"
            )
        rows = _frame_rows(data, frame, layout, warnings)
        for rate, channels in layout.groups.items():
            places = [place for place in channels if rows[place].size][:MAX_LEADS]
            if not places:
                continue
            key = layout.key(rate) if len(places) == len(channels) else (layout.beat, rate, *places)
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group([layout.leads[place] for place in places], layout.beat, [])
            start = frame.pointer if frame.pointer is not None and not layout.beat else group.length
            group.add(start, [rows[place] for place in places])
    return list(groups.values())


def _layout(frame: t.Frame, warnings: list[str]) -> _Layout:
    order: Any = ">" if frame.big else "<"
    types = [np.dtype(_type(channel)).newbyteorder(order) for channel in frame.channels]
    blocks = [_count(channel, t.BLOCK, 1) for channel in frame.channels]
    record = np.dtype([(str(place), kind, (block,)) for place, (kind, block) in _checked(types, blocks)])
    declared = {channel[t.SEQUENCES].unsigned() for channel in frame.channels if t.SEQUENCES in channel} - {0}
    if len(declared) > 1:
        raise UnsupportedRecording("the channels of a frame differ in their number of sequences (MWF_SEQ)")
    beat = any(channel[t.WAVEFORM].unsigned() == DOMINANT_BEAT for channel in frame.channels if t.WAVEFORM in channel)
    leads = {
        place: lead
        for place, channel in enumerate(frame.channels)
        if (lead := _lead(channel, place, warnings)) is not None
    }
    groups: dict[float, list[int]] = {}
    for place, lead in leads.items():
        groups.setdefault(lead.sampling_hz, []).append(place)
    return _Layout(
        frame.channels, frame.big, types, blocks, record, min(declared, default=0), beat, leads, groups
    )  # fmt: skip


def _frame_rows(data: Buffer, frame: t.Frame, layout: _Layout, warnings: list[str]) -> list[NDArray[Any]]:
    """The samples of each channel of one frame, in the file's own type; where it was cut, what is there of each."""
    whole, rest = divmod(frame.stop - frame.start, layout.record.itemsize)
    wanted = layout.sequences or whole + (rest > 0)
    if (frame.cut or whole < wanted) and CUT not in warnings:
        warnings.append(CUT)
    table = np.frombuffer(data, layout.record, min(whole, wanted), frame.start)
    rows: list[NDArray[Any]] = [table[str(place)] for place in range(len(layout.types))]
    if whole >= wanted or not rest:
        return rows
    at = frame.start + whole * layout.record.itemsize
    for place, (kind, block) in enumerate(zip(layout.types, layout.blocks, strict=True)):
        there = max(min((frame.stop - at) // kind.itemsize, block), 0)
        if there:
            rows[place] = np.concatenate([rows[place].reshape(-1), np.frombuffer(data, kind, there, at)])
        at += block * kind.itemsize
    return rows


def _checked(types: list[np.dtype[Any]], blocks: list[int]) -> list[tuple[int, tuple[np.dtype[Any], int]]]:
    if any(block == 0 for block in blocks):
        raise DamagedRecording("a data block has no samples (MWF_BLK)")
    if sum(kind.itemsize * block for kind, block in zip(types, blocks, strict=True)) > MAX_BLOCK_BYTES:
        raise DamagedRecording("the data blocks are larger than any recorder's (MWF_BLK)")
    return list(enumerate(zip(types, blocks, strict=True)))


def _type(channel: dict[int, t.Held]) -> str:
    number = channel[t.DATA_TYPE].raw[0] if t.DATA_TYPE in channel else 0
    if number == AHA_TYPE:
        raise UnsupportedRecording("the samples are compressed (AHA); set the device to export them plain")
    if number not in _TYPES:
        raise DamagedRecording(f"data type {number} is not defined (MWF_DTP)")
    return _TYPES[number]


def _count(channel: dict[int, t.Held], tag: int, default: int) -> int:
    held = channel.get(tag)
    if held is None:
        return default
    if len(held.raw) > 4:
        raise DamagedRecording("a count is longer than four bytes")
    return held.unsigned()


def _lead(channel: dict[int, t.Held], place: int, warnings: list[str]) -> _Lead | None:
    """What the channel measured; None where it is no voltage."""
    held = channel.get(t.LEAD)
    code = (held.raw[0] if len(held.raw) == 1 else t.Held(held.raw[:2], held.big).unsigned()) if held else 0
    text = held.raw[2:].split(b"\0")[0].decode("ascii", "ignore").strip() if held else ""
    name = _LEADS.get(code) or standard_name(text) or f"channel {place + 1}"
    kind = channel[t.DATA_TYPE].raw[0] if t.DATA_TYPE in channel else 0
    unit, step = _scaled(channel.get(t.SENSITIVITY))
    if code in _NOT_ECG or kind == STATUS_TYPE or (unit is not None and unit != VOLT):
        warnings.append(f"a channel that is no ECG lead was left out: {text or code}")
        return None
    uv = step * 1e6 if unit is not None else 1.0
    if not 0 < abs(uv) <= MAX_UV_PER_LSB:
        raise DamagedRecording(f"lead {name} has a step of {uv:g} µV, which no ECG recorder has")
    if unit is None:
        warnings.append(f"lead {name} does not say how large its steps are; amplitudes are not to be trusted")
    rate = checked_rate(_rate(channel.get(t.INTERVAL)))
    offset = _typed(channel.get(t.OFFSET), kind)
    missing = _typed(channel.get(t.NULL), kind)
    key = (name, rate, uv, offset, missing, kind)
    zero = 0.0 - (offset or 0.0)
    return _Lead(name, rate, uv, zero, unit is not None, int(missing) if missing is not None else None, key)


def _scaled(held: t.Held | None) -> tuple[int | None, float]:
    """(unit, mantissa × 10^exponent) of MWF_SEN and MWF_IVL; unit None where the definition is absent."""
    if held is None or len(held.raw) < 3:
        return None, 0.0
    if len(held.raw) > 2 + MAX_MANTISSA_BYTES:
        raise DamagedRecording("a sampling interval or sensitivity is longer than MFER allows")
    exponent = int.from_bytes(held.raw[1:2], "big", signed=True)
    mantissa = held.signed(2)
    return held.raw[0], mantissa * 10.0**exponent if exponent >= 0 else mantissa / 10.0**-exponent


def _rate(held: t.Held | None) -> float | None:
    unit, value = _scaled(held)
    if unit is None:
        return DEFAULT_RATE
    if unit not in (0, 1):
        raise UnsupportedRecording("the samples are not spaced in time (MWF_IVL)")
    if unit == 0:
        return value
    return 1.0 / value if value > 0 else None


def _typed(held: t.Held | None, kind: int) -> float | None:
    """An offset or null value, written in the type of the samples."""
    if held is None:
        return None
    dtype = np.dtype(_TYPES.get(kind, "i2")).newbyteorder(">" if held.big else "<")
    if len(held.raw) < dtype.itemsize:
        return float(held.signed())
    value = float(np.frombuffer(held.raw, dtype, 1)[0])
    return value if abs(value) < 1e15 else None


def _beside(main: _Group, rhythm: list[_Group], warnings: list[str]) -> list[_Group]:
    """Groups of other leads at the main group's rate and time; the rest are named in a warning."""
    taken: list[_Group] = []
    names = {lead.name for lead in main.leads}
    rows = len(main.leads)
    for group in rhythm:
        if group is main:
            continue
        own = {lead.name for lead in group.leads}
        fits = group.leads[0].sampling_hz == main.leads[0].sampling_hz and not own & names
        if fits and rows + len(group.leads) <= MAX_LEADS and group.pieces[0][0] < main.length:
            taken.append(group)
            names |= own
            rows += len(group.leads)
        else:
            listed = ", ".join(lead.name for lead in group.leads)[:100]
            warnings.append(f"a group of {group.leads[0].sampling_hz:g} Hz was left out beside the main one: {listed}")
    return taken


def _lay_out(groups: list[_Group]) -> tuple[Any, NDArray[np.bool_] | None]:
    """(samples, which of them were measured) of all leads on one time axis; None where all were."""
    length = max(group.length for group in groups)
    rows = sum(len(group.leads) for group in groups)
    if length * rows > MAX_SPARSENESS * sum(group.measured for group in groups):
        raise DamagedRecording("the pointers of the frames lie so far apart that they must be wrong (MWF_PNT)")
    dtype = np.int16 if all(_fits(piece) for group in groups for _, piece in group.pieces) else np.int32
    only = groups[0].pieces[0]
    if len(groups) == 1 and len(groups[0].pieces) == 1 and only[0] == 0 and len({row.size for row in only[1]}) == 1:
        return _side_by_side(only[1], length, dtype), None
    digital = np.zeros((rows, length), dtype)
    covered = np.zeros((rows, length), bool)
    first = 0
    for group in groups:
        for row, lead in enumerate(group.leads, first):
            digital[row] = np.clip(round(lead.baseline), np.iinfo(dtype).min, np.iinfo(dtype).max)
        for start, piece in group.pieces:
            for row, values in enumerate(piece, first):
                digital[row, start : start + values.size] = _integers(values).reshape(-1)
                covered[row, start : start + values.size] = True
        first += len(group.leads)
    return digital, None if covered.all() else covered


def _side_by_side(rows: list[NDArray[Any]], length: int, dtype: Any) -> Any:
    """(n_leads, length) of leads that begin and end together, some thousand sequences at once."""
    digital = room((len(rows), length), dtype)
    for row, values in enumerate(rows):
        out = digital[row].reshape(values.shape)
        step = max(1, BLOCK_SAMPLES * len(values) // max(length, 1))
        for at in range(0, len(values), step):
            out[at : at + step] = _integers(values[at : at + step])
            forget(values[at : at + step])
            forget(out[at : at + step])
    return digital


def _fits(rows: list[NDArray[Any]]) -> bool:
    """Whether the samples of these types all fit 16 bits."""
    return all(row.dtype.kind in "iu" and np.can_cast(row.dtype.newbyteorder("="), np.int16) for row in rows)


def _integers(row: NDArray[Any]) -> NDArray[Any]:
    """The samples as integers; floating-point samples only where they are whole numbers."""
    if row.dtype.kind != "f":
        if row.dtype.itemsize == 4 and row.dtype.kind == "u" and row.size and row.max() > np.iinfo(np.int32).max:
            raise UnsupportedRecording("unsigned samples above 2147483647 are beyond what any recorder resolves")
        return row
    whole = np.rint(row)
    if not np.array_equal(whole, row) or np.abs(whole).max(initial=0) > np.iinfo(np.int32).max:
        raise UnsupportedRecording("the samples are fractions; set the device to export integers (MWF_DTP)")
    integers: NDArray[Any] = whole.astype(np.int32)
    return integers


def _gaps(
    digital: Any, covered: NDArray[np.bool_] | None, leads: list[_Lead], names: tuple[str, ...]
) -> tuple[Gap, ...]:
    gaps: list[Gap] = []
    for row, (lead, name) in enumerate(zip(leads, names, strict=True)):
        if covered is not None:
            edges = np.flatnonzero(np.diff(np.concatenate([[True], covered[row], [True]]).astype(np.int8)))
            gaps += [Gap(int(a), int(b), (name,)) for a, b in edges.reshape(-1, 2)[:MAX_GAPS_A_LEAD]]
        if lead.missing is not None:
            gaps += value_gaps(digital[row : row + 1], (name,), (lead.missing,))
    return tuple(gaps)


def _median(beats: list[_Group]) -> MedianBeat | None:
    if not beats:
        return None
    digital, _ = _lay_out(beats[:1])
    leads = beats[0].leads
    return MedianBeat(
        unique_names([lead.name for lead in leads]),
        digital,
        np.array([lead.uv_per_lsb for lead in leads]),
        np.array([lead.baseline for lead in leads]),
        leads[0].sampling_hz,
    )


__all__ = ["NAME", "About", "read", "recognises"]
