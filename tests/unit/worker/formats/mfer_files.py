"""Writes MFER files as the standard says, for the tests of the reader."""

import struct


def tlv(tag, value=b"", channel=None):
    head = bytes([tag]) if channel is None else bytes([0x3F]) + bytes([channel])
    size = len(value)
    if size < 0x80:
        return head + bytes([size]) + value
    return head + b"\x84" + size.to_bytes(4, "big") + value


class Mfer:
    """Collects definitions; ``big`` is the byte order of every number after :meth:`order`."""

    def __init__(self, preamble=True, big=False):
        self.big = big
        self.out = tlv(0x40, b"MFR Standard 12 leads ECG".ljust(32)) if preamble else b""
        self.out += tlv(0x01, b"\0" if big else b"\1")

    def number(self, value, size, signed=False):
        return int(value).to_bytes(size, "big" if self.big else "little", signed=signed)

    def add(self, tag, value=b""):
        self.out += tlv(tag, value)
        return self

    def count(self, tag, value, size=4):
        return self.add(tag, self.number(value, size))

    def layout(self, channels, block, sequences):
        return self.count(0x05, channels, 2).count(0x04, block).count(0x06, sequences)

    def rate(self, mantissa=2, exponent=-3, unit=1):
        return self.add(0x0B, bytes([unit]) + struct.pack("b", exponent) + self.number(mantissa, 2))

    def step(self, mantissa=25, exponent=-7, unit=0):
        return self.add(0x0C, bytes([unit]) + struct.pack("b", exponent) + self.number(mantissa, 2))

    def leads(self, codes):
        for place, code in enumerate(codes):
            self.out += tlv(0x3F, tlv(0x09, self.number(code, 2)), channel=place)
        return self

    def channel(self, place, *definitions):
        self.out += tlv(0x3F, b"".join(tlv(tag, value) for tag, value in definitions), channel=place)
        return self

    def samples(self, rows, block, kind="i2"):
        """(n_channels, n_samples): sequence after sequence, in each every channel's block."""
        order = ">" if self.big else "<"
        n = rows.shape[1] // block
        frames = rows.reshape(rows.shape[0], n, block).transpose(1, 0, 2)
        return self.add(0x1E, frames.astype(f"{order}{kind}").tobytes())

    def bytes(self):
        return self.out + b"\x80\x00"


TWELVE = (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)


def resting(rows, big=False, preamble=True, block=None, about=True):
    """A standard 12-lead ECG of these samples at 500 Hz and 2.5 µV."""
    block = block or rows.shape[1]
    file = Mfer(preamble, big)
    if about:
        file.add(0x03, b"UTF-8\0").add(0x17, b"Fukuda Denshi^FX-8322^1.02^SN42")
        file.add(0x82, b"P-17").add(0x81, "王^^小明^".encode()).add(0x84, b"\2")
        file.add(0x83, bytes([54]) + file.number(0, 2) + file.number(1970, 2) + b"\x05\x06")
        file.add(0x85, file.number(2024, 2) + bytes([3, 1, 9, 30, 15]) + file.number(250, 2) + file.number(0, 2))
        file.add(0x11, b"HPF=0.05").add(0x11, b"LPF=150").add(0x11, b"BEF=50^Hum filter")
        file.add(0x41, file.number(1, 2) + file.number(500, 4) + file.number(250, 4) + b"AF")
    file.count(0x08, 1, 2).rate().step().layout(len(rows), block, rows.shape[1] // block)
    return file.leads(TWELVE[: len(rows)]).samples(rows, block).bytes()
