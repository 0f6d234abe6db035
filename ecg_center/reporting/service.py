"""How does a report come to be written and signed?

A draft is saved by edition: whoever saves on an older one is told, so two open pages never overwrite each other. The
writer's signature closes the draft and hands the study to review.
"""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import Findings, Measurements
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.deadlines import DeadlineKind
from ecg_center.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from ecg_center.domain.statements import contradicts, in_report_order, overall_of
from ecg_center.domain.workflow import Move, State
from ecg_center.reporting import queries
from ecg_center.reporting.schemas import MAX_STATEMENTS, OpinionForm, ReportContent
from ecg_center.signing.service import Signatures, require_certificate
from ecg_center.store.day_reports import kept_figures, usual_strips
from ecg_center.store.deadlines import meet
from ecg_center.store.events import move, note
from ecg_center.store.findings import newest_findings
from ecg_center.store.scopes import actor_of
from ecg_center.store.studies import lock_study
from ecg_center.store.tables import Opinion, Recording, Report, Study


async def open_draft(session: AsyncSession, principal: Principal, study_id: UUID, now: datetime) -> Report:
    """The draft of a study that the person holds; begun from the pre-read where there is none.

    Raises:
        Conflict: the person does not hold the study, or nothing readable was recorded.
    """
    study = await lock_study(session, study_id)
    _require_held(study, principal, State.WRITING)
    report = await queries.current_report(session, study_id, lock=True)
    recordings = await queries.readable_recordings(session, study_id)
    if not recordings:
        raise Conflict("This study has no readable recording yet.")
    recording = next((one for one in recordings if has_trace(one)), recordings[0])
    if report is not None and report.state == "draft":
        _take_over(report, principal)
        if not any(one.id == report.recording_id and has_trace(one) for one in recordings):
            report.recording_id = recording.id  # the ECG of a combined recorder came after its pressures
        return report
    version = 1 if report is None else report.version + 1
    draft = Report(
        institution_id=study.institution_id,
        study_id=study.id,
        version=version,
        state="draft",
        content=(await _suggested(session, study.id, recording.id)).model_dump(mode="json"),
        recording_id=recording.id,
        writer_id=principal.person_id,
        writer_name=principal.name,
        created_at=now,
        saved_at=now,
    )
    session.add(draft)
    await session.flush()
    return draft


def has_trace(recording: Recording) -> bool:
    """Whether the recording is an ECG; blood pressure readings alone have no trace."""
    return bool((recording.waveform or {}).get("files"))


async def findings_of(session: AsyncSession, study_id: UUID, recording_id: UUID) -> list[Findings]:
    """The newest pre-read of each kind of recording that the study has, that of the report's recording first.

    A combined recorder's ECG and pressures may come as two recordings. Of two of a kind the report's own counts, which
    the physician sees and the document draws; else the newest.
    """
    found: dict[str, Findings] = {}
    recordings = await queries.readable_recordings(session, study_id)
    for recording in sorted(recordings, key=lambda one: one.id != recording_id):
        row = await newest_findings(session, recording.id)
        if row is not None:
            findings = Findings.model_validate(row.content)
            found.setdefault(findings.kind, findings)
    return list(found.values())


async def choose_recording(
    session: AsyncSession, principal: Principal, study_id: UUID, recording_id: UUID, now: datetime
) -> Report:
    """The draft is of another recording of the study from now on, of which there may be several: one was made again.

    Figures and strips are that recording's; the diagnosis, too, unless the physician has changed it.

    Raises:
        Conflict: the person does not hold the study, or there is no draft.
        NotFound: the study has no such readable ECG.
    """
    study = await lock_study(session, study_id)
    _require_held(study, principal, State.WRITING)
    report = await queries.current_report(session, study_id, lock=True)
    if report is None or report.state != "draft":
        raise Conflict("There is no draft to save; open the study again.")
    readable = await queries.readable_recordings(session, study_id)
    if not any(one.id == recording_id for one in readable):
        raise NotFound("This study has no such readable recording.")
    content = ReportContent.model_validate(report.content)
    before = await _suggested(session, study_id, report.recording_id)
    suggested = await _suggested(session, study_id, recording_id)
    update: dict[str, object] = {"measurements": suggested.measurements, "strips": None}
    if (content.statements, content.conclusion) == (before.statements, before.conclusion):
        update |= {"statements": suggested.statements, "conclusion": suggested.conclusion}
    _take_over(report, principal)
    report.content = content.model_copy(update=update).model_dump(mode="json")
    report.recording_id = recording_id
    report.edition += 1
    report.saved_at = now
    note(session, study, "choose_recording", actor=actor_of(principal), at=now, recording_id=str(recording_id))
    return report


async def _suggested(session: AsyncSession, study_id: UUID, recording_id: UUID) -> ReportContent:
    """The pre-read as a first draft: a suggestion that the physician confirms by signing."""
    found = await findings_of(session, study_id, recording_id)
    if not found:
        return ReportContent()
    codes = in_report_order([statement.code for findings in found for statement in findings.statements])
    overall = overall_of(codes)
    return ReportContent(
        statements=codes[:MAX_STATEMENTS],
        conclusion=overall.value if overall else None,
        measurements=next((one.measurements for one in found if one.kind != "abpm"), Measurements()),
    )


async def _with_figures(session: AsyncSession, report: Report, content: ReportContent) -> ReportContent:
    """The content with the figures of this moment, of a day and of blood pressures: what is signed is what was seen."""
    found = await findings_of(session, report.study_id, report.recording_id)
    pressure = next((one.pressure for one in found if one.pressure is not None), None)
    holter = next((one.holter for one in found if one.holter is not None), None)
    figures: dict[str, object] = {"pressure": pressure}
    if holter is not None:
        figures["holter"] = kept_figures(holter)
        figures["strips"] = usual_strips(holter) if content.strips is None else content.strips
    return content.model_copy(update=figures)


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
    ordered = content.model_copy(
        update={"statements": in_report_order(content.statements), "holter": None, "pressure": None}
    )
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
    content = ReportContent.model_validate(report.content)
    require_complete(content)
    await require_certificate(session, principal.person_id)
    report.content = (await _with_figures(session, report, content)).model_dump(mode="json")
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
