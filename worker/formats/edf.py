"""EDF, EDF+, BDF, BDF+: which of the signals are ECG, and when were they measured?
(Kemp 1992, sections 1 to 2.2; Kemp & Olivan 2003, EDF+ sections 2.1 to 2.2.4; BioSemi's BDF)

Samples of 16 or 24 bits in data records of fixed length. EDF+ adds annotations; its discontinuous form (D) says with
each record when it began: what lies between is a gap, or, where little was recorded over a long time, a mark.

edfio and pyedflib are the oracles of the tests. Neither is used to read: edfio refuses nothing it should refuse by name
and pyedflib needs a path and refuses discontinuous files.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats import edf_annotations as tal
from worker.formats.binary import MAX_UV_PER_LSB, int24, microvolts_of, narrow, room, unique_names, with_limb_leads
from worker.formats.dicom_text import Texts
from worker.formats.edf_header import (
    ANNOTATION_LABELS,
    FIXED,
    MAX_HEADER_BYTES,
    Channel,
    EdfHeader,
    read_header,
    recognises_header,
)
from worker.formats.errors import NoWaveform, TruncatedRecording
from worker.formats.fields import HOLTER_FROM_S
from worker.formats.rows import checked_rate
from worker.leads import is_ecg, standard_name
from worker.mapped import Buffer, forget
from worker.recording import MAX_LEADS, Annotation, Filters, Gap, Kind, Recording, Samples

NAME: Final = "edf"
DIGITS: Final = 12
ROUNDING: Final = 1e-14
"""Relative: some units in the last place of a double; what a header can write differs by a thousand times as much."""
BLOCK_BYTES: Final = 4 * 1024**2
"""Data records are taken apart in pieces of about this size."""

_ECG: Final = re.compile(r"\b(ECG|EKG)\b|^(ECG|EKG)|心电", re.I)
_NOT_ECG: Final = re.compile(
    r"^(EEG|EMG|EOG|ERG|EP|MEG|MCG|RESP|AIRFLOW|FLOW|THOR|ABD|CHEST|SAO2|SPO2|TEMP|PULSE|PLETH|POS|MARK|EVENT|STATUS|TRIG"
    r"|SNOR|SOUND|LIGHT|ACC|GSR|BP|ABP|HR)",
    re.I,
)
_EKG: Final = re.compile(r"^(ECG|EKG)[ _-]*(?=\S)", re.I)
_FILTERS: Final = re.compile(r"\b(HP|LP|N)\s*:?\s*(\d{1,6}(?:[.,]\d{1,6})?)\s*(k?Hz|s)?", re.I)


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where the data records lie on the time axis."""

    starts: NDArray[np.int64] | None
    n_samples: int
    marks: list[Annotation]
    first_s: float


def recognises(data: Buffer) -> bool:
    """Whether these bytes are EDF or BDF: by the version field, the date and the length of the header."""
    return recognises_header(bytes(data[:FIXED]))


def read(data: Buffer) -> Recording:
    """The recording of one EDF or BDF file.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    warnings: list[str] = []
    guess = Texts("")
    header = read_header(bytes(data[:MAX_HEADER_BYTES]), guess, warnings)
    frames = _frames(data, header, warnings)
    channels, others = _ecg_channels(header, warnings)
    if not channels:
        what = ", ".join(channel.label for channel in others)[:200]
        raise NoWaveform(
            f"the file holds no ECG: its signals are {what}" if what else "the file holds annotations alone, no signal"
        )
    per_record = channels[0].samples
    sampling_hz = checked_rate(per_record / header.record_s if header.record_s > 0 else None)
    digital, raw_annotations = _apart(frames, channels, header)
    if header.record_s <= 0 or digital.shape[1] == 0:
        raise TruncatedRecording("the file ends before its first sample; send the recording again")
    placed = _place(raw_annotations, header, len(frames), per_record, sampling_hz, warnings)
    names = unique_names([_lead_name(channel.label) for channel in channels])
    scales, zeros, calibrated = _scales(channels, warnings)
    gaps: tuple[Gap, ...] = ()
    if placed.starts is not None:
        digital, gaps = _lay_out(digital, placed, per_record, zeros, names)
    marks = [*placed.marks, *tal.read_annotations(raw_annotations, placed.first_s, guess, warnings)]
    digital = tal.without_padding(digital, marks, sampling_hz, per_record)
    who = tal.with_name(header.identity, marks)
    kind: Kind = "holter" if digital.shape[1] / sampling_hz > HOLTER_FROM_S else "resting"
    started_at = _started_at(header, placed.first_s)
    recording = Recording(
        format="bdf" if header.width == 3 else NAME,
        kind=kind,
        leads=names,
        digital=digital,
        uv_per_lsb=scales,
        baseline=zeros,
        sampling_hz=sampling_hz,
        started_at=started_at,
        calibrated=calibrated,
        identity=who.model_copy(update={"started_at": started_at, "study_kind": kind}),
        device=header.device,
        filters=_filters(channels),
        gaps=gaps,
        annotations=tuple(sorted(marks, key=lambda mark: mark.start_s)),
        warnings=(*warnings, *guess.warnings),
    )
    return with_limb_leads(recording)


def _started_at(header: EdfHeader, first_s: float) -> datetime | None:
    """Start of the first record; EDF+ gives the fraction of its second in the first annotation."""
    if header.started_at is None or not abs(first_s) < 1e8:
        return header.started_at
    return header.started_at + timedelta(seconds=first_s)


def _frames(data: Buffer, header: EdfHeader, warnings: list[str]) -> NDArray[np.uint8]:
    """(n_records, bytes of a record), a view on the file."""
    size = header.record_samples * header.width
    held, rest = divmod(len(data) - header.n_bytes, size)
    count = header.n_records
    if count > held:
        warnings.append(f"the header announces {count} data records, the file holds {held}: it was cut")
        count = held
    elif count <= 0:
        warnings.append("the header does not say how many data records there are: the recording ended unexpectedly")
        count = held
    elif count < held and rest == 0:
        warnings.append(f"the header announces {count} data records, the file holds {held}; all were read")
        count = held
    elif count < held:
        warnings.append(f"the header announces {count} data records; what is behind them in the file was left out")
    if count <= 0:
        raise TruncatedRecording("the file ends before its first data record; send the recording again")
    return np.frombuffer(data, np.uint8, count * size, header.n_bytes).reshape(count, size)


def _ecg_channels(header: EdfHeader, warnings: list[str]) -> tuple[list[Channel], list[Channel]]:
    """The channels of one rate that are ECG leads, and all others that are signals."""
    signals = [channel for channel in header.channels if not channel.is_tal and channel.samples > 0]
    volts = [
        channel
        for channel in signals
        if (not channel.unit or microvolts_of(channel.unit) is not None) and not _NOT_ECG.match(channel.label)
    ]
    named = [channel for channel in volts if is_ecg(_lead_name(channel.label)) or _ECG.search(channel.label)]
    taken = named or volts
    if taken:
        lengths = [channel.samples for channel in taken]
        most = max(set(lengths), key=lambda length: (lengths.count(length), length))
        taken = [channel for channel in taken if channel.samples == most]
    if len(taken) > MAX_LEADS:
        warnings.append(f"only the first {MAX_LEADS} of {len(taken)} leads were read")
        taken = taken[:MAX_LEADS]
    others = [channel for channel in signals if channel not in taken]
    if taken and others:
        names = ", ".join(channel.label or "?" for channel in others)[:200]
        warnings.append(f"signals that are no ECG lead, or of another sampling rate, were left out: {names}")
    return taken, others


def _lead_name(label: str) -> str:
    """The lead behind the signal's type, as EDF+ writes it ("ECG V2"); a number alone is no name."""
    bare = standard_name(_EKG.sub("", label))
    return label if bare.isdecimal() else bare


def _apart(
    frames: NDArray[np.uint8], channels: list[Channel], header: EdfHeader
) -> tuple[Samples, list[NDArray[np.uint8]]]:
    """(n_leads, n_samples), and each annotation signal's bytes by record, copied out of the records block by block."""
    width, per_record = header.width, channels[0].samples
    tals = [channel for channel in header.channels if channel.is_tal]
    digital = room((len(channels), len(frames) * per_record), np.int16 if width == 2 else np.int32)
    by_record = digital.reshape(len(channels), len(frames), per_record)
    texts = [room((len(frames), channel.samples * width), np.uint8) for channel in tals]
    step = max(1, BLOCK_BYTES // frames.shape[1])
    for at in range(0, len(frames), step):
        block = frames[at : at + step]
        for row, channel in enumerate(channels):
            raw = block[:, channel.at * width : (channel.at + per_record) * width]
            out = by_record[row, at : at + step]
            out[:] = _words(raw) if width == 2 else int24(raw.reshape(len(block), per_record, 3))
            forget(out)
        for text, channel in zip(texts, tals, strict=True):
            text[at : at + step] = block[:, channel.at * width : (channel.at + channel.samples) * width]
        forget(block)
    wide = width == 2 or channels[0].digital_range[1] > np.iinfo(np.int16).max
    return (digital if wide else narrow(digital)), texts


def _words(raw: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The 16-bit numbers in the last axis, which lies together even where the rest does not."""
    return raw.view("<i2")


def _scales(channels: list[Channel], warnings: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """(microvolts of a step, digital value of 0 µV, whether both are known) of each channel."""
    scales, zeros, calibrated = [], [], True
    for channel in channels:
        (low, high), (digital_low, digital_high) = channel.physical_range, channel.digital_range
        unit = microvolts_of(channel.unit)
        step = (high - low) / (digital_high - digital_low) if digital_high != digital_low else 0.0
        known = unit is not None and step != 0 and 0 < abs(step * unit) <= MAX_UV_PER_LSB
        step = _undivided(step)
        zero = _whole_or_half(digital_high - high / step, digital_high - digital_low) if known else 0.0
        if not known or not abs(zero) < 1e12:
            warnings.append(f"channel {channel.label} does not say how large its steps are; amplitudes are not known")
            step, unit, zero, calibrated = 1.0, 1.0, 0.0, False
        scales.append(step * (unit or 1.0))
        zeros.append(zero)
    return np.array(scales), np.array(zeros), calibrated


def _undivided(step: float) -> float:
    """The decimal from which a range was made, where the step differs from it by no more than divisions round.

    >>> _undivided((0.1 + 0.2) / 3)
    0.1
    """
    near = float(f"{step:.{DIGITS}g}")
    return near if abs(near - step) <= ROUNDING * abs(step) else step


def _whole_or_half(zero: float, span: int) -> float:
    """Zero where rounding has moved it: ranges lie evenly around an integer, or between two."""
    near = round(zero * 2) / 2
    return near if abs(near - zero) <= ROUNDING * abs(span) else zero


def _place(
    raw: list[NDArray[np.uint8]],
    header: EdfHeader,
    n_records: int,
    per_record: int,
    sampling_hz: float,
    warnings: list[str],
) -> _Placed:
    """Where each data record begins, in samples from the first; ``starts`` None where one follows the other."""
    whole = n_records * per_record
    if not header.is_plus or not raw:
        return _Placed(None, whole, [], 0.0)
    if not header.is_discontinuous:
        return _Placed(None, whole, [], tal.record_onsets(raw[0][:1])[0] or 0.0)
    onsets = tal.record_onsets(raw[0])
    first_s = next((onset for onset in onsets if onset is not None), 0.0)
    starts = np.empty(n_records, np.int64)
    following = 0
    for record, onset in enumerate(onsets):
        at = following if onset is None or abs(onset) > 1e9 else round((onset - first_s) * sampling_hz)
        starts[record] = max(at, following)
        following = int(starts[record]) + per_record
    if any(onset is None for onset in onsets):
        warnings.append("some data records do not say when they began; they were taken to follow the one before")
    if following == whole:
        return _Placed(None, whole, [], first_s)
    if following > tal.MAX_SPARSENESS * whole:
        jumps = np.flatnonzero(np.diff(starts) > per_record) + 1
        marks = [
            Annotation(f"recording resumes {(int(starts[jump]) / sampling_hz):.1f} s after its start",
                       int(jump) * header.record_s)
            for jump in jumps[: tal.MAX_MARKS]
        ]  # fmt: skip
        warnings.append(f"the recording has {len(jumps)} long interruptions; its parts were joined and each is marked")
        return _Placed(None, whole, marks, first_s)
    return _Placed(starts, following, [], first_s)


def _lay_out(
    digital: Samples, placed: _Placed, per_record: int, zeros: NDArray[np.float64], names: tuple[str, ...]
) -> tuple[Samples, tuple[Gap, ...]]:
    """The records on their time axis, 0 µV where nothing was measured."""
    assert placed.starts is not None
    limits = np.iinfo(digital.dtype)
    fill = np.clip(np.rint(zeros), limits.min, limits.max).astype(digital.dtype)
    out: Any = np.empty((len(names), placed.n_samples), digital.dtype)
    out[:] = fill[:, None]
    breaks = np.flatnonzero(np.diff(placed.starts) != per_record) + 1
    edges = [0, *breaks.tolist(), len(placed.starts)]
    gaps: list[Gap] = []
    end = 0
    for first, last in pairwise(edges):
        start = int(placed.starts[first])
        if start > end:
            gaps.append(Gap(end, start, names))
        end = start + (last - first) * per_record
        out[:, start:end] = digital[:, first * per_record : last * per_record]
    return out, tuple(gaps)


def _filters(channels: list[Channel]) -> Filters:
    """The filters of the first lead's prefiltering field (``HP:0.1Hz LP:75Hz N:50Hz``)."""
    found: dict[str, float] = {}
    for kind, number, unit in _FILTERS.findall(channels[0].prefilter):
        if unit.lower() == "s":
            continue
        value = float(number.replace(",", ".")) * (1000 if unit.lower() == "khz" else 1)
        if value > 0:
            found.setdefault(kind.upper(), value)
    return Filters(found.get("HP"), found.get("LP"), found.get("N"))


__all__ = ["ANNOTATION_LABELS", "NAME", "read", "recognises"]
