"""Which moves may a study make?

One literal table, DESIGN.md section 2. Whoever moves a study asks :func:`next_state`; every move is written to the
study's timeline. Consultation and re-acquisition join this table with their own stages.
"""

from enum import StrEnum

from ecg_center.domain.errors import Conflict


class State(StrEnum):
    """Where a study stands."""

    REGISTERED = "registered"  # 已登记: an order without a recording
    RECEIVED = "received"  # 已接收: the bytes are durable at the centre
    PREREAD = "preread"  # 待报告: the worker has spoken; waits for a reporting physician
    WRITING = "writing"  # 书写中: claimed and being written
    WRITTEN = "written"  # 待审核: signed by its writer
    REVIEWING = "reviewing"  # 审核中: claimed by a reviewer
    RELEASED = "released"  # 已发布: frozen, signed twice
    DELIVERED = "delivered"  # 已送达: on paper at the clinic
    CANCELLED = "cancelled"  # 已取消


class Move(StrEnum):
    """What happens to a study."""

    RECEIVE = "receive"
    PREREAD = "preread"
    QUARANTINE = "quarantine"
    CLAIM = "claim"
    LET_GO = "let_go"
    SIGN = "sign"
    RETURN = "return"
    RELEASE = "release"
    DELIVER = "deliver"
    AMEND = "amend"
    CANCEL = "cancel"


_S, _M = State, Move

TRANSITIONS: dict[tuple[State, Move], State] = {
    (_S.REGISTERED, _M.RECEIVE): _S.RECEIVED,
    (_S.RECEIVED, _M.RECEIVE): _S.RECEIVED,
    (_S.PREREAD, _M.RECEIVE): _S.PREREAD,  # a further recording joins; the pre-read in force stays
    (_S.WRITING, _M.RECEIVE): _S.WRITING,
    (_S.CANCELLED, _M.RECEIVE): _S.RECEIVED,  # bytes outrank a cancelled order: someone was recorded
    (_S.RECEIVED, _M.PREREAD): _S.PREREAD,
    (_S.PREREAD, _M.PREREAD): _S.PREREAD,
    (_S.WRITING, _M.PREREAD): _S.WRITING,
    (_S.WRITTEN, _M.PREREAD): _S.WRITTEN,
    (_S.REVIEWING, _M.PREREAD): _S.REVIEWING,
    (_S.RELEASED, _M.PREREAD): _S.RELEASED,
    (_S.DELIVERED, _M.PREREAD): _S.DELIVERED,
    (_S.RECEIVED, _M.QUARANTINE): _S.REGISTERED,  # unreadable bytes: the exam still has to be recorded
    (_S.RECEIVED, _M.CLAIM): _S.WRITING,  # a physician need not wait for a pre-read that does not come
    (_S.PREREAD, _M.CLAIM): _S.WRITING,
    (_S.WRITING, _M.CLAIM): _S.WRITING,
    (_S.WRITING, _M.LET_GO): _S.PREREAD,
    (_S.WRITING, _M.SIGN): _S.WRITTEN,
    (_S.WRITTEN, _M.CLAIM): _S.REVIEWING,
    (_S.REVIEWING, _M.CLAIM): _S.REVIEWING,
    (_S.REVIEWING, _M.LET_GO): _S.WRITTEN,
    (_S.REVIEWING, _M.RETURN): _S.WRITING,
    (_S.REVIEWING, _M.RELEASE): _S.RELEASED,
    (_S.RELEASED, _M.DELIVER): _S.DELIVERED,
    (_S.DELIVERED, _M.DELIVER): _S.DELIVERED,
    (_S.RELEASED, _M.AMEND): _S.WRITING,
    (_S.DELIVERED, _M.AMEND): _S.WRITING,
    (_S.REGISTERED, _M.CANCEL): _S.CANCELLED,
    (_S.RECEIVED, _M.CANCEL): _S.CANCELLED,
    (_S.PREREAD, _M.CANCEL): _S.CANCELLED,
}

TAKES_RECORDINGS = frozenset(state for state, by in TRANSITIONS if by is _M.RECEIVE)
"""A recording that names the order of a study past these waits as unmatched, on the worklist: nobody would look for it
in a study that is signed."""

OPEN_STATES = frozenset({_S.RECEIVED, _S.PREREAD, _S.WRITING, _S.WRITTEN, _S.REVIEWING})
"""Recorded and not yet released: these run against deadlines."""

TO_WRITE = frozenset({_S.RECEIVED, _S.PREREAD, _S.WRITING})
TO_REVIEW = frozenset({_S.WRITTEN, _S.REVIEWING})


def next_state(state: State, move: Move) -> State:
    """The state after a move.

    Raises:
        Conflict: the study does not allow this move where it stands.
    """
    try:
        return TRANSITIONS[state, move]
    except KeyError:
        raise Conflict(
            "The study is {state}; it cannot be moved by “{move}” from there. Reload the page to see where it stands.",
            state=state.value,
            move=move.value,
        ) from None


def allows(state: State, move: Move) -> bool:
    """Whether a study in this state may make this move."""
    return (state, move) in TRANSITIONS
