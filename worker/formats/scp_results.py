"""What did the device itself measure and say? (EN 1064 / ISO 11073-91064 sections 5.10, 5.11, 5.13, 5.14)

Section 7 holds global measurements and pacing spikes, section 10 those of each lead, sections 8 and 11 the statements.
Wave limits are times within the reference beat; durations follow from them. Version 1.1 of one vendor (ESAOTE) has a
byte too many in section 7, which shows in impossible limits; then the measurements are left out.
"""

import struct
from itertools import pairwise
from typing import Final

from worker.formats.dicom_text import Texts
from worker.formats.fields import MAX_STATEMENTS, note
from worker.formats.scp_header import Header
from worker.formats.scp_sections import Section
from worker.formats.scp_signal import lead_name
from worker.recording import Annotation

NOT_KNOWN: Final = frozenset({0xFFFF, 29999, 29998, 19999})
"""Section 5.10.3: not computed, found impossible, not present, and the same in unsigned."""
NO_ANGLE: Final = 999
MAX_WAVE_MS: Final = 2000
SPIKE_WIDTH: Final = 4 + 6

_BLOCK: Final = struct.Struct("<5H3h")
_LEAD_WORDS: Final = {
    0: "p_ms", 1: "pr_ms", 2: "qrs_ms", 3: "qt_ms", 4: "q_ms", 5: "r_ms", 6: "s_ms", 9: "q_uv", 10: "r_uv", 11: "s_uv",
    14: "st_j_uv", 15: "p_positive_uv", 16: "p_negative_uv", 17: "t_positive_uv", 18: "t_negative_uv",
    26: "st_j20_uv", 27: "st_j60_uv", 28: "st_j80_uv",
}  # fmt: skip
"""Place of a word in a lead's block of section 10: what it is."""


def read_global(section: Section | None, measurements: dict[str, float]) -> list[Annotation]:
    """Puts section 7 into ``measurements``; returns the pacing spikes."""
    if section is None:
        return []
    n_blocks, n_spikes = section.u8(0), section.u8(1)
    rr = section.u16(2)
    spikes_at = 6 + n_blocks * _BLOCK.size
    rest = spikes_at + n_spikes * SPIKE_WIDTH
    if n_blocks and spikes_at <= len(section.body):
        _limits(_BLOCK.unpack_from(section.body, 6), measurements)
    if rr not in NOT_KNOWN:
        note(measurements, "rr_mean_ms", float(rr))
    if rest > len(section.body):
        return []
    spikes = [Annotation("pacing spike", section.u16(spikes_at + 4 * place) / 1000) for place in range(n_spikes)]
    n_qrs = section.u16(rest)
    rates_at = rest + 2 + (n_qrs if n_qrs not in NOT_KNOWN else 0)
    if rates_at + 6 <= len(section.body):
        for name, at in (("heart_rate_bpm", 0), ("atrial_rate_bpm", 2), ("qtc_ms", 4)):
            value = section.u16(rates_at + at)
            if value not in NOT_KNOWN and value <= MAX_WAVE_MS:
                note(measurements, name, float(value))
    return spikes


def _limits(block: tuple[int, ...], measurements: dict[str, float]) -> None:
    """Durations from the limits of the reference beat's waves; nothing where they are not in order."""
    p_on, p_off, qrs_on, qrs_off, t_off = block[:5]
    known = [limit for limit in block[:5] if limit not in NOT_KNOWN and limit]
    if any(later < earlier for earlier, later in pairwise(known)) or any(limit > MAX_WAVE_MS for limit in known):
        return
    for name, start, end in (
        ("p_ms", p_on, p_off),
        ("pr_ms", p_on, qrs_on),
        ("qrs_ms", qrs_on, qrs_off),
        ("qt_ms", qrs_on, t_off),
    ):
        if not {start, end} & NOT_KNOWN and start < end and (start or name in ("qrs_ms", "qt_ms")):
            note(measurements, name, float(end - start))
    for name, angle in zip(("p_axis_deg", "qrs_axis_deg", "t_axis_deg"), block[5:], strict=True):
        if abs(angle) <= 360 and abs(angle) != NO_ANGLE:
            note(measurements, name, float(angle))


def read_leads(section: Section | None, measurements: dict[str, float]) -> None:
    """Puts section 10 into ``measurements``, as ``V5.r_uv``, and the two amplitudes of a Chinese report."""
    if section is None:
        return
    at = 4
    for _ in range(min(section.u16(0), 256)):
        number, size = section.u16(at), section.u16(at + 2)
        if at + 4 + size > len(section.body):
            break
        name = lead_name(number)
        for place, word in _LEAD_WORDS.items():
            value = section.i16(at + 4 + 2 * place)
            if 2 * place + 2 <= size and abs(value) not in NOT_KNOWN and value != -32768 and name:
                note(measurements, f"{name}.{word}", float(value))
        at += 4 + size
    for ours, theirs in (("rv5_mv", "V5.r_uv"), ("sv1_mv", "V1.s_uv")):
        if theirs in measurements:
            note(measurements, ours, abs(measurements[theirs]) / 1000)


def read_statements(section: Section | None, header: Header, guess: Texts, *, coded: bool) -> list[str]:
    """The statements of section 8, or of section 11 (``coded``), where a byte says what kind of text it is."""
    if section is None:
        return []
    found: list[str] = []
    at = 9
    for _ in range(min(section.u8(8), MAX_STATEMENTS)):
        size = section.u16(at + 1)
        if at + 3 + size > len(section.body):
            break
        raw = section.body[at + 3 + coded : at + 3 + size]
        parts = [raw] if header.encoding == "utf-16-le" else raw.split(b"\0")
        text = " ".join(filter(None, (header.text(part, guess) for part in parts)))[:500]
        if text:
            found.append(text)
        at += 3 + size
    return found
