"""Can a device's clock be believed?

A recorder that lost its battery says 1970 or 2000, a mistyped one the year 1 or 9999. The time printed on a report must
not come from there, and a year that the database cannot hold must not keep a recording out.
"""

from datetime import datetime, timedelta

EARLIEST_YEAR = 1990
"""Before the first digital recorders in the field; what clocks begin with when they were never set is earlier."""
AHEAD = timedelta(days=1)
"""A clock in another time zone is at most this far ahead."""


def believable(started_at: datetime | None, now: datetime) -> datetime | None:
    """The start of a recording as its device says, or None where that cannot be.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 22, tzinfo=UTC)
    >>> believable(datetime(1970, 1, 1, tzinfo=UTC), now) is None
    True
    """
    if started_at is None or started_at.year < EARLIEST_YEAR or started_at > now + AHEAD:
        return None
    return started_at
