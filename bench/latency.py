"""How long after C-STORE's Success does the study stand on the worklist, pre-read?

``python -m bench.latency [--studies N] [--json]`` starts a whole centre and sends N resting ECGs one after the other
with C-STORE. Each is measured from the moment Success arrived at the device until ``GET /api/worklist``, asked every
10 ms, shows the row in state ``preread``.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from typing import Any

import httpx
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pynetdicom import AE

from bench.centre import running_centre
from ecg_center.demo.community import PASSWORD
from ecg_center.demo.machine import GATEWAY_AE, Machine, quiet_logs
from ecg_center.embedded.ports import LOOPBACK

POLL_S = 0.01
TIMEOUT_S = 30.0


async def measure(studies: int) -> list[float]:
    """Milliseconds from Success to the worklist row, a figure a study."""
    async with running_centre("latency") as machine, httpx.AsyncClient(base_url=machine.pages_url) as client:
        answer = await client.post("/api/session", json={"login": "wang", "password": PASSWORD})
        answer.raise_for_status()
        await _one(machine, client, 0)  # warms every part
        return [await _one(machine, client, number) for number in range(1, studies + 1)]


async def _one(machine: Machine, client: httpx.AsyncClient, number: int) -> float:
    before = await _preread(client)
    success_at = await asyncio.to_thread(_store, machine.ports.dicom, number)
    while len(await _preread(client) - before) == 0:
        if time.monotonic() - success_at > TIMEOUT_S:
            raise TimeoutError(f"study {number} did not reach the worklist in {TIMEOUT_S:.0f} s")
        await asyncio.sleep(POLL_S)
    return (time.monotonic() - success_at) * 1000


async def _preread(client: httpx.AsyncClient) -> set[str]:
    answer = await client.get("/api/worklist", params={"desk": "write"})
    answer.raise_for_status()
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return {row["study_id"] for row in rows if row["state"] == "preread"}


def _store(port: int, number: int) -> float:
    dataset = dcmread(str(get_testdata_file("waveform_ecg.dcm")))
    dataset.SOPInstanceUID = f"2.25.{int.from_bytes(os.urandom(12), 'big')}"
    dataset.PatientName = f"DEMO^LATENCY {number}"
    device = AE("DEMO_T1_ECG")
    device.add_requested_context(dataset.SOPClassUID)
    association = device.associate(LOOPBACK, port, ae_title=GATEWAY_AE)
    status = association.send_c_store(dataset)
    success_at = time.monotonic()
    association.release()
    if status.get("Status") != 0:
        raise RuntimeError(f"the gateway answered {status}")
    return success_at


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    quiet_logs()
    found = sorted(asyncio.run(measure(options.studies)))
    figures = {
        "studies": len(found),
        "median_ms": round(statistics.median(found)),
        "p90_ms": round(found[int(0.9 * (len(found) - 1))]),
        "max_ms": round(found[-1]),
    }
    print(json.dumps(figures) if options.json else "  ".join(f"{name} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
