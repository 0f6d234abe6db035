"""Blood pressure readings in a vendor's XML: read with a map that an operator declares (:class:`PressureMap`)

``reading`` names the element that is one reading; each part of it is a child element's text or, behind ``@``, an
attribute.
``patient_id``, ``patient_name``, ``sex`` and ``birth_date`` are also looked for once in the whole file.
"""

from collections.abc import Mapping
from typing import Final

from worker.formats import xml_reader
from worker.formats.column_maps import ColumnMapError
from worker.formats.errors import NoWaveform, TooLargeRecording
from worker.formats.pressure_columns import PressureMap, made
from worker.formats.xml_reader import Element
from worker.pressure_readings import MAX_READINGS, BloodPressureSeries
from worker.recording import Device

NAME: Final = "pressure-xml"
_OF_THE_PATIENT: Final = ("patient_id", "patient_name", "sex", "birth_date")


def read_mapped(data: bytes, shape: PressureMap) -> BloodPressureSeries:
    """The readings that the map finds.

    Raises:
        UnreadableRecording: one of its family.
        ColumnMapError: the map contradicts itself or names no element.
    """
    shape.check()
    if not shape.reading:
        raise ColumnMapError("the column map of an XML export names in 'reading' the element that is one reading")
    document = xml_reader.parse(data)
    rows: list[Mapping[str, str]] = []
    for element in document.root.iter(shape.reading):
        if len(rows) >= MAX_READINGS:
            raise TooLargeRecording(f"more than {MAX_READINGS} readings are more than any recorder takes")
        rows.append({what: _cell(element, name) for what, name in shape.columns.items()})
    if not rows:
        raise NoWaveform(f"the XML holds no element {shape.reading[:40]!r} that the column map names as a reading")
    first = dict(rows[0])
    for what in _OF_THE_PATIENT:
        if what in shape.columns and not first.get(what):
            first[what] = _anywhere(document.root, shape.columns[what])
    rows[0] = first
    return made(NAME, rows, shape, 1, document.warnings, Device())


def _cell(element: Element, name: str) -> str:
    if name.startswith("@"):
        return element.get(name[1:])
    found = element.first(name)
    return found.text.strip() if found is not None and found is not element else ""


def _anywhere(root: Element, name: str) -> str:
    if name.startswith("@"):
        return next((value for one in root.iter() if (value := one.get(name[1:]))), "")
    found = root.first(name)
    return found.text.strip() if found is not None else ""
