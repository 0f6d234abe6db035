"""Which pages does a person have, and where do they begin?"""

from dataclasses import dataclass

from ecg_center.domain.authority import Act, Principal
from ecg_center.web.i18n import N_


@dataclass(frozen=True)
class Item:
    """One page in the bar; ``text`` is a message id."""

    href: str
    icon: str
    text: str
    acts: tuple[Act, ...]


ITEMS = (
    Item("/worklist", "list", N_("Worklist"), (Act.WRITE, Act.REVIEW)),
    Item("/clinic", "order", N_("Clinic desk"), (Act.REGISTER,)),
    Item("/studies", "search", N_("Studies"), (Act.READ,)),
    Item("/unmatched", "unlink", N_("Unmatched"), (Act.RESOLVE,)),
    Item("/directory", "building", N_("Directory"), (Act.ADMINISTER,)),
)


def navigation_of(person: Principal | None) -> list[Item]:
    """The pages of this person, in the order of the bar."""
    if person is None:
        return []
    return [item for item in ITEMS if any(person.may(act) for act in item.acts)]


def first_page(person: Principal) -> str:
    """Where this person begins after the log-in."""
    pages = navigation_of(person)
    return pages[0].href if pages else "/account"
