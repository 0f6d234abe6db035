"""Who lets a report out, and on what conditions?"""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import Findings
from ecg_center.contract.holter import ReportStrip
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.claims import require_second_person
from ecg_center.domain.deadlines import DeadlineKind
from ecg_center.domain.errors import Conflict, Invalid, NotAllowed
from ecg_center.domain.workflow import Move, State
from ecg_center.review import queries
from ecg_center.signing.service import require_certificate
from ecg_center.store.day_reports import kept_figures, usual_strips
from ecg_center.store.deadlines import meet
from ecg_center.store.events import move
from ecg_center.store.findings import newest_findings, pressures_in_force
from ecg_center.store.jobs import CENTRE_QUEUE, RELEASE_TASK, defer
from ecg_center.store.scopes import actor_of
from ecg_center.store.studies import lock_study
from ecg_center.store.tables import Report, Review, Study


async def send_back(session: AsyncSession, principal: Principal, study_id: UUID, reason: str, now: datetime) -> None:
    """Return the report to its writer.

    Raises:
        Invalid: no reason is given.
        NotAllowed, Conflict: see :func:`_held`.
    """
    if not reason.strip():
        raise Invalid("Say what has to change.", field="reason")
    study, report = await _held(session, principal, study_id)
    report.state, report.written_at = "draft", None
    session.add(_decision(report, principal, "return", reason.strip(), now))
    move(session, study, Move.RETURN, actor=actor_of(principal), at=now, why=reason.strip(), version=report.version)
    study.claimed_by = study.lease_until = None


async def release(session: AsyncSession, principal: Principal, study_id: UUID, edition: int, now: datetime) -> Report:
    """The second signature: the report is frozen and its document ordered, in one transaction.

    Raises:
        Conflict: the report is not the edition that the reviewer saw, the study's patient is not known yet, or the
            reviewer has no certificate to sign with.
        NotAllowed: the reviewer wrote it, or does not hold the study.
    """
    study, report = await _held(session, principal, study_id)
    if report.edition != edition:
        raise Conflict("The report has changed since you opened it. Reload it before you sign.")
    if study.patient_id is None:
        raise Conflict("This recording has no patient yet. Match it to its order before the report is released.")
    await require_certificate(session, principal.person_id)
    report.state, report.released_at = "released", now
    report.reviewer_id, report.reviewer_name = principal.person_id, principal.name
    report.content = await _with_pressures(session, report, await _with_the_reviewers_edits(session, report))
    report.verify_code = secrets.token_urlsafe(16)
    await queries.supersede_older(session, report)
    session.add(_decision(report, principal, "release", "", now))
    move(session, study, Move.RELEASE, actor=actor_of(principal), at=now, version=report.version)
    study.claimed_by = study.lease_until = None
    await meet(session, study.id, DeadlineKind.REVIEWED, now)
    await meet(session, study.id, DeadlineKind.OPINION, now)  # a released report says more than an opinion would
    await defer(session, RELEASE_TASK, queue=CENTRE_QUEUE, priority=100 - study.urgency, report_id=str(report.id))
    return report


async def reviews_of(session: AsyncSession, study_id: UUID) -> list[Review]:
    """Every decision on a study's reports, the newest first."""
    return await queries.reviews_of(session, study_id)


async def _held(session: AsyncSession, principal: Principal, study_id: UUID) -> tuple[Study, Report]:
    """The study under review by this person, with its signed report.

    Raises:
        NotAllowed: no authority, not held, or written by the same person.
        Conflict: there is no signed report.
    """
    study = await lock_study(session, study_id)
    principal.require(Act.REVIEW, study.kind)
    if study.claimed_by != principal.person_id:
        raise NotAllowed("You do not hold this study; take it from the worklist first.")
    report = await queries.current_report(session, study_id)
    if State(study.state) is not State.REVIEWING or report is None or report.state != "written":
        raise Conflict("The study is {state}; reload the page to see where it stands.", state=study.state)
    require_second_person(report.writer_id, principal.person_id)
    return study, report


async def _with_the_reviewers_edits(session: AsyncSession, report: Report) -> dict[str, Any]:
    """The content as it is released: where the reviewer changed beats of a day, with the figures that follow."""
    signed = report.content.get("holter")
    row = None if signed is None else await newest_findings(session, report.recording_id)
    found = None if row is None else Findings.model_validate(row.content).holter
    if signed is None or found is None or found.edits == signed.get("edits", 0):
        return report.content
    strips = [ReportStrip.model_validate(strip) for strip in report.content.get("strips") or []]
    if all(strip.event is not None and not strip.text for strip in strips):  # the usual ones, chosen by nobody
        strips = usual_strips(found)
    return report.content | {
        "holter": kept_figures(found).model_dump(mode="json"),
        "strips": [strip.model_dump(mode="json") for strip in strips],
    }


async def _with_pressures(session: AsyncSession, report: Report, content: dict[str, Any]) -> dict[str, Any]:
    """The content with the blood pressure figures that the reviewer saw: readings may have been taken out since."""
    if content.get("pressure") is None:
        return content
    found = await pressures_in_force(session, report.study_id)
    return content if found is None else content | {"pressure": found.model_dump(mode="json")}


def _decision(report: Report, principal: Principal, decision: str, reason: str, now: datetime) -> Review:
    return Review(
        institution_id=report.institution_id,
        report_id=report.id,
        reviewer_id=principal.person_id,
        decision=decision,
        reason=reason,
        at=now,
    )
