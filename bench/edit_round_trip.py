"""How long after a physician's edit does his page have the new figures?

``python -m bench.edit_round_trip [--hours 24] [--edits 8] [--json]`` starts a whole centre, has a simulated day read by
its worker, and renames shapes of beats: from the POST of the edit until the live stream has told of new findings and
``GET …/findings`` has brought those that hold it. That is what the page waits for; drawing is not in it.
"""

import argparse
import asyncio
import hashlib
import json
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from bench.centre import running_centre
from ecg_center.demo.community import PASSWORD
from ecg_center.demo.machine import quiet_logs
from gateway.simulate.holter import record_day

CHUNK = 4_000_000
READ_S = 900.0
EDIT_S = 60.0
LABELS = ("V", "N")


async def measure(hours: float, edits: int) -> tuple[list[float], int]:
    """(milliseconds of each edit, beats of the day)."""
    async with running_centre("edits") as machine:
        token = {"Authorization": f"Bearer {machine.secrets.gateway_token}"}
        async with httpx.AsyncClient(base_url=machine.pages_url, headers=token, timeout=60) as gateway:
            study, recording = await _recorded(gateway, hours)
        async with httpx.AsyncClient(base_url=machine.pages_url, timeout=60) as client:
            await _ok(client.post("/api/session", json={"login": "wang", "password": PASSWORD}))
            said = await _read(client, recording)
            await _ok(client.post(f"/api/studies/{study}/claim"))
            shapes = [template["id"] for template in said["findings"]["holter"]["templates"]]
            found = []
            for number in range(edits):
                template, label = shapes[number // len(LABELS) % len(shapes)], LABELS[number % len(LABELS)]
                edit = {"action": "relabel_template", "template": template, "label": label}
                found.append(await _edited(client, study, recording, number, edit))
            return found, sum(said["findings"]["holter"]["beats"].values())


async def _ok(answer: Any) -> Any:
    response: httpx.Response = await answer
    response.raise_for_status()
    return response.json() if response.content else None


async def _recorded(gateway: httpx.AsyncClient, hours: float) -> tuple[str, str]:
    """(study, recording) of a registered day that the centre has."""
    order = {
        "institution_code": "T2", "patient": {"name": "演示", "sex": "F", "age_years": 60}, "kind": "holter",
        "fee_item_code": "310701003", "source": "outpatient",
    }  # fmt: skip
    made = await _ok(gateway.post("/api/registrations", json=order))
    content = record_day(3, datetime.now(UTC) - timedelta(hours=hours), hours=hours).content
    sha256 = hashlib.sha256(content).hexdigest()
    offer = {
        "sha256": sha256, "size_bytes": len(content), "institution_code": "T2", "transport": "mqtt",
        "device": "demo-t2-holter", "safe_at": datetime.now(UTC).isoformat(),
        "media_type": "application/octet-stream",
        "identity": {"accession_number": made["accession_number"], "study_kind": "holter"},
    }  # fmt: skip
    status = await _ok(gateway.post("/api/gateway/uploads", json=offer))
    while status["receipt"] is None:
        at = status["offset_bytes"]
        part, place = content[at : at + CHUNK], {"Upload-Offset": str(at)}
        status = await _ok(gateway.patch(f"/api/gateway/uploads/{sha256}", headers=place, content=part))
    receipt = status["receipt"]
    return receipt["study_id"], receipt["recording_id"]


async def _read(client: httpx.AsyncClient, recording: str) -> Any:
    """What the machine says of the day, as soon as it says so."""
    began = time.monotonic()
    while time.monotonic() - began < READ_S:
        answer = await client.get(f"/api/recordings/{recording}/findings")
        if answer.status_code == httpx.codes.OK:
            return answer.json()
        await asyncio.sleep(0.5)
    raise TimeoutError(f"the day was not read within {READ_S:.0f} s")


async def _edited(client: httpx.AsyncClient, study: str, recording: str, position: int, edit: dict[str, Any]) -> float:
    """Milliseconds from the POST until the findings that hold the edit are here."""
    async with client.stream("GET", "/live", timeout=EDIT_S) as live:
        lines = live.aiter_lines()
        await anext(lines)  # the first beat: from now on the page hears
        began = time.monotonic()
        await _ok(client.post(f"/api/recordings/{recording}/edits", json={"position": position, "edit": edit}))
        async for line in lines:
            if f"findings-{study}" not in line:
                continue
            said = await _ok(client.get(f"/api/recordings/{recording}/findings"))
            if said["held"] == said["edits"] == position + 1:
                return (time.monotonic() - began) * 1000
    raise TimeoutError(f"no figures of edit {position}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--edits", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    quiet_logs()
    found, beats = asyncio.run(measure(options.hours, options.edits))
    later = found[1:] or found
    figures = {
        "beats": beats,
        "edits": len(found),
        "first_ms": round(found[0]),
        "median_ms": round(statistics.median(later)),
        "max_ms": round(max(later)),
    }
    print(json.dumps(figures) if options.json else "  ".join(f"{name} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
