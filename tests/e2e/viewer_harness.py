"""A small centre that serves the real pages' frame and one real recording, for looking at the viewer in a browser."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pydicom
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from pydicom.data import get_testdata_file

from ecg_center.domain.authority import Grant, Principal, Role
from ecg_center.domain.errors import Refused
from ecg_center.web.errors import error_page
from ecg_center.web.rendering import environment, language_of, page_context
from ecg_center.web.wiring import add_pages

TEMPLATES = Path(__file__).parent / "harness"
LEAD_NAMES = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]


PERSON = Principal(
    person_id=UUID(int=1),
    login="li",
    name="李医生",
    title="主治医师",
    institution_id=UUID(int=2),
    institution_code="H",
    institution_name="示例县人民医院",
    at_centre=True,
    grants=(Grant(Role.REPORTING), Grant(Role.REVIEWING)),
)


def dicom_recording() -> tuple[dict[str, Any], bytes]:
    """pydicom's own 12-lead, 10 s at 1000 Hz."""
    group = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm")).WaveformSequence[0]
    samples = np.frombuffer(group.WaveformData, dtype="<i2").reshape(-1, group.NumberOfWaveformChannels)
    leads = [
        {"name": name, "uv_per_lsb": 1.25, "baseline": 0, "derived": name in ("III", "aVR", "aVL", "aVF")}
        for name in LEAD_NAMES
    ]
    header = {
        "version": 1,
        "sampling_hz": 1000,
        "n_samples": samples.shape[0],
        "leads": leads,
        "filters": ["0.05–150 Hz"],
        "started_at": "2026-07-13T06:05:00Z",
        "demo": True,
    }
    return header, samples.T.astype("<i2").tobytes()


def resampled(header: dict[str, Any], data: bytes, step: int) -> tuple[dict[str, Any], bytes]:
    samples = np.frombuffer(data, dtype="<i2").reshape(12, -1)[:, ::step]
    return header | {"sampling_hz": header["sampling_hz"] / step, "n_samples": samples.shape[1]}, samples.tobytes()


def recordings() -> dict[str, tuple[dict[str, Any], bytes]]:
    """The recordings that the harness serves, by name."""
    header, data = dicom_recording()
    half_header, half = resampled(header, data, 2)
    square = np.zeros((12, 5000), dtype="<i2")
    square[:, 1000:1500] = 1000
    broken = np.frombuffer(half, dtype="<i2").reshape(12, -1).copy()
    broken[6] = 0
    broken[7, 1500:2600] = -32768
    spike = np.frombuffer(half, dtype="<i2").reshape(12, -1).copy()
    spike[:] = 0
    spike[:, ::7] = 3  # not a flat line, which would be no signal
    spike[0, 2000] = 800  # one sample of 1 mV
    eleven = half_header | {"leads": half_header["leads"][:11]}
    flat_leads = [{"name": name, "uv_per_lsb": 1.0, "baseline": 0} for name in LEAD_NAMES]
    return {
        "dicom": (header, data),
        "500hz": (half_header, half),
        "square": (half_header | {"leads": flat_leads}, square.tobytes()),
        "spike": (half_header, spike.tobytes()),
        "holes": (eleven, broken[:11].tobytes()),
        "short": (half_header, half[:-2]),
        "future": (half_header | {"version": 2}, half),
    }


def beats(header: dict[str, Any], data: bytes) -> list[float]:
    """R peaks by a plain threshold on lead II; good enough to look at marks."""
    from scipy.signal import find_peaks

    lead = np.frombuffer(data, dtype="<i2").reshape(len(header["leads"]), -1)[1].astype(float)
    rate = header["sampling_hz"]
    peaks, _ = find_peaks(lead - np.median(lead), height=0.6 * np.ptp(lead) / 1.3, distance=int(0.3 * rate))
    return [float(peak) / rate for peak in peaks]


def harness_app() -> FastAPI:
    """The application."""
    app = FastAPI()
    app.state.demo = True
    app.state.broken = False
    kept = recordings()
    add_pages(app)
    app.add_exception_handler(Refused, error_page)  # type: ignore[arg-type]

    @app.get("/api/recordings/{name}/waveform.json")
    async def header(name: str) -> dict[str, Any]:
        if name not in kept or app.state.broken:
            raise HTTPException(503 if app.state.broken else 404)
        return kept[name][0]

    @app.get("/api/recordings/{name}/waveform.i16")
    async def data(name: str) -> Response:
        return Response(kept[name][1], media_type="application/octet-stream")

    @app.get("/look/{page}")
    async def look(request: Request, page: str, recording: str = "500hz") -> HTMLResponse:
        found = kept["500hz" if recording in ("short", "future", "none") else recording]
        template = environment(language_of(request)).from_string((TEMPLATES / f"{page}.html").read_text("utf-8"))
        now = datetime.now(UTC)
        context = page_context(request) | {
            "person": PERSON,
            "recording": recording,
            "findings": {
                "beats_s": beats(*found),
                "beat_kinds": "NNVFPQ",
                "median_beat_fiducials": {
                    "r_s": 0.35,
                    "p_on_s": 0.17,
                    "p_off_s": 0.27,
                    "qrs_on_s": 0.31,
                    "qrs_off_s": 0.4,
                    "t_off_s": 0.69,
                    "u_on_s": 0.74,
                    "u_peak_s": 0.82,
                    "u_off_s": 0.95,
                },
                "quality": {"leads": [{"lead": "aVL", "verdict": "off"}] if recording == "holes" else []},
            },
            "minutes": lambda number: now + timedelta(minutes=number),
        }
        return HTMLResponse(template.render(context))

    return app


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Serve the application on a free port of this machine."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
