"""Why could a file not be read?

::

    UnreadableRecording
      ├── UnknownFormat            the bytes are of no format that we know
      ├── DamagedRecording         the format is known, the bytes contradict it
      │     └── TruncatedRecording     the file ends before its content does
      ├── UnsupportedRecording     sound, but written in a way that we do not read
      ├── NoWaveform               sound, but there is no ECG in it
      └── TooLargeRecording        more than the limits allow

Every message says in plain words what is wrong and what a person can do.
"""

from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")
MAX_MESSAGE: Final = 600
"""Characters; what a file says of itself may be as long as the file."""


class UnreadableRecording(Exception):  # noqa: N818 - reads as what it says, like the family below
    """The bytes could not be turned into a recording.

    Attributes:
        reason: a short stable name of the reason, for the quarantine list and for counting.
    """

    reason = "unreadable"

    def __init__(self, message: str) -> None:
        super().__init__(message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…")


class UnknownFormat(UnreadableRecording):
    """None of the known formats: the device may be set to export a picture or PDF."""

    reason = "unknown-format"


class DamagedRecording(UnreadableRecording):
    """The bytes contradict the format's own rules."""

    reason = "damaged"


class TruncatedRecording(DamagedRecording):
    """The file ends before its content does: the transfer was cut."""

    reason = "truncated"


class UnsupportedRecording(UnreadableRecording):
    """The file is sound but uses a way of writing that is not read here."""

    reason = "unsupported"


class NoWaveform(UnreadableRecording):
    """The file is sound but holds no ECG."""

    reason = "no-waveform"


class TooLargeRecording(UnreadableRecording):
    """The file claims or holds more than the limits allow."""

    reason = "too-large"


def guarded(name: str, read: Callable[[], T]) -> T:
    """What this reader reads; whatever else it fails with, hostile bytes made it fail.

    Args:
        name: the format, for the message.
        read: the reader with its bytes.

    Raises:
        UnreadableRecording: one of its family, and nothing else.
    """
    try:
        return read()
    except UnreadableRecording:
        raise
    except MemoryError:
        raise TooLargeRecording("the file asks for more memory than there is") from None
    except Exception as error:
        raise DamagedRecording(
            f"the {name} file contradicts itself ({type(error).__name__}: {str(error)[:200]}); ask for another"
        ) from error
