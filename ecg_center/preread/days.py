"""How is any second of a fortnight shown at once? Its samples, its overview, its beats, each by the stretch.

Nothing is held between two requests: a stretch of samples is a seek in a FLAC file, an overview one range of the
pyramid, the beats one range of theirs. All take a millisecond or so whatever the recording's length.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.domain.errors import Conflict, Invalid, NotFound
from ecg_center.preread.schemas import DayBeats, DayHeader, DayLead, DayTrend
from ecg_center.store import beats as beats_file
from ecg_center.store import pyramids
from ecg_center.store.blobs import Blobs
from ecg_center.store.findings import FindingsFile, newest_file
from ecg_center.store.tables import Institution, Recording
from ecg_center.store.waveforms import decode

MAX_STRETCH_VALUES: Final = 4_000_000
"""Samples of all leads in one answer: 8 MB, an hour of three leads at 250 Hz with room to spare."""
MAX_BEATS: Final = 60_000
"""Half a day; a page that shows more of them shows a trend."""
MAX_TREND_COLUMNS: Final = 4096
SMOOTHED_BEATS: Final = 8
"""Highest and lowest rates are means of so many intervals: one early beat is no fast heart (IEC 60601-2-47's usual
practice of recorders)."""
MIN_RR_S: Final = 0.2
MAX_RR_S: Final = 6.0
"""An interval beyond these is an artefact or a hole, not a rate."""

Floats = NDArray[np.float64]


def reader(blobs: Blobs, key: str) -> Callable[[int, int], Awaitable[bytes]]:
    """Reads ranges of one object."""

    async def read(offset: int, length: int) -> bytes:
        return await blobs.get_range(key, offset, length)

    return read


def day_of(recording: Recording) -> dict[str, Any]:
    """How the recording's day is kept.

    Raises:
        Conflict: it is not read yet.
        NotFound: it is no recording of hours.
    """
    if recording.waveform is None:
        raise Conflict("The recording has not been decoded yet; try again in a moment.")
    if "pyramid" not in recording.waveform:
        raise NotFound("This recording is too short to be read as a day; open its trace.")
    return recording.waveform


async def header(blobs: Blobs, recording: Recording, institution: Institution) -> DayHeader:
    """What the trace is."""
    day = day_of(recording)
    pyramid = await _pyramid(blobs, day)
    return DayHeader(
        recording_id=recording.id,
        sampling_hz=pyramid.sampling_hz,
        n_samples=pyramid.n_samples,
        leads=[
            DayLead(
                name=lead.name,
                uv_per_lsb=lead.uv_per_lsb,
                baseline=lead.baseline,
                derived=lead.name in day.get("derived", []),
            )
            for lead in pyramid.leads
        ],
        filters=day.get("filters", []),
        started_at=recording.started_at,
        demo=institution.is_demo,
    )


async def _pyramid(blobs: Blobs, day: dict[str, Any]) -> pyramids.Header:
    return pyramids.unpack(await blobs.get_range(day["pyramid"], 0, pyramids.HEADER_BYTES))


async def stretch(blobs: Blobs, recording: Recording, start: int, stop: int) -> pyramids.Pairs:
    """(n_leads, stop - start) int16 samples, in the scale of :func:`header`.

    Raises:
        Invalid: the stretch lies outside of the recording or is too long.
    """
    day = day_of(recording)
    pyramid = await _pyramid(blobs, day)
    _check(pyramid, start, stop)
    if (stop - start) * len(pyramid.leads) > MAX_STRETCH_VALUES:
        raise Invalid("This stretch is too long to be sent whole; ask for its overview.", field="stop")
    return await asyncio.to_thread(_decoded, blobs, day["files"], pyramid.shift, start, stop)


def _decoded(blobs: Blobs, files: dict[str, str], shift: tuple[int, ...], start: int, stop: int) -> pyramids.Pairs:
    samples = decode({suffix: blobs.source(key) for suffix, key in files.items()}, start, stop).samples
    return pyramids.coarsened(samples, shift)


def _check(pyramid: pyramids.Header, start: int, stop: int) -> None:
    if not 0 <= start < stop <= pyramid.n_samples:
        raise Invalid(
            "The recording has {n} samples; a stretch begins before it ends and lies within them.",
            field="start",
            n=pyramid.n_samples,
        )


async def overview(
    blobs: Blobs, recording: Recording, start: int, stop: int, columns: int, lead: int | None = None
) -> pyramids.Pairs:
    """(n_leads, columns, 2) lowest and highest of each column; a column of nothing has the lowest above the highest.

    ``lead`` asks for one lead alone.

    Raises:
        Invalid: the stretch lies outside of the recording, or has fewer samples than columns.
    """
    day = day_of(recording)
    pyramid = await _pyramid(blobs, day)
    _check(pyramid, start, stop)
    if not 1 <= columns <= min(pyramids.MAX_COLUMNS, stop - start):
        raise Invalid("Ask for at least one column, and for no more than there are samples or pixels.", field="columns")
    if lead is not None and lead >= len(pyramid.leads):
        raise Invalid("The recording has no such lead.", field="lead")
    level = pyramids.level_for(pyramid, start, stop, columns)
    if level is None and (stop - start) * len(pyramid.leads) > MAX_STRETCH_VALUES:
        level = pyramid.levels[0]
    if level is not None:
        pairs = await pyramids.window(reader(blobs, day["pyramid"]), pyramid, level, start, stop, columns)
    else:
        samples = await asyncio.to_thread(_decoded, blobs, day["files"], pyramid.shift, start, stop)
        pairs = pyramids.of_samples(samples, columns)
    return pairs if lead is None else pairs[lead : lead + 1]


async def findings(session: AsyncSession, recording: Recording, *, machine: bool, with_content: bool) -> FindingsFile:
    """The findings in force, or the machine's own.

    Raises:
        NotFound: there are none.
    """
    found = await newest_file(session, recording.id, machine=machine, with_content=with_content)
    if found is None:
        raise NotFound("There are no findings of this recording.")
    return found


def said(found: FindingsFile, edits: int) -> bytes:
    """What is said, and how many of how many edits it holds, as JSON; the findings go as they lie in the database."""
    held = f'"edited":{str(found.edited).lower()},"held":{found.edits},"edits":{edits}'
    return f'{{"findings":{found.content},{held}}}'.encode()


async def beats(blobs: Blobs, found: FindingsFile, start: int, stop: int) -> DayBeats:
    """The beats of a stretch.

    Raises:
        Invalid: there are too many.
    """
    _, rows = await _rows(blobs, found, start, stop)
    if len(rows) > MAX_BEATS:
        raise Invalid("There are too many beats in this stretch to be sent one by one; ask for the trend.")
    return DayBeats(
        sample=rows["sample"].tolist(),
        label="".join(beats_file.LABELS[label] for label in rows["label"]),
        template=rows["template"].tolist(),
        confidence=rows["confidence"].tolist(),
    )


async def _rows(blobs: Blobs, found: FindingsFile, start: int, stop: int) -> tuple[float, NDArray[np.void]]:
    """The sampling rate, and the rows of the beats."""
    key = found.files.get("beats")
    if key is None:
        raise NotFound("There are no beats of this recording.")
    header = beats_file.unpack(await blobs.get_range(key, 0, beats_file.HEADER_BYTES))
    return header.sampling_hz, await beats_file.window(reader(blobs, key), header, max(0, start), stop)


async def annotations(blobs: Blobs, found: FindingsFile) -> bytes:
    """The beats as a WFDB annotation file.

    Raises:
        NotFound: there are none.
    """
    key = found.files.get("atr")
    if key is None:
        raise NotFound("There are no beats of this recording.")
    return await blobs.get(key)


async def trend(blobs: Blobs, found: FindingsFile, start: int, stop: int, columns: int) -> DayTrend:
    """Heart rate and early beats over a stretch."""
    if not 0 <= start < stop or not 1 <= columns <= MAX_TREND_COLUMNS:
        raise Invalid("Ask for at least one column, and for no more than there are samples or pixels.", field="columns")
    sampling_hz, rows = await _rows(blobs, found, start, stop)
    return await asyncio.to_thread(trend_of, rows, sampling_hz, start, stop, columns)


def trend_of(rows: NDArray[np.void], sampling_hz: float, start: int, stop: int, columns: int) -> DayTrend:
    """The trend of these beats.

    Each column has the mean rate of its intervals, and the lowest and highest of their running means over
    ``SMOOTHED_BEATS``.
    """
    sample, label = rows["sample"], rows["label"]
    width = (stop - start) / columns
    column = np.minimum(((sample - start) / width).astype(np.int64), columns - 1)
    rr_s = np.diff(sample) / sampling_hz
    good = (rr_s >= MIN_RR_S) & (rr_s <= MAX_RR_S)
    rr_s, at = rr_s[good], column[1:][good]
    counts, total_s = np.bincount(at, minlength=columns), np.bincount(at, rr_s, columns)
    mean = np.where(counts > 0, 60 * counts / np.maximum(total_s, 1e-9), np.nan)
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    if len(rr_s) >= SMOOTHED_BEATS:
        sums = np.cumsum(np.concatenate([[0.0], rr_s]))
        smooth = 60 * SMOOTHED_BEATS / (sums[SMOOTHED_BEATS:] - sums[:-SMOOTHED_BEATS])
        middle = at[SMOOTHED_BEATS // 2 :][: len(smooth)]
        np.fmin.at(low, middle, smooth)
        np.fmax.at(high, middle, smooth)
    return DayTrend(
        start_s=start / sampling_hz,
        step_s=width / sampling_hz,
        mean_bpm=_listed(mean),
        low_bpm=_listed(np.fmin(low, mean)),
        high_bpm=_listed(np.fmax(high, mean)),
        v=np.bincount(column[label == beats_file.LABELS.index("V")], minlength=columns).tolist(),
        s=np.bincount(column[label == beats_file.LABELS.index("S")], minlength=columns).tolist(),
    )


def _listed(values: Floats) -> list[float | None]:
    return [None if value != value else round(value, 1) for value in values.tolist()]  # noqa: PLR0124 - nan
