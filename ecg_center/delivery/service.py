"""What has to be printed where, and what became of it?"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.printing import PrintOutcome, PrintTask, PrintTasks
from ecg_center.delivery import queries
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.errors import Conflict, NotFound
from ecg_center.domain.workflow import Move, State
from ecg_center.store.events import Actor, move, note
from ecg_center.store.scopes import actor_of
from ecg_center.store.studies import lock_study
from ecg_center.store.tables import Delivery, Report


async def tasks(session: AsyncSession) -> PrintTasks:
    """The reports in sight that wait for paper."""
    return PrintTasks(
        tasks=[
            PrintTask(
                delivery_id=delivery.id,
                institution_code=institution.code,
                accession_number=study.accession_number or "",
                report_version=report.version,
                urgent=study.urgent or study.chest_pain,
                pdf_sha256=report.pdf_sha256 or "",
                pdf_size_bytes=report.pdf_size_bytes or 0,
                released_at=report.released_at or delivery.created_at,
            )
            for delivery, report, study, institution in await queries.waiting(session)
        ]
    )


async def document_of(session: AsyncSession, delivery_id: UUID) -> Report:
    """The report behind a delivery in sight.

    Raises:
        NotFound: there is none.
    """
    found = await queries.delivery_with_report(session, delivery_id)
    if found is None:
        raise NotFound("There is no such delivery, or it belongs to another institution.")
    return found[1]


async def report_outcome(
    session: AsyncSession, actor: Actor, delivery_id: UUID, outcome: PrintOutcome, now: datetime
) -> None:
    """Take the printer's word; saying it again changes nothing, and ``printed`` is final.

    Raises:
        NotFound: there is no such delivery in sight.
    """
    study_id = await queries.study_of(session, delivery_id)
    study = None if study_id is None else await lock_study(session, study_id)
    found = await queries.delivery_with_report(session, delivery_id, lock=True)
    if study is None or found is None:
        raise NotFound("There is no such delivery, or it belongs to another institution.")
    delivery, report = found
    if delivery.state == "printed" or (delivery.state == outcome.state and delivery.detail == outcome.detail):
        return
    in_force = report.state == "released" and State(study.state) in (State.RELEASED, State.DELIVERED)
    superseded = delivery.state == "superseded" or not in_force
    if superseded and outcome.state != "printed":
        delivery.state = "superseded"  # amended meanwhile: the printer is not asked for this version again
        return
    delivery.printer, delivery.job_id, delivery.detail = outcome.printer, outcome.job_id, outcome.detail
    delivery.state = outcome.state
    data: dict[str, Any] = {"printer": outcome.printer, "job_id": outcome.job_id, "delivery_id": str(delivery.id)}
    if outcome.state == "printed":
        delivery.printed_at = outcome.at
        if not superseded:
            move(session, study, Move.DELIVER, actor=actor, at=now, **data)
            return
    note(session, study, outcome.state, actor=actor, at=now, why=outcome.detail, version=report.version, **data)


async def print_again(session: AsyncSession, principal: Principal, study_id: UUID, now: datetime) -> None:
    """Put the newest released version on paper once more.

    Raises:
        Conflict: there is nothing to print, or it is waiting already.
    """
    if not (principal.may(Act.REGISTER) or principal.may(Act.REVIEW)):
        principal.require(Act.REGISTER)
    study = await lock_study(session, study_id)
    found = await queries.newest_delivery(session, study_id)
    if found is None or found[1].state != "released":
        raise Conflict("There is no released report to print.")
    delivery, report = found
    if delivery.state in ("waiting", "printing"):
        raise Conflict("The report is waiting for the printer already.")
    if delivery.state == "failed":
        delivery.state = "superseded"
    session.add(
        Delivery(
            institution_id=study.institution_id, study_id=study.id, report_id=report.id, state="waiting", created_at=now
        )
    )
    note(session, study, "print_again", actor=actor_of(principal), at=now)
