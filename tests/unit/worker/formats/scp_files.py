"""Writes SCP-ECG records bit by bit as the standard says, for the tests of the reader.

Independent of worker.formats.write.scp: codes are looked up in tables of strings, checksums are computed bit by bit.
"""

import struct

import numpy as np

NUMBERS = {"I": 1, "II": 2, "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8, "III": 61, "aVR": 62, "aVF": 64}


def crc_ccitt(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1) ^ 0x1021 if value & 0x8000 else value << 1
        value &= 0xFFFF
    return value


def section(number, body, version=20, reserved=bytes(6)):
    body += b"\0" * (len(body) % 2)
    rest = struct.pack("<HIBB", number, len(body) + 16, version, version) + reserved + body
    return struct.pack("<H", crc_ccitt(rest)) + rest


def record(bodies, version=20, n_pointers=12, first=1):
    """The record of these section bodies; ``first`` is what positions count from."""
    numbers = list(range(1, n_pointers)) + sorted(number for number in bodies if number >= n_pointers)
    at = 6 + 16 + 10 * (len(numbers) + 1)
    pointers = struct.pack("<HII", 0, at - 6, 7)
    parts = []
    for number in numbers:
        part = section(number, bodies[number], version) if number in bodies else b""
        pointers += struct.pack("<HII", number, len(part), at + first if part else 0)
        parts.append(part)
        at += len(part)
    whole = section(0, pointers, version, b"SCPECG") + b"".join(parts)
    sized = struct.pack("<I", len(whole) + 6) + whole
    return struct.pack("<H", crc_ccitt(sized)) + sized


def tag(number, value):
    return struct.pack("<BH", number, len(value)) + value


def header(version=20, language=0, extra=b""):
    machine = struct.pack("<HHHBB6sBBBBB16sB", 0, 0, 0, 0, 9, b"ECG9", version, 0xA0, language, 0xC0, 1, b"", 1)
    return (
        tag(0, b"Doe\0") + tag(1, b"Jane\0") + tag(2, b"P-1\0") + tag(4, struct.pack("<HB", 61, 1))
        + tag(5, struct.pack("<HBB", 1963, 2, 28)) + tag(8, b"\2") + tag(14, machine + b"\0SER1\0SW2\0impl\0Acme\0")
        + tag(22, b"Tech\0") + tag(25, struct.pack("<HBB", 2024, 5, 6)) + tag(26, bytes([7, 8, 9]))
        + tag(27, struct.pack("<H", 5)) + tag(28, struct.pack("<H", 150)) + tag(29, b"\2")
        + tag(34, struct.pack("<hH", 480, 0)) + extra + b"\xff\0\0"
    )  # fmt: skip


def leads(names, n_samples, start=1, flags=0):
    count = len(names)
    body = bytes([count, flags | 0x04 | min(count, 31) << 3])
    return body + b"".join(struct.pack("<IIB", start, start + n_samples - 1, NUMBERS.get(name, 0)) for name in names)


DEFAULT = {0: "0"}
for _size in range(1, 9):
    DEFAULT[_size] = "1" * _size + "00"
    DEFAULT[-_size] = "1" * _size + "01"


def default_bits(values):
    out = []
    for value in values:
        if value in DEFAULT:
            out.append(DEFAULT[value])
        elif -128 <= value < 128:
            out.append("1111111110" + format(value & 0xFF, "08b"))
        else:
            out.append("1111111111" + format(value & 0xFFFF, "016b"))
    return "".join(out)


def differences(values, order):
    values = np.asarray(values, np.int64)
    out = values.copy()
    if order == 1:
        out[1:] = values[1:] - values[:-1]
    elif order == 2:
        out[2:] = values[2:] - 2 * values[1:-1] + values[:-2]
    return ((out + 0x8000) % 0x10000 - 0x8000).tolist()


def packed(bits):
    n_bytes = -(-len(bits) // 8)
    n_bytes += n_bytes % 2
    return int(bits.ljust(n_bytes * 8, "0") or "0", 2).to_bytes(n_bytes, "big")


def data(rows, order=2, avm=2500, interval=2000, flag=0, encode=default_bits):
    """Section 5 or 6; ``encode`` None stores 16-bit integers."""
    if encode is None:
        parts = [np.array(differences(row, order), "<i2").tobytes() for row in rows]
    else:
        parts = [packed(encode(differences(row, order))) for row in rows]
    head = struct.pack("<HHBB", avm, interval, order, flag)
    return head + b"".join(struct.pack("<H", len(part)) for part in parts) + b"".join(parts)


def table(codes, reverse=True):
    """(bits of the prefix as text, bits that follow, mode, value) → a table of section 2."""
    out = struct.pack("<H", len(codes))
    for prefix, extra, mode, value in codes:
        word = prefix[::-1] if reverse else prefix
        out += struct.pack("<BBBhI", len(prefix), len(prefix) + extra, mode, value, int(word, 2))
    return out


def beats(length_ms, fiducial, zones, protected=()):
    """Section 4: zones of (type, first, fiducial, last), areas of (first, last)."""
    body = struct.pack("<HHH", length_ms, fiducial, len(zones))
    body += b"".join(struct.pack("<HIII", *zone) for zone in zones)
    return body + b"".join(struct.pack("<II", *area) for area in protected)


def simple(rows, names, order=2, version=20, **more):
    """A record with the default table."""
    bodies = {1: header(version), 2: struct.pack("<H", 19999), 3: leads(names, len(rows[0])), 6: data(rows, order)}
    return record(bodies | more.get("bodies", {}), version)
