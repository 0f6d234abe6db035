"""How does a released report become paper that anyone can check?

The report was frozen by the reviewer's signature; this makes its document: rendered true to scale, signed with both
physicians' certificates, stored by its hash, and only then handed to delivery. Run by a job: after a crash it runs
again and finds what is done.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.domain.calendars import CHINA
from ecg_center.domain.errors import NotFound
from ecg_center.domain.statements import TERMS, Overall
from ecg_center.domain.workflow import State
from ecg_center.release import queries
from ecg_center.release.content import ReleasedContent
from ecg_center.release.document.labels import age_on_first
from ecg_center.release.document.model import (
    Day,
    DayStrip,
    Patient,
    ReportDocument,
    Signatory,
    Supersedes,
    Trace,
)
from ecg_center.release.document.render import render
from ecg_center.release.queries import ReleasedReport
from ecg_center.signing.authority import Role
from ecg_center.signing.service import Signatures
from ecg_center.store.blobs import Blobs, report_key
from ecg_center.store.day_reports import STRIP_S
from ecg_center.store.events import CENTRE, note
from ecg_center.store.jobs import CENTRE_QUEUE, RELEASE_TASK, defer
from ecg_center.store.session import EVERYTHING, Database
from ecg_center.store.studies import lock_study
from ecg_center.store.tables import Delivery, Recording, Report
from ecg_center.store.waveforms import Waveform, decode

log = structlog.get_logger(__name__)

PRINTED_LEADS = ("II", "V5", "V1", "I", "V2")
"""Of a day's leads the first two of these are printed: rhythm and ST."""
STUCK_AFTER = timedelta(minutes=10)
"""A document takes a second; a report without one for this long has no job that still tries."""


@dataclass(frozen=True)
class Press:
    """All that making a document needs."""

    database: Database
    blobs: Blobs
    signatures: Signatures
    public_url: str
    remark: str = ""
    """The centre's remark on every report."""


async def make_document(press: Press, report_id: UUID, clock: Callable[[], datetime]) -> None:
    """Make, sign and store a released report's document, once, and hand it to delivery.

    Raises:
        NotFound: there is no such released report.
        Conflict: a signatory has no certificate.
    """
    async with press.database.transaction(EVERYTHING) as session:
        released = await queries.released(session, report_id)
        if released is None:
            raise NotFound("There is no such released report.")
        if released.report.pdf_sha256 is not None:
            return
        signers = await press.signatures.credentials(session, _signers(released.report))
        document = await _document(session, press, released)
    pdf = await asyncio.to_thread(lambda: press.signatures.document(render(document), signers))
    sha256 = hashlib.sha256(pdf).hexdigest()
    await press.blobs.put(report_key(sha256), pdf)
    async with press.database.transaction(EVERYTHING) as session:
        await _hand_over(session, report_id, sha256, len(pdf), clock())


async def ask_again(session: AsyncSession, now: datetime) -> int:
    """Enqueue the document of every released report whose job has been given up, and say so in its timeline."""
    stuck = await queries.stuck_reports(session, now - STUCK_AFTER)
    for report, study in stuck:
        log.error("document_given_up", report=str(report.id), next="asked again")
        note(session, study, "document_again", actor=CENTRE, at=now, version=report.version)
        await defer(session, RELEASE_TASK, queue=CENTRE_QUEUE, report_id=str(report.id))
    return len(stuck)


def _signers(report: Report) -> list[tuple[UUID, str, Role]]:
    assert report.reviewer_id is not None
    assert report.reviewer_name is not None
    return [
        (report.writer_id, report.writer_name, "reporting"),
        (report.reviewer_id, report.reviewer_name, "reviewing"),
    ]


async def _hand_over(session: AsyncSession, report_id: UUID, sha256: str, size_bytes: int, now: datetime) -> None:
    study_id = await queries.study_of(session, report_id)
    study = None if study_id is None else await lock_study(session, study_id)
    report = await queries.lock_report(session, report_id)
    if study is None or report is None or report.pdf_sha256 is not None:
        return
    report.pdf_sha256, report.pdf_size_bytes = sha256, size_bytes
    in_force = report.state == "released" and State(study.state) in (State.RELEASED, State.DELIVERED)
    if in_force and not await queries.has_delivery(session, report_id):
        session.add(
            Delivery(
                institution_id=report.institution_id,
                study_id=report.study_id,
                report_id=report.id,
                state="waiting",
                created_at=now,
            )
        )
    await session.flush()
    note(session, study, "document", actor=CENTRE, at=now, version=report.version, pdf_sha256=sha256)


async def _document(session: AsyncSession, press: Press, released: ReleasedReport) -> ReportDocument:
    report, study, patient = released.report, released.study, released.patient
    content = ReleasedContent.model_validate(report.content)
    lead = await queries.lead(session)
    previous = await queries.previous_version(session, report)
    recording = released.recording
    trace, day = await asyncio.to_thread(_drawn, press.blobs, recording, content)
    examined_at = recording.started_at or recording.safe_at
    days = [instant.astimezone(CHINA).date() for instant in (examined_at, recording.safe_at, recording.stored_at)]
    assert report.written_at is not None
    assert report.released_at is not None
    return ReportDocument(
        centre=lead.name if lead else released.member.name,
        member=released.member.name,
        patient=Patient(
            name=patient.name,
            sex=patient.sex,  # type: ignore[arg-type]
            age=age_on_first(patient.birth_date, days, "zh") if patient.birth_date else "",
            department=study.department,
            bed=study.bed,
            inpatient_number=study.visit_no if study.source == "inpatient" else "",
            outpatient_number=study.visit_no if study.source != "inpatient" else "",
        ),
        accession_number=study.accession_number or "",
        examined_at=examined_at,
        reported_at=report.released_at,
        measurements=content.measurements,
        trace=trace,
        day=day,
        pressure=content.pressure,
        opinion=tuple(opinion_lines(content)),
        conclusion=Overall(content.conclusion),
        signatories=(
            Signatory("reporting", report.writer_name, report.written_at),
            Signatory("reviewing", report.reviewer_name or "", report.released_at),
        ),
        urgent_finding=content.urgent_finding or None,
        version=report.version,
        supersedes=None
        if previous is None or previous.released_at is None
        else Supersedes(previous.version, previous.released_at, report.amend_reason),
        remark=content.remark or press.remark,
        verification_url=f"{press.public_url.rstrip('/')}/v/{report.verify_code}",
        demo=released.member.is_demo,
    )


def opinion_lines(content: ReleasedContent) -> list[str]:
    """诊断意见 as printed: the coded statements in order, then the free text's lines."""
    lines = [TERMS[code].zh for code in content.statements]
    return lines + [line.strip() for line in content.text.splitlines() if line.strip()]


def _drawn(blobs: Blobs, recording: Recording, content: ReleasedContent) -> tuple[Trace | None, Day | None]:
    """What of the recording is printed: its trace, or of a day its figures and strips; of pressures alone nothing."""
    waveform = recording.waveform or {}
    files = {suffix: blobs.source(key) for suffix, key in waveform["files"].items()}
    filters = waveform.get("filters", [])
    if not files:
        return None, None
    if "pyramid" not in waveform:
        return _trace(decode(files), filters), None
    hz, n_samples = float(waveform["sampling_hz"]), int(waveform["n_samples"])

    def strip(start_s: float) -> Trace:
        first = max(0, min(round(start_s * hz), n_samples - round(STRIP_S * hz)))
        sources = {suffix: blobs.source(key) for suffix, key in waveform["files"].items()}
        return _some_leads(_trace(decode(sources, first, first + round(STRIP_S * hz)), filters))

    if content.holter is None:  # its analysis failed: the physician read it without
        return strip(0.0), None
    strips = tuple(DayStrip(strip(one.start_s), one.start_s, one.event, one.text) for one in content.strips or [])
    return None, Day(content.holter, n_samples / hz, recording.started_at, strips)


def _some_leads(trace: Trace) -> Trace:
    """The two leads that tell most; a row for each of twelve would leave no room for strips."""
    order = [lead for lead in PRINTED_LEADS if lead in trace.leads]
    rows = [trace.leads.index(lead) for lead in (order + [lead for lead in trace.leads if lead not in order])][:2]
    scales = trace.uv_per_lsb if isinstance(trace.uv_per_lsb, tuple) else (trace.uv_per_lsb,) * len(trace.leads)
    return replace(
        trace,
        leads=tuple(trace.leads[row] for row in rows),
        samples=trace.samples[rows],
        uv_per_lsb=tuple(scales[row] for row in rows),
    )


def _trace(waveform: Waveform, filters: list[str]) -> Trace:
    return Trace(
        leads=tuple(waveform.leads),
        samples=waveform.samples,
        uv_per_lsb=tuple(float(scale) for scale in waveform.uv_per_lsb),
        sampling_hz=float(waveform.sampling_hz),
        filters=", ".join(filters),
    )


@dataclass(frozen=True)
class Verification:
    """What the page behind a report's QR code says; the patient's name is masked, the code may be seen by anyone."""

    accession_number: str
    member: str
    patient_name: str
    version: int
    newest_version: int
    released_at: datetime
    writer_name: str
    reviewer_name: str
    pdf_sha256: str | None


async def verification(session: AsyncSession, verify_code: str) -> Verification:
    """What is on record under a report's code.

    Raises:
        NotFound: no report bears this code.
    """
    report_id = await queries.report_by_code(session, verify_code)
    released = None if report_id is None else await queries.released(session, report_id)
    if released is None:
        raise NotFound("No report bears this code. The paper may be forged; ask the diagnosis centre.")
    report = released.report
    assert report.released_at is not None
    return Verification(
        accession_number=released.study.accession_number or "",
        member=released.member.name,
        patient_name=released.patient.name[:1] + "*" * max(1, len(released.patient.name) - 1),
        version=report.version,
        newest_version=await queries.newest_version(session, report.study_id),
        released_at=report.released_at,
        writer_name=report.writer_name,
        reviewer_name=report.reviewer_name or "",
        pdf_sha256=report.pdf_sha256,
    )
