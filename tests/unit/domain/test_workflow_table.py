"""The transition table, held against a literal copy of what the design says; a change of either is a decision."""

import itertools

import pytest

from ecg_center.domain.errors import Conflict
from ecg_center.domain.workflow import (
    OPEN_STATES,
    TAKES_RECORDINGS,
    TO_REVIEW,
    TO_WRITE,
    TRANSITIONS,
    Move,
    State,
    allows,
    next_state,
)

SPECIFICATION = """
registered  receive     received
received    receive     received
preread     receive     preread
writing     receive     writing
cancelled   receive     received
received    preread     preread
preread     preread     preread
writing     preread     writing
written     preread     written
reviewing   preread     reviewing
released    preread     released
delivered   preread     delivered
received    quarantine  registered
received    claim       writing
preread     claim       writing
writing     claim       writing
writing     let_go      preread
writing     sign        written
written     claim       reviewing
reviewing   claim       reviewing
reviewing   let_go      written
reviewing   return      writing
reviewing   release     released
released    deliver     delivered
delivered   deliver     delivered
released    amend       writing
delivered   amend       writing
registered  cancel      cancelled
received    cancel      cancelled
preread     cancel      cancelled
"""


def test_the_table_is_the_specified_one() -> None:
    specified = {
        (State(before), Move(by)): State(after)
        for before, by, after in (line.split() for line in SPECIFICATION.strip().splitlines())
    }
    assert specified == TRANSITIONS


@pytest.mark.parametrize(("state", "by"), list(itertools.product(State, Move)))
def test_every_pair_either_moves_by_the_table_or_is_refused(state: State, by: Move) -> None:
    if (state, by) in TRANSITIONS:
        assert allows(state, by)
        assert next_state(state, by) is TRANSITIONS[state, by]
        return
    assert not allows(state, by)
    with pytest.raises(Conflict, match=state.value) as refused:
        next_state(state, by)
    assert refused.value.values == {"state": state.value, "move": by.value}


def _reachable(start: State) -> set[State]:
    found, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for (before, _), after in TRANSITIONS.items():
            if before is here and after not in found:
                found.add(after)
                todo.append(after)
    return found


def test_every_state_is_reached_from_the_order_and_every_move_is_used() -> None:
    assert _reachable(State.REGISTERED) == set(State)
    assert {by for _, by in TRANSITIONS} == set(Move)


@pytest.mark.parametrize("state", sorted(State))
def test_no_state_is_a_dead_end_for_the_patient(state: State) -> None:
    assert State.DELIVERED in _reachable(state)


def test_only_two_signatures_by_the_table_lead_to_release() -> None:
    """Nothing but a release out of review reaches ``released``, and review is entered from ``written`` only."""
    assert {pair for pair, after in TRANSITIONS.items() if after is State.RELEASED} == {
        (State.REVIEWING, Move.RELEASE),
        (State.RELEASED, Move.PREREAD),
    }
    assert {before for (before, _), after in TRANSITIONS.items() if after is State.REVIEWING} == {
        State.WRITTEN,
        State.REVIEWING,
    }
    assert {pair for pair, after in TRANSITIONS.items() if after is State.WRITTEN and pair[0] is State.WRITING} == {
        (State.WRITING, Move.SIGN)
    }


def test_a_late_pre_read_never_moves_a_study_that_a_person_holds() -> None:
    for state in set(State) - {State.RECEIVED, State.REGISTERED, State.CANCELLED}:
        assert next_state(state, Move.PREREAD) is state


def test_the_desks_and_the_deadlines_cover_the_same_states() -> None:
    assert TO_WRITE | TO_REVIEW == OPEN_STATES
    assert not TO_WRITE & TO_REVIEW
    assert {State.REGISTERED, State.RECEIVED, State.PREREAD, State.WRITING, State.CANCELLED} == TAKES_RECORDINGS
    for state in TO_WRITE | TO_REVIEW:
        assert allows(state, Move.CLAIM)
    for state in set(State) - OPEN_STATES:
        assert not allows(state, Move.CLAIM)
