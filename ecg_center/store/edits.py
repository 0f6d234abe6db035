"""Which edits may stand in a day's list, and which of them hold? For the page that takes them and the worker.

The list only grows and is replayed each time, so an edit that could never be applied must not get into it.
"""

from collections.abc import Sequence
from typing import Final

from ecg_center.contract.holter import Edit

_BEATS: Final = frozenset(("at_s",))
_STRETCH: Final = frozenset(("start_s", "end_s"))
_TEMPLATE: Final = frozenset(("template",))
_LABEL: Final = frozenset(("label",))
FORMS: Final[dict[str, tuple[frozenset[str], ...]]] = {
    "relabel_beats": (_BEATS | _LABEL, _STRETCH | _LABEL),
    "relabel_template": (_TEMPLATE | _LABEL, _TEMPLATE | _STRETCH | _LABEL),
    "delete_beats": (_BEATS, _STRETCH, _TEMPLATE, _TEMPLATE | _STRETCH),
    "insert_beats": (_BEATS | _LABEL,),
    "exclude": (_STRETCH,),
    "include": (_STRETCH,),
    "rhythm": (_STRETCH | {"rhythm"},),
    "undo": (frozenset(("undoes",)),),
}
"""The fields that each action takes; exactly one of these sets is filled."""


class EditError(ValueError):
    """An edit cannot be applied; the message says which one and what to do instead."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"edit {position}: {reason}")
        self.position = position
        self.reason = reason


def check_form(position: int, edit: Edit, duration_s: float) -> None:
    """Exactly one set of fields is filled, and its times lie in the recording.

    Raises:
        EditError: they are not.
    """
    filled = {
        name
        for name in ("label", "template", "start_s", "end_s", "rhythm", "undoes")
        if getattr(edit, name) is not None
    } | ({"at_s"} if edit.at_s else set())
    forms = FORMS[edit.action]
    if filled not in forms:
        wanted = " or ".join("+".join(sorted(form)) for form in forms)
        raise EditError(position, f"{edit.action} takes {wanted}, not {'+'.join(sorted(filled)) or 'nothing'}")
    if edit.start_s is not None and edit.end_s is not None:
        if not 0 <= edit.start_s < edit.end_s:
            raise EditError(position, f"a stretch begins before it ends, not {edit.start_s:g} s to {edit.end_s:g} s")
        if edit.start_s >= duration_s:
            raise EditError(position, f"the stretch begins after the recording's {duration_s:g} s")
    if any(not 0 <= at < duration_s for at in edit.at_s):
        raise EditError(position, f"a beat lies outside of the recording's {duration_s:g} s")


def standing(edits: Sequence[Edit]) -> list[bool]:
    """Which edits hold after the undoing, and the undoing of undoing.

    >>> standing([Edit(action="exclude", start_s=0, end_s=9), Edit(action="undo", undoes=0)])
    [False, True]
    >>> standing([Edit(action="exclude", start_s=0, end_s=9), Edit(action="undo", undoes=0),
    ...           Edit(action="undo", undoes=1)])
    [True, False, True]

    Raises:
        EditError: an undo names no earlier edit, or one that no longer holds.
    """
    against = [0] * len(edits)
    """How many undos that hold speak against each edit: it holds while there are none."""
    for position, edit in enumerate(edits):
        if edit.action != "undo":
            continue
        if edit.undoes is None or not 0 <= edit.undoes < position:
            raise EditError(position, f"undo names an earlier edit, 0 to {position - 1}, not {edit.undoes}")
        if against[edit.undoes]:
            raise EditError(position, f"edit {edit.undoes} is undone already; undo its undo to have it back")
        _turn(against, edits, edit.undoes, 1)
    return [count == 0 for count in against]


def _turn(against: list[int], edits: Sequence[Edit], position: int, change: int) -> None:
    """Speak against an edit, or no longer; an undo that thereby falls or rises lets its own edit rise or fall."""
    while True:
        held = against[position] == 0
        against[position] += change
        target = edits[position].undoes
        if held == (against[position] == 0) or target is None:
            return
        position, change = target, -1 if held else 1
