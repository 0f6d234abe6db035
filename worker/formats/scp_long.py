"""Where is a day's rhythm in an SCP-ECG record of version 3? (EN 1064:2020 section 5.15, section 12 of the record)

Section 12 holds long recordings as plain samples, all leads in turn: rate, leads, length, start and filters in 70
bytes, two free blocks, four bytes a lead, then the samples of 1 to 4 bytes.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.binary import as_samples
from worker.formats.errors import DamagedRecording, NoWaveform, UnsupportedRecording
from worker.formats.fields import clock
from worker.formats.scp_sections import Section
from worker.formats.scp_signal import lead_name
from worker.recording import MAX_LEADS, Samples

FIXED_BYTES: Final = 70
LEAD_BYTES: Final = 4
MIN_VERSION: Final = 26
"""Below version 3 (drafts from 2.6 on), section 12 belongs to the manufacturer."""


@dataclass(frozen=True, eq=False, slots=True)
class LongRhythm:
    """The rhythm of section 12."""

    leads: tuple[str, ...]
    digital: Samples
    uv_per_lsb: NDArray[np.float64]
    calibrated: bool
    sampling_hz: float
    started_at: datetime | None


def has_long_rhythm(section: Section | None) -> bool:
    """Whether this is a section 12 in the sense of version 3."""
    return (
        section is not None
        and max(section.version, section.protocol) >= MIN_VERSION
        and len(section.body) > FIXED_BYTES
    )


def read_long_rhythm(section: Section, warnings: list[str]) -> LongRhythm:
    """The rhythm of section 12.

    Raises:
        UnreadableRecording: one of its family.
    """
    n_leads, n_samples, width = section.u8(4), section.u32(5), section.u8(9)
    if width not in (1, 2, 3, 4):
        raise UnsupportedRecording(f"samples of {width} bytes are not defined for SCP-ECG")
    if not 0 < n_leads <= MAX_LEADS:
        raise DamagedRecording(f"section 12 announces {n_leads} leads")
    table_at = FIXED_BYTES + section.u32(62) + section.u32(66)
    data_at = table_at + LEAD_BYTES * n_leads
    held = max(len(section.body) - data_at, 0) // (n_leads * width)
    if held == 0:
        raise NoWaveform("section 12 announces a long recording and holds no sample of it")
    if held < n_samples:
        warnings.append(f"section 12 announces {n_samples} samples a lead and holds {held}: the recording was cut")
    count = min(held, n_samples) or held
    numbers = [section.u8(table_at + LEAD_BYTES * place) for place in range(n_leads)]
    steps = [section.u16(table_at + LEAD_BYTES * place + 1) for place in range(n_leads)]
    if not all(steps):
        warnings.append("the record does not say how large a step is; amplitudes are not to be trusted")
    started_at = clock(section.u16(10), section.u8(12), section.u8(13), section.u8(14), section.u8(15), section.u8(16))
    return LongRhythm(
        _names(numbers),
        _samples(section.body, data_at, n_leads, count, width),
        np.array([(step or 1000) / 1000 for step in steps]),
        all(steps),
        float(section.u32(0)),
        started_at,
    )


def _names(numbers: list[int]) -> tuple[str, ...]:
    names: list[str] = []
    for place, number in enumerate(numbers):
        name = lead_name(number) or f"channel {place + 1}"
        names.append(name if name not in names else f"{name} #{place + 1}")
    return tuple(names)


def _samples(body: bytes, at: int, n_leads: int, count: int, width: int) -> Samples:
    cells = n_leads * count
    if width == 3:
        raw = np.frombuffer(body, np.uint8, cells * 3, at).reshape(count, n_leads, 3)
        wide: Any = np.empty((n_leads, count), np.int32)
        for lead in range(n_leads):
            wide[lead] = raw[:, lead, 2].astype(np.int8)
            wide[lead] <<= 16
            wide[lead] |= raw[:, lead, 1].astype(np.int32) << 8
            wide[lead] |= raw[:, lead, 0]
        return wide  # type: ignore[no-any-return]
    kind = np.int32 if width == 4 else np.int16
    return as_samples(np.frombuffer(body, f"<i{width}", cells, at).reshape(count, n_leads).T, kind)
