"""What of a day need not be concluded anew when a physician changes a beat?

ST, QT and alternans come from the averaged beats of each stretch, which no edit touches; the variability of an hour in
which no interval changed is what it was. Both are kept as long as the measured day is, and found again by what they
were made of, so that a result is the same whether it was kept or made.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from worker.holter.measured import Minutes

T = TypeVar("T")

MOST: Final = 1024
"""Results of one day: 14 days have 336 hours and a few more windows; what was not asked for longest gives way."""

_days: WeakKeyDictionary[Minutes, OrderedDict[Hashable, Any]] = WeakKeyDictionary()
_lock: Final = Lock()


def kept(minutes: Minutes, key: Hashable, make: Callable[[], T]) -> T:
    """The result of this name that belongs to a measured day, made where it is not there yet.

    Args:
        minutes: the day's, which all edits of it share; with it goes what was kept.
        key: the name and all that the result depends on besides the minutes. The result must not be changed.
    """
    with _lock:
        mine = _days.setdefault(minutes, OrderedDict())
        if key in mine:
            mine.move_to_end(key)
            found: T = mine[key]
            return found
    made = make()
    with _lock:
        mine[key] = made
        while len(mine) > MOST:
            mine.popitem(last=False)
    return made
