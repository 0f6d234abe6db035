"""How are the samples of a Philips cardiograph packed? (XLI, by the public description in the Sierra ECG Tools wiki)

Each lead is a chunk: 4 bytes size, 2 bytes unknown (always 1), 2 bytes first delta code, then LZW with codes of ten
bits, most significant bit first, no clear code, the table frozen when full. Unpacked, the first half of the bytes holds
the high and the second half the low bytes of 16-bit words. The first two words are samples; from then on a word is the
second difference of the samples, shifted by one place, negated and offset by 64.

The wiki's loop over samples is a recurrence ``z[i] = 2 z[i-1] - z[i-2] - c[i]``, here summed twice. The limb leads III,
aVR, aVL and aVF hold the error of their prediction from I and II.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.errors import DamagedRecording, TooLargeRecording, TruncatedRecording

CODE_BITS: Final = 10
LAST_CODE: Final = (1 << CODE_BITS) - 2
"""1023 is never a string; it ends the chunk."""
DELTA_OFFSET: Final = 64
HEADER_BYTES: Final = 8
MAX_SAMPLES: Final = 1_200_000
"""Samples of one lead: ten minutes at 2000 Hz, where a cardiograph writes eleven seconds at 500 Hz."""

Words = NDArray[np.int64]


def unpack(data: bytes, n_leads: int) -> list[Words]:
    """The samples of the first ``n_leads`` chunks; fewer where there are fewer.

    Raises:
        TruncatedRecording: a chunk ends before its size.
        DamagedRecording: a code that the table does not hold yet, or samples beyond 16 bits.
        TooLargeRecording: a lead unpacks to more than a cardiograph records.
    """
    leads: list[Words] = []
    at = 0
    while at < len(data) and len(leads) < n_leads:
        header = data[at : at + HEADER_BYTES]
        size = int.from_bytes(header[:4], "little")
        chunk = data[at + HEADER_BYTES : at + HEADER_BYTES + size]
        if len(header) < HEADER_BYTES or len(chunk) < size:
            raise TruncatedRecording(f"the compressed samples of lead {len(leads) + 1} end too early; send them again")
        leads.append(_samples(_lzw(chunk), int.from_bytes(header[6:8], "little", signed=True)))
        at += HEADER_BYTES + size
    return leads


def restore_limb_leads(leads: dict[str, Words]) -> None:
    """Replace the stored prediction errors of III, aVR, aVL and aVF by the leads, in place.

    Halves are rounded down, as the readers that everybody compares with do (``sierraecg``, ``ecgdatakit``). The device
    itself seems to round toward zero: in files whose augmented leads are exact halves, the error of their half sum is
    then never above half a step, with rounding down up to one and a half. The difference is one step (5 µV) at most.
    """
    one, two = leads["I"], leads["II"]
    leads["III"] = two - one - leads["III"]
    leads["aVR"] = -leads["aVR"] - (one + two) // 2
    leads["aVL"] = (one - leads["III"]) // 2 - leads["aVL"]
    leads["aVF"] = (two + leads["III"]) // 2 - leads["aVF"]


def _lzw(chunk: bytes) -> bytes:
    bits = np.unpackbits(np.frombuffer(chunk, np.uint8))
    whole = bits[: bits.size // CODE_BITS * CODE_BITS].reshape(-1, CODE_BITS)
    codes: list[int] = (whole @ (1 << np.arange(CODE_BITS - 1, -1, -1))).tolist()
    table: list[bytes] = [bytes([byte]) for byte in range(256)]
    out: list[bytes] = []
    length = 0
    previous = b""
    for code in codes:
        if code > LAST_CODE:
            break
        if code < len(table):
            string = table[code]
        elif code == len(table) and previous:
            string = previous + previous[:1]
        else:
            raise DamagedRecording("the compressed samples use a code before it is defined; export the recording again")
        if previous and len(table) <= LAST_CODE:
            table.append(previous + string[:1])
        out.append(string)
        length += len(string)
        if length > 2 * MAX_SAMPLES:
            raise TooLargeRecording(
                f"a lead unpacks to more than {MAX_SAMPLES} samples, more than a cardiograph records"
            )
        previous = string
    return b"".join(out)


def _samples(unpacked: bytes, first: int) -> Words:
    """The samples of one lead from its words; ``first`` is the delta code of the third sample."""
    n = (len(unpacked) + 1) // 2
    halves = np.frombuffer(unpacked.ljust(2 * n, b"\0"), np.uint8).astype(np.uint16).reshape(2, n)
    words: Words = ((halves[0] << 8) | halves[1]).view(np.int16).astype(np.int64)
    if n <= 2:
        return words
    codes = np.concatenate([[first], words[2:-1] - DELTA_OFFSET])
    slopes = (words[1] - words[0]) - np.cumsum(codes)
    samples: Words = np.concatenate([words[:2], words[1] + np.cumsum(slopes)])
    if samples.min() < -32768 or samples.max() > 32767:
        raise DamagedRecording("the compressed samples unpack beyond 16 bits; export the recording again")
    return samples
