"""How does a report come to be written and signed?

A draft is saved by edition: whoever saves on an older one is told, so two open pages never overwrite each other. The
writer's signature closes the draft and hands the study to review.
"""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import Findings
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.deadlines import DeadlineKind
from ecg_center.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from ecg_center.domain.statements import contradicts, in_report_order, overall_of
from ecg_center.domain.workflow import Move, State
from ecg_center.reporting import queries
from ecg_center.reporting.schemas import OpinionForm, ReportContent
from ecg_center.signing.service import Signatures, require_certificate
from ecg_center.store.deadlines import meet
from ecg_center.store.events import move, note
from ecg_center.store.scopes import actor_of
from ecg_center.store.studies import lock_study
from ecg_center.store.tables import Opinion, Report, Study


async def open_draft(session: AsyncSession, principal: Principal, study_id: UUID, now: datetime) -> Report:
    """The draft of a study that the person holds; begun from the pre-read where there is none.

    Raises:
        Conflict: the person does not hold the study, or nothing readable was recorded.
    """
    study = await lock_study(session, study_id)
    _require_held(study, principal, State.WRITING)
    report = await queries.current_report(session, study_id, lock=True)
    if report is not None and report.state == "draft":
        _take_over(report, principal)
        return report
    recording = await queries.newest_recording(session, study_id)
    if recording is None:
        raise Conflict("This study has no readable recording yet.")
    version = 1 if report is None else report.version + 1
    draft = Report(
        institution_id=study.institution_id,
        study_id=study.id,
        version=version,
        state="draft",
        content=(await _suggested(session, recording.id)).model_dump(mode="json"),
        recording_id=recording.id,
        writer_id=principal.person_id,
        writer_name=principal.name,
        created_at=now,
        saved_at=now,
    )
    session.add(draft)
    await session.flush()
    return draft


async def _suggested(session: AsyncSession, recording_id: UUID) -> ReportContent:
    """The pre-read as a first draft: a suggestion that the physician confirms by signing."""
    row = await queries.newest_findings(session, recording_id)
    if row is None:
        return ReportContent()
    findings = Findings.model_validate(row.content)
    codes = in_report_order([statement.code for statement in findings.statements])
    overall = overall_of(codes)
    return ReportContent(
        statements=codes[:20],
        conclusion=overall.value if overall else None,
        measurements=findings.measurements,
    )


async def current_report(session: AsyncSession, principal: Principal, study_id: UUID) -> Report:
    """The newest version of a study's report; a clinic sees the newest that was released, also while it is amended.

    Raises:
        NotFound: there is none in sight.
    """
    principal.require(Act.READ)
    report = await queries.current_report(session, study_id, released=not principal.at_centre)
    if report is None:
        raise NotFound("There is no report of this study yet.")
    return report


async def save(
    session: AsyncSession, principal: Principal, study_id: UUID, edition: int, content: ReportContent, now: datetime
) -> Report:
    """Save the draft.

    Raises:
        Conflict: it was saved elsewhere since this page read it, or the person does not hold the study.
    """
    study = await lock_study(session, study_id)
    _require_held(study, principal, State.WRITING)
    report = await queries.current_report(session, study_id, lock=True)
    if report is None or report.state != "draft":
        raise Conflict("There is no draft to save; open the study again.")
    if report.edition != edition:
        raise Conflict("This draft was saved in another window since. Reload it before you go on.")
    ordered = content.model_copy(update={"statements": in_report_order(content.statements)})
    _take_over(report, principal)
    report.content = ordered.model_dump(mode="json")
    report.edition += 1
    report.saved_at = now
    return report


async def sign(session: AsyncSession, principal: Principal, study_id: UUID, edition: int, now: datetime) -> Report:
    """The writer signs: the report goes to review.

    Raises:
        Conflict: the draft has moved on, the study is not held, or the writer has no certificate to sign with.
        Invalid: something that a report must have is missing, or two statements contradict each other.
    """
    study = await lock_study(session, study_id)
    principal.require(Act.WRITE, study.kind)
    _require_held(study, principal, State.WRITING)
    report = await queries.current_report(session, study_id, lock=True)
    if report is None or report.state != "draft" or report.edition != edition:
        raise Conflict("This draft was saved in another window since. Reload it before you go on.")
    require_complete(ReportContent.model_validate(report.content))
    await require_certificate(session, principal.person_id)
    _take_over(report, principal)
    report.state, report.written_at = "written", now
    move(session, study, Move.SIGN, actor=actor_of(principal), at=now, version=report.version)
    study.claimed_by = study.lease_until = None
    await meet(session, study.id, DeadlineKind.WRITTEN, now)
    return report


def require_complete(content: ReportContent) -> None:
    """Refuse a report that says nothing, has no conclusion, or contradicts itself.

    Raises:
        Invalid: naming what is missing.
    """
    if not content.statements and not content.text:
        raise Invalid("Write a diagnosis: choose a statement or type one.", field="statements")
    if content.conclusion is None:
        raise Invalid("Choose the conclusion: normal, borderline, suspicious or abnormal.", field="conclusion")
    if clashes := contradicts(content.statements):
        first, second, why = clashes[0]
        raise Invalid(
            "Statements {first} and {second} contradict each other: {why}.",
            field="statements",
            first=first,
            second=second,
            why=why,
        )


async def give_opinion(
    session: AsyncSession,
    principal: Principal,
    signatures: Signatures,
    study_id: UUID,
    form: OpinionForm,
    now: datetime,
) -> Opinion:
    """Sign the opinion on an emergency: a record of its own that never changes.

    Raises:
        Invalid: it says nothing.
        Conflict: the study is not marked as an emergency or has no recording.
    """
    study = await lock_study(session, study_id)
    principal.require(Act.OPINE, study.kind)
    if not (study.urgent or study.chest_pain):
        raise Conflict("Only an urgent or chest-pain study asks for an opinion; write the report instead.")
    if study.received_at is None:
        raise Conflict("This study has no recording yet.")
    if not form.statements and not form.text:
        raise Invalid("Say what you see: choose a statement or type one.", field="text")
    content = form.model_dump(mode="json")
    payload = canonical(
        {
            "kind": "ecg-center/opinion/1",
            "study_id": str(study.id),
            "accession_number": study.accession_number,
            "physician": {"id": str(principal.person_id), "name": principal.name},
            "signed_at": now.isoformat(timespec="milliseconds"),
            **content,
        }
    )
    opinion = Opinion(
        institution_id=study.institution_id,
        study_id=study.id,
        person_id=principal.person_id,
        person_name=principal.name,
        content=content,
        payload=payload,
        signature=await signatures.record(session, principal.person_id, payload),
        signed_at=now,
    )
    session.add(opinion)
    note(session, study, "opinion", actor=actor_of(principal), at=now)
    await meet(session, study.id, DeadlineKind.OPINION, now)
    return opinion


async def amend(session: AsyncSession, principal: Principal, study_id: UUID, reason: str, now: datetime) -> Report:
    """Begin a new version of a released report; the old one stays, is marked as superseded when the new is released.

    Raises:
        Invalid: no reason is given.
        Conflict: the report is not released.
    """
    if not reason.strip():
        raise Invalid("Say why the report is amended.", field="reason")
    study = await lock_study(session, study_id)
    principal.require(Act.AMEND, study.kind)
    principal.require(Act.WRITE, study.kind)
    released = await queries.current_report(session, study_id, lock=True)
    move(session, study, Move.AMEND, actor=actor_of(principal), at=now, why=reason.strip())
    if released is None:
        raise Conflict("There is no released report to amend.")
    draft = Report(
        institution_id=study.institution_id,
        study_id=study.id,
        version=released.version + 1,
        state="draft",
        content=released.content,
        recording_id=released.recording_id,
        amend_reason=reason.strip(),
        writer_id=principal.person_id,
        writer_name=principal.name,
        created_at=now,
        saved_at=now,
    )
    session.add(draft)
    study.writer_id = principal.person_id
    study.claimed_by = study.lease_until = None
    await queries.withdraw_waiting(session, study_id)
    await session.flush()
    return draft


def canonical(document: dict[str, object]) -> bytes:
    """JSON with sorted keys and no spaces, UTF-8: the same document has the same bytes (RFC 8785's idea)."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _take_over(report: Report, principal: Principal) -> None:
    """The report is of whoever writes it last and signs it, whoever began it."""
    report.writer_id, report.writer_name = principal.person_id, principal.name


def _require_held(study: Study, principal: Principal, state: State) -> None:
    if study.claimed_by != principal.person_id:
        raise NotAllowed("You do not hold this study; take it from the worklist first.")
    if State(study.state) is not state:
        raise Conflict("The study is {state}; reload the page to see where it stands.", state=study.state)
