"""SCP-ECG: version 2 for what a packed lead of 65 535 bytes holds, version 3 with section 12 for longer recordings.
(EN 1064 / ISO 11073-91064 sections 5.2 to 5.6, 5.9 to 5.11; EN 1064:2020 section 5.15)

Second differences in the default Huffman table. A step is a whole number of nanovolts, one for all leads: where the
recording's are not, the samples are written in the smallest step that 16 bits allow (a fraction of a microvolt).
"""

import math
import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.scp_sections import HEADER, POINTER, PREAMBLE, crc
from worker.formats.scp_signal import LEADS
from worker.formats.write.common import Held, file_name, held
from worker.formats.write.errors import UnwritableRecording
from worker.leads import NUMBERS
from worker.recording import Recording

NAME: Final = "scp"
VERSION_2: Final = 20
VERSION_3: Final = 30
MAX_LEAD_BYTES: Final = 65_534
MAX_NANOVOLTS: Final = 65_535
UNKNOWN: Final = 29_999
UTF8: Final = 0x37
MAX_TEXT: Final = 64
MAX_STATEMENTS: Final = 100
_NUMBERS: Final = {name: number for number, name in NUMBERS.items()} | {
    name: number for number, name in enumerate(LEADS) if name and not name.startswith("cal ")
}
_NOTCH: Final = {60.0: 0x01, 50.0: 0x02}


def write(recording: Recording, name: str) -> dict[str, bytes]:
    """The recording as one SCP-ECG record, by file name.

    Raises:
        UnwritableRecording: an amplitude or rate that SCP-ECG has no place for.
    """
    kept = held(recording)
    digital, nanovolts = _steps(kept)
    packed = _packed(digital)
    long = packed is None or not _is_interval(recording.sampling_hz)
    version = VERSION_3 if long else VERSION_2
    sections = {1: _section_1(recording, version), 3: _section_3(kept, recording.n_samples)}
    if long:
        sections[12] = _section_12(recording, kept, digital, nanovolts)
    else:
        assert packed is not None
        sections[2] = struct.pack("<H", 19999)
        sections[6] = _section_6(packed, nanovolts if recording.calibrated else 0, recording.sampling_hz)
        sections[7] = _section_7(recording)
    if recording.device_statements:
        sections[8] = _section_8(recording)
    return {f"{file_name(name)}.scp": _record(sections, version)}


def _is_interval(sampling_hz: float) -> bool:
    """Whether the time between samples is a whole number of microseconds of 16 bits, as section 6 wants it."""
    interval = round(1e6 / sampling_hz)
    return 0 < interval <= 65_535 and 1e6 / interval == sampling_hz


def _steps(kept: Held) -> tuple[NDArray[Any], int]:
    """(samples from 0 µV, nanovolts of one step)."""
    centred = kept.digital.astype(np.int64) - kept.baseline[:, None]
    nanovolts = kept.uv_per_lsb * 1000
    whole = np.rint(nanovolts).astype(np.int64)
    if (np.abs(nanovolts - whole) <= 1e-9 * np.abs(nanovolts)).all() and whole.all():
        common = math.gcd(*(abs(int(step)) for step in whole))
        scaled = centred * (whole // common)[:, None]
        if common <= MAX_NANOVOLTS and np.abs(scaled).max(initial=0) <= np.iinfo(np.int32).max:
            return scaled, common
    volts = centred * nanovolts[:, None]
    step = max(1, math.ceil(float(np.abs(volts).max(initial=0)) / np.iinfo(np.int16).max))
    if step > MAX_NANOVOLTS:
        raise UnwritableRecording("amplitudes of more than 2 V do not fit SCP-ECG")
    return np.rint(volts / step).astype(np.int64), step


def _packed(digital: NDArray[Any]) -> list[bytes] | None:
    """Each lead in the default Huffman table; None where one does not fit section 6."""
    narrow = np.iinfo(np.int16)
    if digital.min() < narrow.min or digital.max() > narrow.max or digital.shape[1] > MAX_LEAD_BYTES * 2:
        return None
    out = []
    for row in digital:
        differences = row.copy()
        differences[2:] = row[2:] - 2 * row[1:-1] + row[:-2]
        bits = "".join(map(_code, differences.astype(np.int16).tolist()))
        n_bytes = -(-len(bits) // 8)
        n_bytes += n_bytes % 2
        if n_bytes > MAX_LEAD_BYTES:
            return None
        out.append(int(bits.ljust(n_bytes * 8, "0"), 2).to_bytes(n_bytes, "big"))
    return out


def _code(value: int) -> str:
    """The bits of one value in the default table (annex C)."""
    if value == 0:
        return "0"
    if abs(value) <= 8:
        return "1" * abs(value) + ("00" if value > 0 else "01")
    if -128 <= value < 128:
        return f"1111111110{value & 0xFF:08b}"
    return f"1111111111{value & 0xFFFF:016b}"


def _section_1(recording: Recording, version: int) -> bytes:
    who, start = recording.identity, recording.started_at
    device, filters = recording.device, recording.filters
    family, _, given = (who.patient_name or "").partition(" ")
    tags: list[tuple[int, bytes]] = [
        (tag, _word(text))
        for tag, text in (
            (0, family), (1, given), (2, who.patient_id or ""), (16, device.institution), (18, device.station),
            (22, device.technician),
        )
        if text
    ]  # fmt: skip
    if who.age_years is not None:
        years = who.age_years
        tags.append(
            (4, struct.pack("<HB", round(years), 1) if years >= 2 else struct.pack("<HB", round(years * 12), 2))
        )
    if who.birth_date:
        year, month, day = (int(part) for part in who.birth_date.split("-"))
        tags.append((5, struct.pack("<HBB", year, month, day)))
    tags.append((8, bytes([{"M": 1, "F": 2}.get(who.sex or "", 0)])))
    texts = b"".join(_word(text) for text in ("", device.serial, device.software, "ecg-center", device.manufacturer))
    model = device.model.encode("ascii", "replace")[:5]
    machine = struct.pack("<HHHBB6sBBBBB16sB", 0, 0, 0, 0, 255, model, version, 0xA0, UTF8, 0xC0, 0, b"", 1)
    tags.append((14, machine + texts))
    if start:
        tags.append((25, struct.pack("<HBB", start.year, start.month, start.day)))
        tags.append((26, bytes([start.hour, start.minute, start.second])))
        offset = start.utcoffset()
        tags.append((34, struct.pack("<hH", round(offset.total_seconds() / 60) if offset else 0, 0)))
    if filters.highpass_hz:
        tags.append((27, struct.pack("<H", min(round(filters.highpass_hz * 100), 65_535))))
    if filters.lowpass_hz:
        tags.append((28, struct.pack("<H", min(round(filters.lowpass_hz), 65_535))))
    if filters.notch_hz in _NOTCH:
        tags.append((29, bytes([_NOTCH[filters.notch_hz]])))
    return b"".join(struct.pack("<BH", tag, len(value)) + value for tag, value in sorted(tags)) + b"\xff\0\0"


def _word(text: str) -> bytes:
    """A text in UTF-8 with its NUL, not longer than the standard allows and without half a character."""
    return text.encode()[: MAX_TEXT - 1].decode("utf-8", "ignore").encode() + b"\0"


def _section_3(kept: Held, n_samples: int) -> bytes:
    count = len(kept.leads)
    flags = 0x04 | (min(count, 31) << 3)
    body = b"".join(struct.pack("<IIB", 1, n_samples, _NUMBERS.get(lead, 0)) for lead in kept.leads)
    return bytes([count, flags]) + body


def _section_6(packed: list[bytes], nanovolts: int, sampling_hz: float) -> bytes:
    head = struct.pack("<HHBB", nanovolts, round(1e6 / sampling_hz), 2, 0)
    return head + b"".join(struct.pack("<H", len(lead)) for lead in packed) + b"".join(packed)


def _section_7(recording: Recording) -> bytes:
    """Rates and axes; limits of waves belong to a reference beat, which is not written."""
    said = recording.device_measurements

    def number(name: str) -> int:
        value = said.get(name)
        return round(value) if value is not None and 0 < value < UNKNOWN else UNKNOWN

    axes = [
        round(said[name]) if abs(said.get(name, 999)) <= 360 else 999
        for name in ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")
    ]
    block = struct.pack("<5H3h", *[UNKNOWN] * 5, *axes)
    rates = struct.pack("<HHH", number("heart_rate_bpm"), number("atrial_rate_bpm"), number("qtc_ms"))
    return struct.pack("<BBHH", 1, 0, number("rr_mean_ms"), UNKNOWN) + block + struct.pack("<H", 0) + rates + b"\0\0\0"


def _section_8(recording: Recording) -> bytes:
    start = recording.started_at
    when = (
        struct.pack("<HBBBBB", start.year, start.month, start.day, start.hour, start.minute, start.second)
        if start
        else bytes(7)
    )
    statements = [text.encode() + b"\0" for text in recording.device_statements[:MAX_STATEMENTS]]
    body = b"".join(struct.pack("<BH", place, len(text)) + text for place, text in enumerate(statements, 1))
    return b"\0" + when + bytes([len(statements)]) + body


def _section_12(recording: Recording, kept: Held, digital: NDArray[Any], nanovolts: int) -> bytes:
    rate = round(recording.sampling_hz)
    if rate != recording.sampling_hz:
        raise UnwritableRecording(
            f"{recording.sampling_hz:g} Hz do not fit SCP-ECG: neither they nor their microseconds are whole numbers"
        )
    narrow = np.iinfo(np.int16)
    width = 2 if digital.min() >= narrow.min and digital.max() <= narrow.max else 4
    start = recording.started_at
    when = (
        struct.pack("<HBBBBB", start.year, start.month, start.day, start.hour, start.minute, start.second)
        if start
        else bytes(7)
    )
    head = struct.pack("<IBIB", rate, len(kept.leads), recording.n_samples, width) + when
    step = nanovolts if recording.calibrated else 0
    leads = b"".join(struct.pack("<BHB", _NUMBERS.get(lead, 0), step, 0) for lead in kept.leads)
    return head.ljust(70, b"\0") + leads + np.ascontiguousarray(digital.T, f"<i{width}").tobytes()


def _record(sections: dict[int, bytes], version: int) -> bytes:
    """Section 0, the others in order, all lengths even, all checksums right."""
    numbers = range(max(12, max(sections) + 1))
    pointers_length = HEADER + POINTER * len(numbers)
    at = PREAMBLE + pointers_length
    pointers, bodies = [struct.pack("<HII", 0, pointers_length, PREAMBLE + 1)], []
    for number in numbers[1:]:
        body = sections.get(number, b"")
        body += b"\0" * (len(body) % 2)
        length = HEADER + len(body) if body else 0
        pointers.append(struct.pack("<HII", number, length, at + 1 if body else 0))
        if body:
            bodies.append(_section(number, body, version, bytes(6)))
            at += length
    whole = _section(0, b"".join(pointers), version, b"SCPECG") + b"".join(bodies)
    sized = struct.pack("<I", len(whole) + PREAMBLE) + whole
    return struct.pack("<H", crc(sized)) + sized


def _section(number: int, body: bytes, version: int, mark: bytes) -> bytes:
    rest = struct.pack("<HIBB6s", number, len(body) + HEADER, version, version, mark) + body
    return struct.pack("<H", crc(rest)) + rest
