"""Who did what to a study, when, from where, and why?

Every move writes one line of the study's timeline in the transaction that makes the move. The lines are append-only
by the database's grants, and each one is notified to the pages that show the study (a trigger, see ``migrations/``).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.domain.workflow import Move, State, next_state
from ecg_center.store.tables import AuditEntry, Study, StudyEvent

LIVE_CHANNEL = "ecg_live"
"""The NOTIFY channel that carries {study, institution, what} of every timeline line."""


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, a device, a gateway, the worker, or the centre itself."""

    kind: Literal["person", "device", "gateway", "worker", "centre"]
    name: str
    id: UUID | None = None
    source: str = ""
    """Where from: a peer address or an AE title."""


CENTRE = Actor("centre", "ecg-center")


def note(
    session: AsyncSession,
    study: Study,
    what: str,
    *,
    actor: Actor,
    at: datetime,
    why: str = "",
    from_state: str | None = None,
    to_state: str | None = None,
    **data: Any,
) -> None:
    """Write one line of the timeline."""
    session.add(
        StudyEvent(
            study_id=study.id,
            institution_id=study.institution_id,
            at=at,
            what=what,
            from_state=from_state,
            to_state=to_state,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            source=actor.source,
            why=why,
            data=data,
        )
    )


def move(
    session: AsyncSession, study: Study, by: Move, *, actor: Actor, at: datetime, why: str = "", **data: Any
) -> None:
    """Move the study by the transition table and write the line.

    Raises:
        Conflict: the study does not allow the move where it stands.
    """
    before = study.state
    study.state = next_state(State(before), by).value
    note(session, study, by.value, actor=actor, at=at, why=why, from_state=before, to_state=study.state, **data)


def audit(
    session: AsyncSession,
    actor: Actor,
    action: str,
    *,
    at: datetime,
    object_kind: str = "",
    object_id: object = "",
    **data: Any,
) -> None:
    """Write one line of the audit: log-ins, looks at a study, changes of accounts."""
    session.add(
        AuditEntry(
            at=at,
            person_id=actor.id,
            actor_name=actor.name,
            source=actor.source,
            action=action,
            object_kind=object_kind,
            object_id=str(object_id),
            data=data,
        )
    )
