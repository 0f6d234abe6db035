"""Of which format are these blood pressure readings, and what are they?

The register beside :data:`worker.formats.FORMATS`.

One file a format, as for recordings: ``NAME``, ``recognises(data)`` and ``read(data)``, which gives a
:class:`worker.pressure_readings.BloodPressureSeries`.
"""

from pathlib import Path
from types import ModuleType
from typing import Final

from worker.formats import pressure_csv, pressure_fhir, pressure_hl7, pressure_json
from worker.formats.errors import TooLargeRecording, UnknownFormat, guarded
from worker.pressure_readings import BloodPressureSeries

FORMATS: Final[tuple[ModuleType, ...]] = (
    pressure_json,
    pressure_fhir,
    pressure_hl7,
    pressure_csv,
)
"""Asked in this order; the most certain signature first."""
MAX_FILE_BYTES: Final = 128 * 1024**2


def recognise(data: bytes) -> ModuleType | None:
    """The reader for these bytes, or None where they are no blood pressure readings."""
    return next((reader for reader in FORMATS if reader.recognises(data)), None)


def read(data: bytes | Path) -> BloodPressureSeries:
    """The readings in these bytes, or in the file at this path.

    Raises:
        UnreadableRecording: one of its family; no other error leaves this function, whatever the bytes are.
        OSError: the file at the path cannot be read.
    """
    if isinstance(data, Path):
        if data.stat().st_size > MAX_FILE_BYTES:
            raise TooLargeRecording(f"the file is larger than {MAX_FILE_BYTES // 1024**2} MB, more than readings need")
        data = data.read_bytes()
    reader = recognise(data)
    if reader is None:
        known = ", ".join(one.NAME for one in FORMATS)
        raise UnknownFormat(f"the file holds blood pressure readings of no format read here ({known})")
    series: BloodPressureSeries = guarded(reader.NAME, lambda: reader.read(data))
    return series
