"""Who may do what?

Roles are those of DESIGN.md section 1. A person may hold several; reading and reviewing are granted per kind of study
(a physician trained for resting ECGs does not thereby read Holters).
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ecg_center.domain.errors import NotAllowed


class Role(StrEnum):
    """What a person is at the centre or the clinic."""

    TECHNICIAN = "technician"  # 采集技师
    REPORTING = "reporting"  # 报告医师
    REVIEWING = "reviewing"  # 审核医师
    DIRECTOR = "director"  # 中心主任
    QC = "qc"  # 质控负责人
    ADMIN = "admin"  # 系统管理员


class Act(StrEnum):
    """What is asked for."""

    REGISTER = "register"
    READ = "read"
    WRITE = "write"
    REVIEW = "review"
    OPINE = "opine"
    AMEND = "amend"
    RESOLVE = "resolve"
    OVERSEE = "oversee"
    ADMINISTER = "administer"


GRANTS: dict[Act, frozenset[Role]] = {
    Act.REGISTER: frozenset({Role.TECHNICIAN}),
    Act.READ: frozenset(Role) - {Role.ADMIN},
    Act.WRITE: frozenset({Role.REPORTING, Role.DIRECTOR}),
    Act.REVIEW: frozenset({Role.REVIEWING, Role.DIRECTOR}),
    Act.OPINE: frozenset({Role.REPORTING, Role.REVIEWING, Role.DIRECTOR}),
    Act.AMEND: frozenset({Role.REPORTING, Role.REVIEWING, Role.DIRECTOR}),
    Act.RESOLVE: frozenset({Role.TECHNICIAN, Role.REPORTING, Role.REVIEWING, Role.DIRECTOR}),
    Act.OVERSEE: frozenset({Role.QC, Role.DIRECTOR}),
    Act.ADMINISTER: frozenset({Role.ADMIN}),
}

PER_KIND = frozenset({Act.WRITE, Act.REVIEW, Act.OPINE, Act.AMEND})
"""Acts that need authority for the study's kind."""


@dataclass(frozen=True)
class Grant:
    """One role of one person, for one kind of study or (None) for all."""

    role: Role
    kind: str | None = None


def may(grants: Collection[Grant], act: Act, kind: str | None = None) -> bool:
    """Whether these grants allow the act on a study of this kind."""
    return any(
        grant.role in GRANTS[act] and (act not in PER_KIND or kind is None or grant.kind in (None, kind))
        for grant in grants
    )


def require(grants: Collection[Grant], act: Act, kind: str | None = None) -> None:
    """Refuse the act where the grants do not allow it.

    Raises:
        NotAllowed: naming the roles that may.
    """
    if not may(grants, act, kind):
        raise NotAllowed(
            "This needs the role {roles}. Ask the centre's administrator for the authority.",
            roles=" / ".join(sorted(role.value for role in GRANTS[act])),
        )


@dataclass(frozen=True)
class Principal:
    """The person who acts, with all that a rule needs to know of them."""

    person_id: UUID
    login: str
    name: str
    title: str
    institution_id: UUID
    institution_code: str
    institution_name: str
    at_centre: bool
    """Belongs to the lead hospital, and so sees every member's studies."""
    grants: tuple[Grant, ...]
    locale: str = "zh"
    source: str = ""
    """The peer address of the request."""

    def may(self, act: Act, kind: str | None = None) -> bool:
        """Whether this person may do it; the community is administered by the centre's own people only."""
        return may(self.grants, act, kind) and (act is not Act.ADMINISTER or self.at_centre)

    def require(self, act: Act, kind: str | None = None) -> None:
        """Refuse the act where this person may not do it.

        Raises:
            NotAllowed: naming the roles that may.
        """
        require(self.grants if self.may(act, kind) else (), act, kind)

    def kinds(self, act: Act) -> frozenset[str]:
        """The kinds of study for which this person may do it."""
        return frozenset(kind for kind in ("resting", "holter", "abpm") if self.may(act, kind))
