"""Why could a recording not be written?"""


class UnwritableRecording(Exception):  # noqa: N818 - reads as what it says, as the readers' errors do
    """The format cannot hold this recording; the message says what would have been lost."""
