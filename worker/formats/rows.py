"""How do leads that a file holds one by one become the block of a Recording?"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording
from worker.recording import MAX_LEADS, MAX_SAMPLING_HZ, MIN_SAMPLING_HZ, Floats, Gap, MedianBeat, Samples

MAX_UV_PER_LSB: Final = 1e5
RATE_ROUNDING: Final = 1e-9
"""Relative: below what any clock keeps, above what writing a period as a decimal loses."""
MAX_CELLS: Final = 200_000_000
"""Leads times samples: 24 h of three leads at 500 Hz are 130 million."""
MAX_ASSEMBLED_CELLS: Final = 50_000_000
"""The same of leads that are laid out one by one: twice what the largest text that is read can hold (24 million)."""
MAX_SPARSENESS: Final = 64
"""Leads that begin at other times span at most this many times what was measured; beyond that the times are wrong."""
MAX_GAPS_A_LEAD: Final = 1000
BLOCK_SAMPLES: Final = 1 << 20
FREE_CELLS: Final = 4_000_000
"""Up to here (16 MB) it does no harm."""


@dataclass(frozen=True, eq=False)
class Row:
    """One lead as the file has it.

    Attributes:
        uv_per_lsb: microvolts of one step.
        baseline: the digital value of 0 µV.
        start: the sample of the recording at which this lead begins.
    """

    lead: str
    samples: NDArray[np.int32] | NDArray[np.int16]
    uv_per_lsb: float
    baseline: float = 0.0
    start: int = 0


@dataclass(frozen=True, eq=False)
class Block:
    """What a Recording needs of its signal."""

    leads: tuple[str, ...]
    digital: Samples
    uv_per_lsb: Floats
    baseline: Floats
    gaps: tuple[Gap, ...]

    def median_beat(self, sampling_hz: float) -> MedianBeat:
        """This block as the device's representative beat."""
        return MedianBeat(self.leads, self.digital, self.uv_per_lsb, self.baseline, sampling_hz)


def assemble(rows: list[Row], warnings: list[str]) -> Block:
    """All rows on one time axis; where one is shorter or begins later, there is a gap.

    Raises:
        NoWaveform: no row has a sample.
        DamagedRecording: a step of no size or of a size that no recorder has.
        TooLargeRecording: more samples than the limits allow.
    """
    rows = [row for row in rows if row.samples.size]
    if not rows:
        raise NoWaveform("the file names leads but holds no sample of any; export the recording again")
    rows = _unique(rows, warnings)
    for row in rows:
        if not (np.isfinite(row.baseline) and 0 < abs(row.uv_per_lsb) <= MAX_UV_PER_LSB):
            raise DamagedRecording(f"lead {row.lead} has a step of {row.uv_per_lsb:g} µV, which no ECG recorder has")
    first = min(row.start for row in rows)
    length = max(row.start + row.samples.size for row in rows) - first
    cells, measured = length * len(rows), sum(row.samples.size for row in rows)
    if cells > max(FREE_CELLS, min(MAX_ASSEMBLED_CELLS, MAX_SPARSENESS * measured)):
        raise TooLargeRecording(
            f"{measured} samples of {len(rows)} leads lie so far apart in time that they would fill {length} samples "
            "of each; a time in the file must be wrong"
        )
    narrow, wide = np.iinfo(np.int16), np.iinfo(np.int32)
    silence = [int(max(wide.min, min(round(row.baseline), wide.max))) for row in rows]
    lowest = min(*(int(row.samples.min()) for row in rows), *silence)
    highest = max(*(int(row.samples.max()) for row in rows), *silence)
    fits = lowest >= narrow.min and highest <= narrow.max
    digital: Any = np.zeros((len(rows), length), np.int16 if fits else np.int32)
    gaps: list[Gap] = []
    for place, row in enumerate(rows):
        begin, end = row.start - first, row.start - first + row.samples.size
        if begin > 0 or end < length:
            digital[place] = silence[place]
            gaps += [Gap(a, b, (row.lead,)) for a, b in ((0, begin), (end, length)) if b > a]
        digital[place, begin:end] = row.samples
    if gaps:
        warnings.append("the leads differ in length; what is missing is marked as a gap")
    return Block(
        tuple(row.lead for row in rows),
        digital,
        np.array([row.uv_per_lsb for row in rows], np.float64),
        np.array([row.baseline for row in rows], np.float64),
        tuple(gaps),
    )


def gaps_where(missing: NDArray[np.bool_], lead: str) -> list[Gap]:
    """A gap for every run of samples that are not there; from the thousandth on, one gap from the next to the last.

    So nothing that is not there is ever taken for a measured sample.
    """
    edges: list[int] = []
    before = False
    for start in range(0, missing.size, BLOCK_SAMPLES):
        part = missing[start : start + BLOCK_SAMPLES]
        edges += (start + np.flatnonzero(np.diff(part, prepend=before))).tolist()
        before = bool(part[-1])
        if len(edges) > 2 * MAX_GAPS_A_LEAD:
            last = missing.size - int(np.argmax(missing[::-1]))
            edges = [*edges[: 2 * MAX_GAPS_A_LEAD - 1], last]
            break
    edges += [missing.size] if len(edges) % 2 else []
    return [Gap(a, b, (lead,)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def checked_rate(sampling_hz: float | None) -> float:
    """The sampling rate, if it is one.

    Raises:
        DamagedRecording: it is absent or no recorder's.
    """
    if sampling_hz is None:
        raise DamagedRecording("the file does not say how often per second the ECG was sampled")
    if not MIN_SAMPLING_HZ <= sampling_hz <= MAX_SAMPLING_HZ:
        raise DamagedRecording(f"a sampling rate of {sampling_hz:g} Hz is outside what recorders do")
    return sampling_hz


def rate_of_period(period_s: float) -> float:
    """The sampling rate of a period that was written as a decimal: 0.002 s is 500 Hz, 1/511.844 s is 511.844 Hz.

    Raises:
        DamagedRecording: it is no recorder's.
    """
    if not period_s > 0:
        raise DamagedRecording("the file does not say how often per second the ECG was sampled")
    rate = 1 / period_s
    tidy = next(
        (near for places in (0, 3, 6) if abs((near := round(rate, places)) - rate) < RATE_ROUNDING * rate), rate
    )
    return checked_rate(float(tidy))


def _unique(rows: list[Row], warnings: list[str]) -> list[Row]:
    kept: dict[str, Row] = {}
    for row in rows:
        name = row.lead or f"channel {len(kept) + 1}"
        if name in kept:
            warnings.append(f"lead {name} occurs twice; the second was left out")
        elif len(kept) == MAX_LEADS:
            warnings.append(f"only the first {MAX_LEADS} leads were read")
            break
        else:
            kept[name] = row if name == row.lead else Row(name, row.samples, row.uv_per_lsb, row.baseline, row.start)
    return list(kept.values())
