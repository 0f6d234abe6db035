"""How are the samples of a WFDB signal file stored? (WFDB Applications Guide, signal(5), formats 8 to 524)

Every format that the wfdb package reads, which is the oracle of the tests; packed formats by numpy over the whole file.
"""

import io
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.binary import int24, room
from worker.formats.errors import DamagedRecording, TooLargeRecording, UnsupportedRecording
from worker.mapped import BLOCK_SAMPLES, Buffer, ViewFile, forget

Integers = NDArray[np.int16] | NDArray[np.int32]

MAX_FLAC_SAMPLES: Final = 1 << 30
MAX_EXPANSION: Final = 512
"""FLAC stores silence in next to nothing: 4096 samples, a block as libsndfile and flac write it, in 14 bytes. Beyond
this many samples a byte the header of the file is wrong."""

MISSING: Final = {
    80: -(2**7), 508: -(2**7), 310: -(2**9), 311: -(2**9), 212: -(2**11), 16: -(2**15), 61: -(2**15), 160: -(2**15),
    516: -(2**15), 24: -(2**23), 524: -(2**23), 32: -(2**31),
}  # fmt: skip
"""The value that stands for "not measured", by storage format; format 8 has none."""
FLAC: Final = frozenset({508, 516, 524})
FLAC_CHUNK: Final = 1 << 20
"""libsndfile fails above 2^24 samples in one call (its issue 431)."""
_FLAC_BITS: Final = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}


def samples(raw: Buffer, storage: int, offset: int, limit: int | None) -> Integers:
    """The samples of an uncompressed file in the order in which they stand, at most ``limit`` of them.

    Differences (format 8) are left for the caller to sum, signal by signal.

    Raises:
        UnsupportedRecording: a format that is not defined.
    """
    reader = _READERS.get(storage)
    if reader is None:
        raise UnsupportedRecording(f"WFDB storage format {storage} is not defined")
    return reader(memoryview(raw)[offset:], limit)


def _whole(kind: str) -> Callable[[memoryview, int | None], Integers]:
    width = np.dtype(kind).itemsize
    wide = np.int32 if width == 4 else np.int16

    def read(raw: memoryview, limit: int | None) -> Integers:
        count = len(raw) // width if limit is None else min(len(raw) // width, limit)
        found: Any = np.frombuffer(raw, kind, count)
        return found.astype(wide, copy=False)  # type: ignore[no-any-return]

    return read


def _offset_binary(kind: str, middle: int) -> Callable[[memoryview, int | None], Integers]:
    width = np.dtype(kind).itemsize

    def read(raw: memoryview, limit: int | None) -> Integers:
        count = len(raw) // width if limit is None else min(len(raw) // width, limit)
        return (np.frombuffer(raw, kind, count).astype(np.int32) - middle).astype(np.int16)

    return read


def _three_bytes(raw: memoryview, limit: int | None) -> Integers:
    count = len(raw) // 3 if limit is None else min(len(raw) // 3, limit)
    return int24(np.frombuffer(raw, np.uint8, count * 3).reshape(count, 3))


def _format_212(raw: memoryview, limit: int | None) -> Integers:
    """Two samples of 12 bits in three bytes; a last one alone takes two."""
    pairs, rest = divmod(len(raw), 3)
    trio = np.frombuffer(raw, np.uint8, pairs * 3).reshape(pairs, 3)
    out: Any = room((1, 2 * pairs + (rest == 2)), np.int16)[0]
    both = out[: 2 * pairs].reshape(pairs, 2)
    for at in range(0, pairs, BLOCK_SAMPLES):
        _unpack_212(trio[at : at + BLOCK_SAMPLES], both[at : at + BLOCK_SAMPLES])
        forget(trio[at : at + BLOCK_SAMPLES])
        forget(both[at : at + BLOCK_SAMPLES])
    if rest == 2:
        value = raw[pairs * 3] | (raw[pairs * 3 + 1] & 0x0F) << 8
        out[-1] = value - (value >> 11 << 12)
    return out if limit is None else out[:limit]  # type: ignore[no-any-return]


def _unpack_212(trio: NDArray[np.uint8], both: NDArray[np.int16]) -> None:
    middle = trio[:, 1].astype(np.int16)
    np.left_shift(middle & 0x0F, 12, out=both[:, 0])
    both[:, 0] |= trio[:, 0].astype(np.int16) << 4
    np.left_shift(middle & 0xF0, 8, out=both[:, 1])
    both[:, 1] |= trio[:, 2].astype(np.int16) << 4
    both >>= 4


def _format_310(raw: memoryview, limit: int | None) -> Integers:
    """Three samples of 10 bits in two 16-bit words: bits 1 to 10 of each, and bits 11 to 15 of both."""
    count = len(raw) // 4
    rest = np.frombuffer(bytes(raw[count * 4 :]).ljust(4, b"\0"), "<u2").reshape(1, 2)
    out: Any = room((count + 1, 3), np.int16)
    words = np.frombuffer(raw, "<u2", count * 2).reshape(count, 2)
    for at in range(0, count, BLOCK_SAMPLES):
        _unpack_310(words[at : at + BLOCK_SAMPLES], out[at : min(at + BLOCK_SAMPLES, count)])
    _unpack_310(rest, out[count:])
    return _flat(out, 3 * count + (len(raw) - 4 * count) // 2, limit)


def _unpack_310(words: NDArray[np.uint16], out: NDArray[np.int16]) -> None:
    first, second = words[:, 0].astype(np.int16), words[:, 1].astype(np.int16)
    out[:, 0], out[:, 1] = first >> 1, second >> 1
    out[:, 2] = (first >> 11 & 0x1F) | second >> 11 << 5
    out <<= 6
    out >>= 6


def _format_311(raw: memoryview, limit: int | None) -> Integers:
    """Three samples of 10 bits in the lower 30 bits of a 32-bit word."""
    count = len(raw) // 4
    rest = np.frombuffer(bytes(raw[count * 4 :]).ljust(4, b"\0"), "<u4")
    out: Any = room((count + 1, 3), np.int16)
    words = np.frombuffer(raw, "<u4", count)
    for at in range(0, count, BLOCK_SAMPLES):
        _unpack_311(words[at : at + BLOCK_SAMPLES], out[at : min(at + BLOCK_SAMPLES, count)])
    _unpack_311(rest, out[count:])
    return _flat(out, 3 * count + (len(raw) % 4 * 8) // 10, limit)


def _unpack_311(words: NDArray[np.uint32], out: NDArray[np.int16]) -> None:
    for place in range(3):
        out[:, place] = words >> (10 * place) & 0x3FF
    out <<= 6
    out >>= 6


def _flat(out: NDArray[np.int16], count: int, limit: int | None) -> Integers:
    return out.reshape(-1)[: count if limit is None else min(count, limit)]


def flac(raw: Buffer, storage: int, n_channels: int) -> Integers:
    """(n_samples, n_channels) of a compressed file, whose stream may be narrower than the format says.

    Raises:
        DamagedRecording: no such stream, or one that is cut.
        TooLargeRecording: a stream that claims more than its bytes can hold.
    """
    import soundfile  # noqa: PLC0415 - libsndfile is loaded only where a record is compressed

    if raw[:4] != b"fLaC":
        raise DamagedRecording("a signal file that the header calls compressed is no FLAC; send the record again")
    try:
        with soundfile.SoundFile(io.BufferedReader(ViewFile(raw))) as stream:
            bits = _FLAC_BITS.get(stream.subtype, 99)
            if stream.format != "FLAC" or bits > storage - 500 or stream.channels != n_channels:
                raise DamagedRecording(
                    f"a compressed signal file is {stream.format} {stream.subtype} of {stream.channels} channels, "
                    f"not FLAC of {n_channels} with {storage - 500} bits"
                )
            frames = stream.frames
            if frames * n_channels > min(MAX_FLAC_SAMPLES, len(raw) * MAX_EXPANSION):
                raise TooLargeRecording(f"a compressed signal file claims {frames} samples a signal")
            kind = "int16" if bits <= 16 else "int32"
            out = room((frames, n_channels), kind)
            at = 0
            while at < frames:
                got = len(stream.read(dtype=kind, always_2d=True, out=out[at : at + FLAC_CHUNK]))
                if got == 0:
                    break
                at += got
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise DamagedRecording(f"a compressed signal file is cut or damaged ({str(error)[:100]})") from None
    shift = out.dtype.itemsize * 8 - bits
    if shift:
        out >>= shift
    return out[:at]


_READERS: Final[dict[int, Callable[[memoryview, int | None], Integers]]] = {
    8: _whole("<i1"),
    16: _whole("<i2"),
    24: _three_bytes,
    32: _whole("<i4"),
    61: _whole(">i2"),
    80: _offset_binary("<u1", 128),
    160: _offset_binary("<u2", 32768),
    212: _format_212,
    310: _format_310,
    311: _format_311,
}
