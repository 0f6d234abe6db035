"""What does a file hold: an ECG, or blood pressure readings? For whoever has a file and does not know.

An ECG is looked for first; a combined recorder's readings are in its recording's diary (:func:`from_annotations`).
"""

from pathlib import Path
from typing import Final

from worker.formats import column_maps, csv_text, matlab5, pressure, pressure_csv, pressure_xml, read
from worker.formats.csv_columns import ColumnMap
from worker.formats.errors import TooLargeRecording, UnknownFormat, UnsupportedRecording, guarded
from worker.formats.pressure_columns import PressureMap
from worker.pressure_readings import BloodPressureSeries
from worker.recording import Recording

Series = tuple[BloodPressureSeries, ...]
"""One of each patient or visit."""
MAX_NAMED: Final = 20


def read_anything(data: bytes | Path, patient: str = "") -> Recording | Series:
    """The recording or the blood pressure readings in these bytes, or in the file at this path.

    Args:
        data: the bytes, or where they are.
        patient: whose readings alone, where a table holds those of several patients.

    Raises:
        UnreadableRecording: one of its family, and nothing else, whatever the bytes are.
        OSError: the file at the path cannot be read.
    """
    try:
        return read(data)
    except UnknownFormat as error:
        content = _content(data)
        reader = pressure.recognise(content)
        if reader is None:
            raise error from None
    if reader is pressure_csv:
        return _of(patient, guarded(reader.NAME, lambda: pressure_csv.read_all(content)))
    return _of(patient, (pressure.read(content),))


def read_declared(data: bytes | Path, toml: str, patient: str = "") -> Recording | Series:
    """The same of a vendor's table or XML that a column map declares.

    Raises:
        ColumnMapError: the map contradicts itself.
        UnreadableRecording, OSError: as :func:`read_anything`.
    """
    content = _content(data)
    if not column_maps.declares_pressure(toml):
        leads = ColumnMap.parse(toml)
        if matlab5.recognises(content):
            return guarded(matlab5.NAME, lambda: matlab5.read_mapped(content, leads))
        return guarded(csv_text.NAME, lambda: csv_text.read_mapped(content, leads))
    shape = PressureMap.parse(toml)
    if shape.reading:
        return _of(patient, (guarded(pressure_xml.NAME, lambda: pressure_xml.read_mapped(content, shape)),))
    return _of(patient, guarded(pressure_csv.NAME, lambda: pressure_csv.read_all(content, shape)))


def _content(data: bytes | Path) -> bytes:
    if isinstance(data, bytes):
        return data
    if data.stat().st_size > pressure.MAX_FILE_BYTES:
        raise TooLargeRecording(f"the file is larger than {pressure.MAX_FILE_BYTES // 1024**2} MB, too large for text")
    return data.read_bytes()


def _of(patient: str, found: Series) -> Series:
    """The series of this patient; all where none is asked for."""
    wanted = tuple(one for one in found if not patient or one.identity.patient_id == patient)
    if not wanted:
        who = ", ".join(repr(one.identity.patient_id) for one in found[:MAX_NAMED])
        raise UnsupportedRecording(f"the file holds no readings of {patient[:64]!r}, only of {who}")
    return wanted
