"""What may a person see, and under which name do they stand in the timeline?"""

from ecg_center.domain.authority import Principal
from ecg_center.store.events import Actor
from ecg_center.store.session import EVERYTHING, Scope


def scope_of(principal: Principal) -> Scope:
    """The lead hospital's people see every member's rows, a clinic's people their own clinic's."""
    return EVERYTHING if principal.at_centre else Scope(institutions=(principal.institution_id,))


def actor_of(principal: Principal) -> Actor:
    """The person as the timeline names them."""
    return Actor("person", principal.name, principal.person_id, principal.source)
