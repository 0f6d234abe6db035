"""How does a file grow from segments that come twice, overlap, or come in the wrong order?"""


class SegmentBuffer:
    """Decides which bytes may be appended now; keeps a bounded amount of those that came too early.

    Pure but for its own memory: no file, no clock.

    >>> buffer = SegmentBuffer(size=6, limit=100)
    >>> buffer.add(3, b"def"), buffer.add(0, b"abc")
    (b'', b'abcdef')
    """

    def __init__(self, size: int, limit: int, next_offset: int = 0) -> None:
        self.size = size
        self.next_offset = next_offset
        """Every byte before it has been handed out for appending."""
        self._limit = limit
        self._early: dict[int, bytes] = {}
        self._early_bytes = 0

    @property
    def complete(self) -> bool:
        """Whether all bytes have been handed out."""
        return self.next_offset == self.size

    @property
    def gap(self) -> bool:
        """Whether later bytes wait for earlier ones."""
        return bool(self._early)

    def add(self, offset: int, data: bytes) -> bytes:
        """The bytes that follow ``next_offset`` now, perhaps none.

        Raises:
            ValueError: the segment reaches beyond the end of the file.
        """
        if offset + len(data) > self.size:
            raise ValueError(f"segment {offset}+{len(data)} reaches beyond the file's {self.size} bytes")
        if offset > self.next_offset:
            self._keep(offset, data)
            return b""
        ready = bytearray(data[self.next_offset - offset :])
        self.next_offset += len(ready)
        while (early := self._take()) is not None:
            ready += early
            self.next_offset += len(early)
        return bytes(ready)

    def _keep(self, offset: int, data: bytes) -> None:
        known = len(self._early.get(offset, b""))
        if len(data) <= known or self._early_bytes + len(data) - known > self._limit:
            return  # already here, or no room: the device is told to send it again
        self._early[offset] = data
        self._early_bytes += len(data) - known

    def _take(self) -> bytes | None:
        """The next bytes out of those that came early, if they are there."""
        for offset in sorted(self._early):
            if offset > self.next_offset:
                return None
            data = self._early.pop(offset)
            self._early_bytes -= len(data)
            if (fresh := data[self.next_offset - offset :]) != b"":
                return fresh
        return None
