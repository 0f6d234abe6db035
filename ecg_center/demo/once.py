"""Does every step of the main job happen? One DICOM and one MQTT recording, from order to paper.

People are played over the same HTTP that their pages use; devices and printers are real protocols. Each step has a
time limit; the study's own timeline, written by the centre, is the proof.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pynetdicom import AE

from ecg_center.demo.community import PASSWORD
from ecg_center.demo.machine import GATEWAY_AE, Machine, command
from ecg_center.embedded.ports import LOOPBACK

STEP_TIMEOUT_S = 60.0
"""Generous: a step takes tens of milliseconds; a slow laptop under load must not fail the demo."""

SUCCESS = 0x0000
"""DICOM PS3.4 table B.2-1."""

STEPS = ("register", "safe", "receive", "preread", "claim", "sign", "release", "document", "deliver")
"""What every timeline must hold, in this order of first appearance."""


class StepFailedError(Exception):
    """A step of the main job did not happen; the message says which and what was seen instead."""


@dataclass
class Story:
    """What happened to one study."""

    transport: str
    study_id: str
    accession_number: str
    timeline: list[dict[str, Any]] = field(default_factory=list)
    printed_page: str = ""
    printed_sha256: str = ""


class Person:
    """One signed-in person."""

    def __init__(self, machine: Machine, login: str) -> None:
        self.login = login
        self._client = httpx.AsyncClient(base_url=machine.pages_url, timeout=15)

    async def __aenter__(self) -> "Person":
        answer = await patient_request(
            self._client, "POST", "/api/session", json={"login": self.login, "password": PASSWORD}
        )
        _expect(answer, f"{self.login} signs in")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def ask(self, method: str, path: str, what: str, **body: Any) -> Any:
        """One request; an answer that is an error ends the demo and says what was tried."""
        answer = await patient_request(self._client, method, path, json=body or None)
        _expect(answer, what)
        return answer.json() if answer.content else None


async def patient_request(client: httpx.AsyncClient, method: str, path: str, **options: Any) -> httpx.Response:
    """A request that waits for a part that restarts, as a person at a page would try again."""
    ends = time.monotonic() + STEP_TIMEOUT_S
    while True:
        try:
            answer = await client.request(method, path, **options)
            if answer.status_code < 500 or time.monotonic() > ends:
                return answer
        except httpx.TransportError:
            if time.monotonic() > ends:
                raise
        await asyncio.sleep(0.25)


async def run_once(machine: Machine) -> list[Story]:
    """Do the whole job for one DICOM and one MQTT recording.

    Raises:
        StepFailedError: naming the step that did not happen.
    """
    return [await run_story(machine, "dicom"), await run_story(machine, "mqtt")]


async def run_story(machine: Machine, transport: Literal["dicom", "mqtt"]) -> Story:
    """Do the whole job for one recording.

    Raises:
        StepFailedError: naming the step that did not happen.
    """
    if transport == "dicom":
        return await _story(machine, "dicom", "t1", "T1", _send_dicom)
    return await _story(machine, "mqtt", "t3", "T3", _send_mqtt)


async def _story(
    machine: Machine,
    transport: str,
    technician: str,
    clinic: str,
    send: Callable[[Machine, dict[str, Any], Path], Awaitable[None]],
) -> Story:
    async with Person(machine, technician) as clerk:
        order = await clerk.ask(
            "POST",
            "/api/registrations",
            "the technician registers the exam",
            patient={"name": f"演示{transport}", "sex": "F", "patient_no": f"DEMO-ONCE-{transport}", "age_years": 60},
            fee_item_code="310701001",
            indication="演示：体检",
        )
        story = Story(transport, order["study_id"], order["accession_number"])
        await send(machine, order, machine.folder / "once" / transport)
        await _reached(clerk, story, "preread")
    async with Person(machine, "wang") as writer:
        await _until(writer, story, "sign", _write)
    async with Person(machine, "li") as reviewer:
        await _until(reviewer, story, "release", _review)
        await _reached(reviewer, story, "deliver")
    _check(machine, story, clinic)
    return story


async def _until(person: Person, story: Story, what: str, attempt: Callable[[Person, Story], Awaitable[None]]) -> None:
    """Do a person's work until the timeline says that it is done.

    An answer can be lost after the deed: a person then looks where the study stands, and goes on from there.
    """
    ends = time.monotonic() + STEP_TIMEOUT_S
    while True:
        try:
            await attempt(person, story)
        except StepFailedError:
            if time.monotonic() > ends:
                raise
            await asyncio.sleep(0.25)
        story.timeline = await person.ask("GET", f"/api/studies/{story.study_id}/timeline", "the timeline is read")
        if any(line["what"] == what for line in story.timeline):
            return


async def _write(writer: Person, story: Story) -> None:
    path = f"/api/studies/{story.study_id}"
    await writer.ask("POST", f"{path}/claim", "the physician claims the study")
    draft = await writer.ask("GET", f"{path}/draft", "the physician opens the draft")
    content = draft["content"] | {"conclusion": draft["content"]["conclusion"] or "normal"}
    if not content["statements"] and not content["text"]:
        content["text"] = "窦性心律"
    saved = await writer.ask("PUT", f"{path}/draft", "the draft is saved", edition=draft["edition"], content=content)
    await writer.ask("POST", f"{path}/sign", "the physician signs", edition=saved["edition"])


async def _review(reviewer: Person, story: Story) -> None:
    path = f"/api/studies/{story.study_id}"
    await reviewer.ask("POST", f"{path}/claim", "the reviewer claims the study")
    report = await reviewer.ask("GET", f"{path}/report", "the reviewer opens the report")
    await reviewer.ask("POST", f"{path}/release", "the reviewer signs and releases", edition=report["edition"])


async def _reached(person: Person, story: Story, what: str) -> None:
    """Wait until the study's timeline holds a line."""
    ends = time.monotonic() + STEP_TIMEOUT_S
    while True:
        story.timeline = await person.ask("GET", f"/api/studies/{story.study_id}/timeline", "the timeline is read")
        if any(line["what"] == what for line in story.timeline):
            return
        if time.monotonic() > ends:
            seen = ", ".join(line["what"] for line in story.timeline)
            raise StepFailedError(
                f"{story.transport}: “{what}” did not happen in {STEP_TIMEOUT_S:.0f} s; happened: {seen}"
            )
        await asyncio.sleep(0.1)


async def _send_dicom(machine: Machine, order: dict[str, Any], folder: Path) -> None:
    """C-STORE of the recording; like a real recorder it tries again until the gateway says Success."""
    dataset = await asyncio.to_thread(dcmread, _recorded(order, folder))
    await asyncio.to_thread(_store, dataset, machine.ports.dicom)


def _recorded(order: dict[str, Any], folder: Path) -> Path:
    """The real 12-lead ECG that pydicom carries, bearing the order's identity as a recorder would write it."""
    dataset = dcmread(str(get_testdata_file("waveform_ecg.dcm")))
    number = order["accession_number"]
    dataset.AccessionNumber, dataset.PatientID = number, order["patient_no"]
    dataset.PatientName, dataset.PatientSex, dataset.PatientBirthDate = "DEMO^ONCE", "F", ""
    dataset.SOPInstanceUID = f"2.25.{int(hashlib.sha256(number.encode()).hexdigest()[:30], 16)}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number}.dcm"
    dataset.save_as(path)
    return path


def _store(dataset: Dataset, port: int) -> None:
    ends = time.monotonic() + STEP_TIMEOUT_S
    while True:
        device = AE("DEMO_T1_ECG")
        device.add_requested_context(dataset.SOPClassUID)
        association = device.associate(LOOPBACK, port, ae_title=GATEWAY_AE)
        status = None
        if association.is_established:
            status = association.send_c_store(dataset).get("Status")
            association.release()
        if status == SUCCESS:
            return
        if time.monotonic() > ends:
            raise StepFailedError(f"the gateway did not take the DICOM recording: status {status}")
        time.sleep(0.25)


async def _send_mqtt(machine: Machine, order: dict[str, Any], folder: Path) -> None:
    """The same recording for another order, in segments from a 4G recorder."""
    login = machine.broker.login("device")
    path = await asyncio.to_thread(_recorded, order, folder)
    await _run_device(
        *("simulate", "mqtt", "--broker", f"mqtt://{LOOPBACK}:{machine.broker.port}", "--clinic", "T3"),
        *("--device", "demo-t3-4g", "--folder", str(folder / "memory"), "--file", str(path)),
        *("--accession", order["accession_number"]),
        env={"ECG_SIMULATE_MQTT_USERNAME": login.username, "ECG_SIMULATE_MQTT_PASSWORD": login.password},
    )


async def _run_device(*words: str, env: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        command("ecg-gateway"),
        *words,
        env=os.environ | env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise StepFailedError(f"the simulated device could not send: {output.decode(errors='replace')[-800:]}")


def _check(machine: Machine, story: Story, clinic: str) -> None:
    """Hold the timeline against what must have happened, and the printer's page against the signed document."""
    seen = [line["what"] for line in story.timeline]
    missing = [step for step in STEPS if step not in seen]
    if missing:
        raise StepFailedError(f"{story.transport}: missing in the timeline: {', '.join(missing)}")
    document = next(line for line in story.timeline if line["what"] == "document")["data"]
    for page in sorted(machine.printed(clinic).glob("*.pdf")):
        if hashlib.sha256(page.read_bytes()).hexdigest() == document["pdf_sha256"]:
            story.printed_page, story.printed_sha256 = str(page), document["pdf_sha256"]
            return
    raise StepFailedError(f"{story.transport}: the printer of {clinic} has no page that is the signed document")


def _expect(answer: httpx.Response, what: str) -> None:
    if answer.is_error:
        raise StepFailedError(f"{what}: the centre answered {answer.status_code}: {answer.text[:500]}")
