"""Studies on their way, for tests of the centre: registered, uploaded, pre-read, written, released; the real parts."""

import hashlib
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Concatenate, TypeVar
from uuid import UUID

import httpx
import pydicom
from pydicom.data import get_testdata_file
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from support.centre import Centre

from ecg_center.contract.upload import Receipt, RecordingIdentity, UploadOffer
from ecg_center.domain.authority import Principal
from ecg_center.registration import service as registration
from ecg_center.registration.schemas import PatientForm, RegistrationForm
from ecg_center.release.service import make_document
from ecg_center.reporting import service as reporting
from ecg_center.reporting.schemas import ReportContent
from ecg_center.review import service as review
from ecg_center.store.scopes import actor_of, scope_of
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import Delivery, Report, Study, StudyEvent
from ecg_center.worklist import service as worklist
from worker.settings import WorkerSettings
from worker.tasks import Bench, preread

Answer = TypeVar("Answer")
DIAGNOSIS = ReportContent(statements=["20"], conclusion="normal")


@cache
def ecg(number: int = 0) -> bytes:
    """A real 12-lead DICOM recording; another number is another recording of the same signal."""
    data = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm"))
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.10.5.{number}"
    for tag in ("PatientID", "PatientName", "PatientSex", "PatientBirthDate", "AccessionNumber"):
        setattr(data, tag, "")
    out = io.BytesIO()
    data.save_as(out)
    return out.getvalue()


def offer_of(content: bytes, institution: str = "T1", **identity: Any) -> UploadOffer:
    """What a gateway offers of these bytes."""
    return UploadOffer(
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        institution_code=institution,
        transport="dicom",
        device=f"DEMO_{institution}_ECG",
        safe_at=datetime.now(UTC),
        identity=RecordingIdentity(**identity),
    )


async def send(client: httpx.AsyncClient, offer: UploadOffer, content: bytes, *, chunk: int = 100_000) -> Receipt:
    """Upload over HTTP as a gateway does."""
    body = offer.model_dump(mode="json")
    status = (await client.post("/api/gateway/uploads", json=body)).raise_for_status().json()
    while status["receipt"] is None:
        at = status["offset_bytes"]
        answer = await client.patch(
            f"/api/gateway/uploads/{offer.sha256}",
            headers={"Upload-Offset": str(at)},
            content=content[at : at + chunk],
        )
        status = answer.raise_for_status().json()
    return Receipt.model_validate(status["receipt"])


async def upload(centre: Centre, content: bytes | None = None, institution: str = "T1", **identity: Any) -> Receipt:
    """A recording of this clinic, uploaded by the demo's gateway."""
    content = ecg() if content is None else content
    async with centre.gateway() as client:
        return await send(client, offer_of(content, institution, **identity), content)


def form(**changes: Any) -> RegistrationForm:
    """A registration's form; ``patient`` may be given as a form or by its fields."""
    patient = changes.pop("patient", PatientForm(name="演示患者", sex="F", patient_no="DEMO-1"))
    return RegistrationForm(patient=patient, fee_item_code=changes.pop("fee_item_code", "310701001"), **changes)


async def register(centre: Centre, login: str = "t1", **changes: Any) -> Study:
    """An exam registered at the technician's clinic."""
    principal = await centre.person(login)
    async with centre.database.transaction(scope_of(principal)) as session:
        study, _ = await registration.register(
            session, actor_of(principal), principal.institution_id, form(**changes), datetime.now(UTC)
        )
    return study


async def read(centre: Centre, recording_id: UUID) -> None:
    """The worker's pre-read."""
    await preread(Bench(centre.database, centre.press.blobs, WorkerSettings()), recording_id)


async def do(
    centre: Centre,
    login: str,
    use_case: Callable[Concatenate[AsyncSession, Principal, ...], Awaitable[Answer]],
    *arguments: Any,
    **named: Any,
) -> Answer:
    """A use case by one of the demo's people, in a transaction of their sight."""
    principal = await centre.person(login)
    async with centre.database.transaction(scope_of(principal)) as session:
        return await use_case(session, principal, *arguments, **named)


@dataclass(frozen=True)
class Exam:
    """A study and its recording."""

    study_id: UUID
    recording_id: UUID
    accession_number: str


async def recorded(centre: Centre, number: int = 0, login: str = "t1", **changes: Any) -> Exam:
    """An exam that was registered, recorded and pre-read."""
    study = await register(centre, login, **changes)
    receipt = await upload(centre, ecg(number), login.upper(), accession_number=study.accession_number)
    assert receipt.matched
    await read(centre, receipt.recording_id)
    return Exam(study.id, receipt.recording_id, study.accession_number or "")


async def written(centre: Centre, exam: Exam, login: str = "wang", content: ReportContent = DIAGNOSIS) -> Report:
    """The exam's report, claimed, written and signed by its writer."""
    now = datetime.now(UTC)
    await do(centre, login, worklist.claim, exam.study_id, now)
    draft = await do(centre, login, reporting.open_draft, exam.study_id, now)
    saved = await do(centre, login, reporting.save, exam.study_id, draft.edition, content, now)
    return await do(centre, login, reporting.sign, exam.study_id, saved.edition, now)


async def released(centre: Centre, exam: Exam, writer: str = "wang", reviewer: str = "li") -> Report:
    """The exam's report, signed twice."""
    report = await written(centre, exam, writer)
    return await reviewed(centre, exam, report, reviewer)


async def reviewed(centre: Centre, exam: Exam, report: Report, reviewer: str = "li") -> Report:
    """The written report claimed by its reviewer and released."""
    now = datetime.now(UTC)
    await do(centre, reviewer, worklist.claim, exam.study_id, now)
    return await do(centre, reviewer, review.release, exam.study_id, report.edition, now)


async def documented(centre: Centre, report: Report) -> Delivery:
    """The released report's document, and its delivery."""
    await make_document(centre.press, report.id, lambda: datetime.now(UTC))
    async with centre.database.transaction(EVERYTHING) as session:
        found = await session.scalar(select(Delivery).where(Delivery.report_id == report.id))
    assert found is not None
    return found


async def outcome(centre: Centre, delivery_id: UUID, state: str, detail: str = "") -> int:
    """What the clinic's printer did, as its gateway reports it; returns the answer's status."""
    body = {"state": state, "at": datetime.now(UTC).isoformat(), "printer": "demo", "job_id": 7, "detail": detail}
    async with centre.gateway() as client:
        return (await client.post(f"/api/gateway/prints/{delivery_id}/outcome", json=body)).status_code


async def study_of(centre: Centre, study_id: UUID) -> Study:
    """The study as it stands."""
    async with centre.database.transaction(EVERYTHING) as session:
        found = await session.get(Study, study_id)
    assert found is not None
    return found


async def events(centre: Centre, study_id: UUID) -> list[StudyEvent]:
    """The study's own lines, in the order of writing."""
    async with centre.database.transaction(EVERYTHING) as session:
        lines = await session.scalars(select(StudyEvent).where(StudyEvent.study_id == study_id).order_by(StudyEvent.id))
        return list(lines)
