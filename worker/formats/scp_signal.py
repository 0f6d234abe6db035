"""What did each lead of an SCP-ECG record measure? (EN 1064 / ISO 11073-91064 sections 5.6 to 5.9, annex C)

Section 3 names the leads, section 5 holds the reference beat, section 6 the rhythm: packed or not, as it is or as
differences, whole or with the reference beat taken out of every beat of type 0 (section 4), and, in bimodal
compression, at a fraction of the rate outside the protected areas around the QRS complexes. What was taken out is put
back in integers of the greatest step that both multipliers share, so that nothing is rounded; what was left out is
interpolated and smoothed as annex C says, and a warning tells of it.

What differs from the standard: leads that end early are read as far as they go; versions 1.0 and 1.1 have no table of
protected areas, and their subtraction zones stand in for it, as the CEN test set demands.
"""

import math
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.formats import scp_huffman as huffman
from worker.formats.errors import (
    DamagedRecording,
    NoWaveform,
    TooLargeRecording,
    TruncatedRecording,
    UnsupportedRecording,
)
from worker.formats.rows import Row
from worker.formats.scp_sections import PROTOCOL_3, Section
from worker.leads import NUMBERS
from worker.recording import MAX_LEADS

MAX_SPARSENESS: Final = 8
"""Leads that start at other times span at most this many times what was measured; beyond that the places are wrong."""
MAX_DECIMATION: Final = 16
MAX_PACKED_BYTES: Final = 1_500_000
"""More than twenty leads of the most that a lead can have (65 534 bytes); what takes a second and a half to unpack."""
MAX_BEATS: Final = 20_000

LEADS: Final = (
    "", "I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V2R", "V3R", "V4R", "V5R", "V6R", "V7R", "X", "Y", "Z",
    "CC5", "CM5", "LA", "RA", "LL", "fI", "fE", "fC", "fA", "fM", "fF", "fH", *(f"cal {n}" for n in range(31, 61)),
    "III", "aVR", "aVL", "aVF", "-aVR", "V8", "V9", "V8R", "V9R", "D", "A", "J", "Defib", "Extern", "A1", "A2", "A3",
    "A4",
)  # fmt: skip
"""Names by lead number, section 5.6.3 table 6; 31 to 60 are calibration leads of what stands 30 before them."""


def lead_name(number: int) -> str:
    """The lead of this number; empty where it is left open."""
    return LEADS[number] if number < len(LEADS) else NUMBERS.get(number, f"lead {number}")


_LEAD: Final = struct.Struct("<IIB")
_ZONE: Final = struct.Struct("<HIII")
_AREA: Final = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Lead:
    """One entry of section 3; samples are counted from 1."""

    name: str
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Zone:
    """Where the reference beat was taken out of one beat, and the area around its QRS that was left untouched."""

    beat_type: int
    first: int
    fiducial: int
    last: int
    protected: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Beats:
    """Section 4."""

    length_ms: int
    fiducial: int
    zones: tuple[Zone, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Stored:
    """The leads of section 5 or 6 as they were packed: integers of ``nanovolts`` each."""

    leads: list[NDArray[np.int64]]
    nanovolts: int
    interval_us: int
    bimodal: bool


@dataclass(frozen=True, eq=False, slots=True)
class Signal:
    """What a Recording needs of sections 3 to 6."""

    rows: list[Row]
    sampling_hz: float
    calibrated: bool
    median: list[Row]
    median_hz: float


def read_signal(sections: dict[int, Section], protocol: int, warnings: list[str]) -> Signal:
    """The rhythm and the reference beat.

    Raises:
        UnreadableRecording: one of its family.
    """
    if 3 not in sections or 6 not in sections:
        raise NoWaveform("the SCP-ECG record holds measurements or statements alone, without a rhythm (section 6)")
    leads, subtracted = _leads(sections[3], warnings)
    tables = huffman.read_tables(sections[2].body, warnings) if 2 in sections else None
    if protocol >= PROTOCOL_3 and not subtracted:  # section 4 is none of version 3, where nothing is subtracted
        beats, median = Beats(0, 0, ()), _median_of_version_3(sections.get(5), leads, warnings)
    else:
        beats = _beats(sections.get(4), warnings)
        median = _median(sections.get(5), leads, beats, tables, warnings)
    rhythm = _rhythm(sections[6], leads, beats, median, tables, protocol, subtracted, warnings)
    nanovolts = rhythm.nanovolts
    samples = rhythm.leads
    if subtracted and _was_subtracted(sections, beats, median, warnings) and median is not None:
        samples, nanovolts = _put_back(leads, rhythm, median, beats)
    rows = [
        Row(lead.name, values.astype(np.int32), (nanovolts or 1000) / 1000, 0.0, lead.start)
        for lead, values in zip(leads, samples, strict=True)
    ]
    if nanovolts == 0:
        warnings.append("the record does not say how large a step is; amplitudes are not to be trusted")
    _check_span(rows)
    return (
        Signal(rows, 1e6 / rhythm.interval_us, nanovolts != 0, _median_rows(leads, median), 1e6 / median.interval_us)
        if median
        else Signal(rows, 1e6 / rhythm.interval_us, nanovolts != 0, [], 0.0)
    )


def _was_subtracted(sections: dict[int, Section], beats: Beats, median: Stored | None, warnings: list[str]) -> bool:
    """Whether a reference beat is to be put back, as section 3 says.

    Raises:
        DamagedRecording: one was subtracted, and what or where is not known: the rest is no ECG.
    """
    if beats.zones:
        if median is None:
            raise DamagedRecording(
                "the rhythm was stored as the difference from a reference beat that the file does not hold"
            )
        return True
    if 5 in sections and 4 not in sections:
        raise DamagedRecording(
            "a reference beat was subtracted from the rhythm, and the places of its beats (section 4) are missing"
        )
    warnings.append("section 3 says that a reference beat was subtracted, but the record names no such beat")
    return False


def _median_rows(leads: list[Lead], median: Stored) -> list[Row]:
    if median.nanovolts == 0:
        return []
    return [
        Row(lead.name, values.astype(np.int32), median.nanovolts / 1000)
        for lead, values in zip(leads, median.leads, strict=True)
    ]


def _check_span(rows: list[Row]) -> None:
    filled = [row for row in rows if row.samples.size]
    if not filled:
        raise NoWaveform("the SCP-ECG record names leads but holds no sample of any")
    span = max(row.start + row.samples.size for row in filled) - min(row.start for row in filled)
    if span * len(filled) > MAX_SPARSENESS * sum(row.samples.size for row in filled):
        raise DamagedRecording("the leads of section 3 lie so far apart that their places must be wrong")


def _leads(section: Section, warnings: list[str]) -> tuple[list[Lead], bool]:
    count, flags = section.u8(0), section.u8(1)
    if count == 0 or len(section.body) < 2 + count * _LEAD.size:
        raise DamagedRecording(f"section 3 announces {count} leads and describes {(len(section.body) - 2) // 9}")
    leads: list[Lead] = []
    for place in range(count):
        start, end, number = _LEAD.unpack_from(section.body, 2 + place * _LEAD.size)
        if end < start:
            raise DamagedRecording(f"lead {place + 1} of section 3 ends before it starts")
        leads.append(Lead(lead_name(number) or f"channel {place + 1}", start, end - start + 1))
    if count > MAX_LEADS:
        warnings.append(f"only the first {MAX_LEADS} of {count} leads were read")
    return leads, bool(flags & 1)


def _beats(section: Section | None, warnings: list[str]) -> Beats:
    if section is None:
        return Beats(0, 0, ())
    length_ms, fiducial, count = section.u16(0), section.u16(2), section.u16(4)
    held = min(count, (len(section.body) - 6) // _ZONE.size, MAX_BEATS)
    zones = [_ZONE.unpack_from(section.body, 6 + place * _ZONE.size) for place in range(held)]
    areas_at = 6 + held * _ZONE.size
    if held < count:
        warnings.append(f"section 4 announces {count} beats and describes {held}")
    if held == count and areas_at + held * _AREA.size <= len(section.body):
        areas = [_AREA.unpack_from(section.body, areas_at + place * _AREA.size) for place in range(held)]
    else:
        areas = [(first, last) for _, first, _, last in zones]
    return Beats(
        length_ms,
        fiducial,
        tuple(
            Zone(zone[0], zone[1], zone[2], zone[3], (area[0], area[1]))
            for zone, area in zip(zones, areas, strict=True)
        )
        if length_ms
        else (),
    )


def _stored(
    section: Section, leads: list[Lead], counts: list[int] | None, tables: list[huffman.Table] | None
) -> Stored:
    """The leads of section 5 or 6, unpacked; ``counts`` None takes whatever is there."""
    nanovolts, interval_us, order, flag = section.u16(0), section.u16(2), section.u8(4), section.u8(5)
    data_at = 6 + 2 * len(leads)
    if interval_us == 0:
        raise DamagedRecording("the file does not say how often per second the ECG was sampled")
    if order > 2:
        raise UnsupportedRecording(f"the samples are stored as differences of order {order}, which is not defined")
    sizes = _sizes(section, leads)
    if len(section.body) < data_at or data_at + sum(sizes) > len(section.body) + 1:
        raise TruncatedRecording("the leads are longer than the section that holds them; send the recording again")
    if tables is not None and sum(sizes) > MAX_PACKED_BYTES:
        raise TooLargeRecording(f"{sum(sizes)} bytes of packed leads are more than any device writes")
    out = []
    at = data_at
    for place, size in enumerate(sizes[:MAX_LEADS]):
        piece = section.body[at : at + size]
        at += size
        if tables is None:
            values = np.frombuffer(piece[: len(piece) // 2 * 2], "<i2").astype(np.int64)
            values = values if counts is None else values[: counts[place]]
        else:
            values = huffman.unpack(piece, len(piece) * 8 if counts is None else counts[place], tables)
        out.append(huffman.undo_differences(values, order))
    out += [np.empty(0, np.int64)] * (len(sizes) - len(out))
    return Stored(out, nanovolts, interval_us, bool(flag))


def _median(
    section: Section | None,
    leads: list[Lead],
    beats: Beats,
    tables: list[huffman.Table] | None,
    warnings: list[str],
) -> Stored | None:
    """The reference beat; None where there is none, or none that can be read and none that is needed."""
    if section is None or section.u16(2) == 0:
        return None
    length = beats.length_ms * 1000 // section.u16(2)
    if length == 0 and tables is not None:
        warnings.append("the reference beat was left out: its length, which stands in section 4, is missing")
        return None
    try:
        return _stored(section, leads, [length] * len(leads) if length else None, tables)
    except (DamagedRecording, UnsupportedRecording) as error:
        if beats.zones:
            raise
        warnings.append(f"the reference beat could not be read: {error}")
        return None


def _median_of_version_3(section: Section | None, leads: list[Lead], warnings: list[str]) -> Stored | None:
    """The reference beat of version 3, where plain samples fill section 5 to the last byte as before version 3.

    The layout of version 3 is in no public text, and a wrong beat is worse than none.
    """
    if section is None or not section.body:
        return None
    sizes = _sizes(section, leads)
    fills = 6 + 2 * len(sizes) + sum(sizes)
    if len(set(sizes)) == 1 and sizes[0] and sizes[0] % 2 == 0 and len(section.body) - fills in (0, 1):
        try:
            return _stored(section, leads, None, None)
        except (DamagedRecording, UnsupportedRecording):
            pass
    warnings.append(
        "the reference beat (section 5) is written in a way of version 3 that is not read, and was left out"
    )
    return None


def _sizes(section: Section, leads: list[Lead]) -> list[int]:
    """Bytes of each lead in section 5 or 6."""
    return [section.u16(6 + 2 * place) for place in range(len(leads))]


def _rhythm(
    section: Section,
    leads: list[Lead],
    beats: Beats,
    median: Stored | None,
    tables: list[huffman.Table] | None,
    protocol: int,
    subtracted: bool,
    warnings: list[str],
) -> Stored:
    """Section 6 at the rate of section 3's counts."""
    flag = section.u8(5)
    if protocol >= PROTOCOL_3:  # there is no bimodal compression; whether it is packed, writers say in different ways
        plain = _sizes(section, leads) == [2 * lead.count for lead in leads]
        tables = None if plain else tables or (huffman.default_tables() if flag else None)
        bimodal = False
    else:
        bimodal = bool(flag) and protocol != 10
    factor = section.u16(2) // median.interval_us if median else 1
    if bimodal and median is None:
        raise UnsupportedRecording(
            "the rhythm is stored at a lower rate outside QRS complexes, and without a reference beat "
            "nobody can say at which; set the device to export without bimodal compression"
        )
    if factor <= 1 or not (bimodal or subtracted):
        stored = _stored(section, leads, [lead.count for lead in leads], tables)
        _say_short(leads, stored, warnings)
        return stored
    if factor > MAX_DECIMATION or median is None or section.u16(2) % median.interval_us:
        raise DamagedRecording("the rates of rhythm and reference beat do not fit together")
    spans = [_spans(lead, beats, factor) for lead in leads]
    counts = [sum(stored for _, stored, _ in span) for span in spans]
    stored = _stored(section, leads, counts, tables)
    warnings.append(
        f"outside the QRS complexes the device stored every {factor}th sample only; what is between was interpolated"
    )
    full = [_interpolate(values, span, factor) for values, span in zip(stored.leads, spans, strict=True)]
    smooth = [_smooth(values, lead, beats) for values, lead in zip(full, leads, strict=True)]
    return Stored(smooth, stored.nanovolts, median.interval_us, bimodal=True)


def _say_short(leads: list[Lead], stored: Stored, warnings: list[str]) -> None:
    short = [
        lead.name for lead, values in zip(leads[:MAX_LEADS], stored.leads, strict=False) if values.size < lead.count
    ]
    if short:
        warnings.append(f"leads shorter than section 3 says: {', '.join(short)[:200]}")


def _spans(lead: Lead, beats: Beats, factor: int) -> list[tuple[int, int, bool]]:
    """(samples, samples stored, protected) of each stretch of a lead, in order (annex C)."""
    spans: list[tuple[int, int, bool]] = []
    at, end = lead.start, lead.start + lead.count
    for zone in beats.zones:
        first, last = max(zone.protected[0], at), min(zone.protected[1] + 1, end)
        if last <= first:
            continue
        if first > at:
            spans.append((first - at, (first - at) // factor + (first - at) % factor, False))
        spans.append((last - first, last - first, True))
        at = last
    if end > at:
        spans.append((end - at, (end - at) // factor + (end - at) % factor, False))
    return spans


def _interpolate(stored: NDArray[np.int64], spans: list[tuple[int, int, bool]], factor: int) -> NDArray[np.int64]:
    """The stored samples on the full time axis: straight lines between the middles of what each one stands for."""
    pieces: list[NDArray[np.int64]] = []
    at = 0
    for samples, count, protected in spans:
        values = stored[at : at + count]
        at += count
        whole = samples // factor
        if protected or values.size < count or whole == 0:
            pieces.append(values)
            continue
        middles = values[:whole].astype(np.float64)
        half = factor // 2
        places = (np.arange(whole * factor) - half) / factor
        line = np.interp(places, np.arange(whole), middles)
        pieces += [np.trunc(line).astype(np.int64), values[whole:]]
    return np.concatenate(pieces) if pieces else stored


def _smooth(values: NDArray[np.int64], lead: Lead, beats: Beats) -> NDArray[np.int64]:
    """The mean of three, rounded, within each stretch between protected areas and edges of subtraction (annex C)."""
    edges = {lead.start, lead.start + lead.count}
    for zone in beats.zones:
        edges |= {zone.protected[0] + 1, zone.protected[1]}
        if zone.beat_type == 0:
            edges |= {zone.first, zone.last + 1}
    inside = sorted(edge - lead.start for edge in edges if 0 <= edge - lead.start <= values.size)
    protected = np.zeros(values.size + 1, bool)
    for zone in beats.zones:
        protected[max(zone.protected[0] + 1 - lead.start, 0) : max(zone.protected[1] - lead.start, 0)] = True
    out = values.copy()
    for start, stop in pairwise(inside):
        if stop - start > 2 and not protected[start]:
            total = values[start : stop - 2] + values[start + 1 : stop - 1] + values[start + 2 : stop]
            out[start + 1 : stop - 1] = np.sign(total) * ((np.abs(total) + 1) // 3)
    return out


def _put_back(leads: list[Lead], rhythm: Stored, median: Stored, beats: Beats) -> tuple[list[NDArray[np.int64]], int]:
    """The rhythm with the reference beat back in every beat of type 0, and the nanovolts of one step."""
    if median.interval_us != rhythm.interval_us:
        raise DamagedRecording("rhythm and reference beat differ in rate, so that one cannot be taken from the other")
    if not rhythm.nanovolts or not median.nanovolts:
        raise DamagedRecording("the reference beat must be put back, but the file does not say how large a step is")
    common = math.gcd(rhythm.nanovolts, median.nanovolts)
    out = []
    for lead, residual, beat in zip(leads, rhythm.leads, median.leads, strict=True):
        whole = residual * (rhythm.nanovolts // common)
        piece = beat * (median.nanovolts // common)
        for zone in beats.zones:
            if zone.beat_type != 0:
                continue
            offset = zone.fiducial - beats.fiducial + 1  # the sample at which the beat's first would lie
            first = max(zone.first, lead.start, offset)
            last = min(zone.last + 1, lead.start + whole.size, offset + piece.size)
            if last > first:
                whole[first - lead.start : last - lead.start] += piece[first - offset : last - offset]
        out.append(whole)
    return out, common
