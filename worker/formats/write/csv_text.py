"""``ecg-csv 1``: a table that says what it holds (docs/formats.md).

Leads of one step are written as the device's own integers; of several, in microvolts to a ten-thousandth.
"""

import io
from typing import Final

import numpy as np

from worker.formats.write.common import file_name, held
from worker.recording import Recording

NAME: Final = "csv"
DECIMALS: Final = 4
ROWS_AT_ONCE: Final = 100_000


def write(recording: Recording, name: str) -> dict[str, bytes]:
    """The recording as one table, by file name."""
    kept = held(recording)
    same = len(set(kept.uv_per_lsb.tolist())) == 1 and len(set(kept.baseline.tolist())) == 1
    who, device, filters = recording.identity, recording.device, recording.filters
    said = {
        "sampling_hz": repr(recording.sampling_hz),
        "unit": "lsb" if same else "uV",
        "uv_per_lsb": repr(float(kept.uv_per_lsb[0])) if same else None,
        "baseline": str(int(kept.baseline[0])) if same else None,
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
    out.write((",".join(lead.replace(",", " ") for lead in kept.leads) + "\n").encode())
    if same:
        for start in range(0, recording.n_samples, ROWS_AT_ONCE):
            rows = kept.digital[:, start : start + ROWS_AT_ONCE].T.tolist()
            out.write(("\n".join([",".join(map(str, row)) for row in rows]) + "\n").encode())
    else:
        microvolts = (kept.digital - kept.baseline[:, None]) * kept.uv_per_lsb[:, None]
        np.savetxt(out, microvolts.T, fmt=f"%.{DECIMALS}f", delimiter=",")
    return {f"{file_name(name)}.csv": out.getvalue()}
