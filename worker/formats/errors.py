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


class UnreadableRecording(Exception):  # noqa: N818 - reads as what it says, like the family below
    """The bytes could not be turned into a recording.

    Attributes:
        reason: a short stable name of the reason, for the quarantine list and for counting.
    """

    reason = "unreadable"


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
