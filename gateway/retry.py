"""When is something that failed tried again?

Exponential back-off with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): the
n-th wait is drawn evenly from 0 to ``min(cap, base * 2**n)``, so that forty gateways that lost the centre in the same
second do not all return in the same second.
"""

from dataclasses import dataclass

from ecg_center.contract.upload import Problem


@dataclass(frozen=True, slots=True)
class Backoff:
    """The two constants of one back-off, seconds."""

    base_s: float
    cap_s: float


URGENT = Backoff(base_s=0.25, cap_s=5)
"""A chest pain has ten minutes in all: after an outage of any length the next try is at most five seconds away."""

ROUTINE = Backoff(base_s=0.5, cap_s=30)
"""A resting ECG has thirty minutes: half a minute at most is lost, and a county of gateways stays below two
requests a second against a centre that is down."""

PRINTER = Backoff(base_s=5, cap_s=120)
"""Paper is loaded and printers are switched on by people, within minutes; a knock every two minutes disturbs nobody."""

BROKER = Backoff(base_s=0.25, cap_s=15)
"""Devices re-send their first message within half a minute; the gateway must be back on the broker before that."""

MAX_RETRY_AFTER_S = 120.0
"""A server may ask for patience (RFC 9110 section 10.2.3), but not keep a recording waiting for hours by mistake."""


def delay_s(backoff: Backoff, failures: int, drawn: float, retry_after_s: float | None = None) -> float:
    """How long to wait after so many failures in a row.

    Args:
        backoff: the constants.
        failures: how many there were, at least one.
        drawn: a random number from 0 to 1, given by the caller so that this stays a pure function.
        retry_after_s: what the server asked for, if it did.

    >>> delay_s(ROUTINE, 1, 1.0), delay_s(ROUTINE, 3, 0.5), delay_s(ROUTINE, 99, 1.0)
    (0.5, 1.0, 30.0)
    """
    assert failures >= 1
    assert 0 <= drawn <= 1
    ceiling = min(backoff.cap_s, backoff.base_s * 2.0 ** min(failures - 1, 32))
    wait = ceiling * drawn
    if retry_after_s is not None and retry_after_s > 0:
        return min(retry_after_s, MAX_RETRY_AFTER_S) + wait
    return wait


PASSING = frozenset({401, 407, 408, 409, 425, 429})
"""4xx that speak of the token, the proxy, the load or the present state of an upload, not of the recording."""


def is_final(status: int, problem: Problem | None) -> bool:
    """Whether an answer means that only a person can help, so that trying again is of no use.

    Only the centre's own word counts: a 4xx without its ``Problem`` comes from a proxy or a wrong address.
    """
    return 400 <= status < 500 and status not in PASSING and problem is not None and not problem.retry
