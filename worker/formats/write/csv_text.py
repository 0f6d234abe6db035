"""``ecg-csv 1``: a table that says what it holds (docs/formats.md).

The samples are the device's own integers, so that nothing is lost; step and zero are declared, for all leads or each.
"""

import io
from typing import Final

from worker.formats.write.common import file_name, measured_rows
from worker.recording import Recording

NAME: Final = "csv"
ROWS_AT_ONCE: Final = 100_000


def write(recording: Recording, name: str) -> dict[str, bytes]:
    """The recording as one table, by file name."""
    rows = measured_rows(recording)
    who, device, filters = recording.identity, recording.device, recording.filters
    said = {
        "sampling_hz": repr(recording.sampling_hz),
        "unit": "lsb",
        "uv_per_lsb": _listed(recording.uv_per_lsb[rows].tolist()),
        "baseline": _listed(recording.baseline[rows].tolist()),
        "started_at": recording.started_at.isoformat() if recording.started_at else None,
        "accession_number": who.accession_number,
        "patient_id": who.patient_id,
        "patient_name": who.patient_name,
        "sex": who.sex,
        "birth_date": who.birth_date,
        "manufacturer": device.manufacturer,
        "model": device.model,
        "serial": device.serial,
        "software": device.software,
        "station": device.station,
        "institution": device.institution,
        "technician": device.technician,
        "highpass_hz": filters.highpass_hz,
        "lowpass_hz": filters.lowpass_hz,
        "notch_hz": filters.notch_hz,
    }
    out = io.BytesIO()
    out.write(b"# ecg-csv 1\n")
    for key, value in said.items():
        if value not in (None, ""):
            out.write(f"# {key}: {' '.join(str(value).split())}\n".encode())
    out.write((",".join(recording.leads[row].replace(",", " ") for row in rows) + "\n").encode())
    for start in range(0, recording.n_samples, ROWS_AT_ONCE):
        lines = recording.digital[rows, start : start + ROWS_AT_ONCE].T.tolist()
        out.write(("\n".join([",".join(map(str, line)) for line in lines]) + "\n").encode())
    return {f"{file_name(name)}.csv": out.getvalue()}


def _listed(values: list[float]) -> str:
    """The one number that all leads share, or each lead's own."""
    return " ".join(map(repr, values[:1] if len(set(values)) == 1 else values))
