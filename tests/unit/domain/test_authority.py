"""Who may do what: every role against every act, as a literal matrix."""

from uuid import uuid4

import pytest

from ecg_center.domain.authority import PER_KIND, Act, Grant, Principal, Role, may, require
from ecg_center.domain.errors import NotAllowed

MATRIX = {
    #                 register read  write review opine amend resolve oversee administer
    Role.TECHNICIAN: (True, True, False, False, False, False, True, False, False),
    Role.REPORTING: (False, True, True, False, True, True, True, False, False),
    Role.REVIEWING: (False, True, False, True, True, True, True, False, False),
    Role.DIRECTOR: (False, True, True, True, True, True, True, True, False),
    Role.QC: (False, True, False, False, False, False, False, True, False),
    Role.ADMIN: (False, False, False, False, False, False, False, False, True),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("place", "act"), list(enumerate(Act)))
def test_each_role_against_each_act(role: Role, place: int, act: Act) -> None:
    allowed = MATRIX[role][place]
    assert may([Grant(role)], act) is allowed
    assert may([Grant(role)], act, "resting") is allowed
    if allowed:
        require([Grant(role)], act)
    else:
        with pytest.raises(NotAllowed, match="administrator"):
            require([Grant(role)], act)


def test_nobody_without_a_role_may_anything() -> None:
    assert not any(may([], act) for act in Act)


@pytest.mark.parametrize("act", sorted(PER_KIND))
def test_authority_for_one_kind_of_study_is_none_for_another(act: Act) -> None:
    grants = [Grant(Role.DIRECTOR, "resting")]
    assert may(grants, act, "resting")
    assert not may(grants, act, "holter")
    assert may([*grants, Grant(Role.DIRECTOR, "holter")], act, "holter")


@pytest.mark.parametrize("act", sorted({Act.READ, Act.RESOLVE, Act.OVERSEE}))
def test_other_acts_do_not_ask_for_the_kind(act: Act) -> None:
    assert may([Grant(Role.DIRECTOR, "resting")], act, "abpm")


def test_a_person_may_what_any_of_their_roles_may() -> None:
    person = Principal(
        uuid4(), "x", "X", "", uuid4(), "H", "H", True, (Grant(Role.REPORTING, "resting"), Grant(Role.QC))
    )
    assert person.kinds(Act.WRITE) == {"resting"}
    assert person.kinds(Act.REVIEW) == frozenset()
    assert person.may(Act.OVERSEE)
    with pytest.raises(NotAllowed, match="director / reviewing"):
        person.require(Act.REVIEW, "resting")


@pytest.mark.parametrize("at_centre", [True, False])
def test_the_community_is_administered_at_the_centre_only(at_centre: bool) -> None:
    person = Principal(uuid4(), "x", "X", "", uuid4(), "T1", "T1", at_centre, (Grant(Role.ADMIN), Grant(Role.QC)))
    assert person.may(Act.ADMINISTER) is at_centre
    assert person.may(Act.OVERSEE)
    if not at_centre:
        with pytest.raises(NotAllowed, match="admin"):
            person.require(Act.ADMINISTER)
