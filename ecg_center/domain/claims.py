"""Who holds a study, and for how long?

A claim is a lease: the reading page renews it while it is open, so a study that a physician walked away from comes
back to everyone by itself, and its deadline does not run out behind a closed laptop.
"""

from datetime import datetime, timedelta
from uuid import UUID

from ecg_center.domain.errors import Conflict, NotAllowed

LEASE = timedelta(minutes=5)
"""Half of the shortest deadline, the ten minutes of chest pain: a lost claim still leaves time for someone else."""

RENEW_EVERY = timedelta(seconds=60)
"""The page renews each minute, so four renewals may fail on a bad network before the claim is lost."""


def holder(claimed_by: UUID | None, lease_until: datetime | None, now: datetime) -> UUID | None:
    """Who holds the study at ``now``; nobody once the lease has run out."""
    if claimed_by is None or lease_until is None or lease_until <= now:
        return None
    return claimed_by


def require_free(holding: UUID | None, person_id: UUID, holder_name: str) -> None:
    """Refuse a claim where another person holds the study.

    Raises:
        Conflict: naming the holder.
    """
    if holding is not None and holding != person_id:
        raise Conflict("{name} is reading this study now.", name=holder_name)


def require_second_person(writer_id: UUID | None, reviewer_id: UUID) -> None:
    """The second signature is another person's than the writer's (four-eyes rule of the operating guide).

    Raises:
        NotAllowed: the writer would review their own report.
    """
    if writer_id == reviewer_id:
        raise NotAllowed("You wrote this report; another physician has to review it.")
