"""How are ten thousands of events held, of which a page is told a part?

Two weeks may have 87,000 single beats and runs, and findings hold 20,000 events. What the beats tell is therefore kept
as columns: counted, put in order and cut down as such. Only what is told becomes an
:class:`~ecg_center.contract.holter.Event`, which takes 5 µs and half a kilobyte.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.holter import MAX_EVENTS, Event, EventKind
from worker.holter.readable import Bools, Floats, Readable

Rows = NDArray[np.int64]
Kinds = NDArray[np.int8]

KINDS: Final[tuple[EventKind, ...]] = tuple(sorted(get_args(EventKind)))
"""In order of name, so that numbers of kinds stand in the order of their names."""
NUMBER: Final[dict[str, int]] = {kind: number for number, kind in enumerate(KINDS)}
QUANTITY: Final = {"r_on_t": "before_t_summit_ms", "pause": "rr_ms", "dropped_beat": "rr_ms"}
"""What the value of an event is."""
WITHOUT_RATE: Final = frozenset(("r_on_t",))
DECIMALS: Final = 3
NEARLY_HALF: Final = 1e-6
SINGLES: Final = frozenset(("v_single", "s_single"))
LEAST_TOLD: Final = (
    SINGLES,
    frozenset(("noise", "lead_off", "dropped_beat")),
    frozenset(("v_couplet", "s_couplet", "v_bigeminy", "v_trigeminy", "s_bigeminy", "s_trigeminy", "s_run", "r_on_t")),
)
"""What is left out first where a day has more events than findings may hold."""
_GIVEN: Final = set(Event.model_fields)
"""One for all events: a set of its own would be half of what each takes."""
_UNTOLD: Final = {name: field.default for name, field in Event.model_fields.items() if not field.is_required()}
"""What an event says where nothing is said; looking it up for each would take as long as all else."""


def event_of(day: Readable, kind: EventKind, first: int, last: int, **more: float | str | None) -> Event:
    """From beat ``first`` to beat ``last``, which is part of it; the rate is the mean over its intervals."""
    at_s, rate = day.at_s, None
    if last > first:  # as ``ectopy.rate_between``, of plain numbers: a day may have ten thousands of events
        sample = day.beats.sample
        rate = round(60 * day.measured.sampling_hz * (last - first) / (sample.item(last) - sample.item(first)), 1)
    values: dict[str, Any] = {
        **_UNTOLD,
        "kind": kind,
        "start_s": round(at_s.item(first), DECIMALS),
        "end_s": round(at_s.item(last), DECIMALS),
        "beats": last - first + 1,
        "rate_bpm": rate,
        "leads": [],
        **more,
    }
    event = Event(**values)
    object.__setattr__(event, "__pydantic_fields_set__", _GIVEN)
    return event


@dataclass(frozen=True, eq=False)
class BeatEvents:
    """Events from one beat to another, as columns of one length.

    Attributes:
        kind: (n,) int8 numbers of :data:`KINDS`.
        first, last: (n,) the beats that it begins and ends with.
        beats: (n,) how many count.
        value: (n,) what makes it grave, nan where nothing does; :data:`QUANTITY` is its name.
    """

    kind: Kinds
    first: Rows
    last: Rows
    beats: Rows
    value: Floats

    @classmethod
    def of(
        cls, kind: EventKind | Sequence[EventKind], first: Rows, last: Rows,
        *, value: Floats | None = None, beats: Rows | None = None,
    ) -> "BeatEvents":  # fmt: skip
        """Events of one kind, or of as many as there are events."""
        names = [kind] * len(first) if isinstance(kind, str) else kind
        return cls(
            np.array([NUMBER[name] for name in names], np.int8),
            first,
            last,
            last - first + 1 if beats is None else beats,
            np.full(len(first), np.nan) if value is None else value,
        )

    @classmethod
    def joined(cls, parts: Iterable["BeatEvents"]) -> "BeatEvents":
        """One after the other."""
        columns = zip(*((part.kind, part.first, part.last, part.beats, part.value) for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def __len__(self) -> int:
        return len(self.kind)

    def taken(self, chosen: Rows | Bools) -> "BeatEvents":
        """Some of them."""
        return BeatEvents(
            self.kind[chosen], self.first[chosen], self.last[chosen], self.beats[chosen], self.value[chosen]
        )

    def in_order(self, day: Readable) -> "BeatEvents":
        """In order of time, and of their names where they begin together."""
        return self.taken(np.lexsort((self.kind, self.start_s(day))))

    def start_s(self, day: Readable) -> Floats:
        """(n,) when each begins, as it is told."""
        return _rounded(day.at_s[self.first])

    def told(self, day: Readable) -> list[Event]:
        """As findings tell them."""
        columns = (self.kind, self.first, self.last, self.beats, self.value)
        events = []
        for number, first, last, beats, value in zip(*(column.tolist() for column in columns), strict=True):
            kind = KINDS[number]
            more: dict[str, Any] = {"beats": beats}
            if kind in QUANTITY:
                more |= {"value": value, "quantity": QUANTITY[kind]}
            if kind in WITHOUT_RATE:
                more["rate_bpm"] = None
            events.append(event_of(day, kind, first, last, **more))
        return events


def _rounded(values: Floats) -> Floats:
    """To thousandths, each as ``round`` does it.

    >>> _rounded(np.array([0.0625, 2.0005, 1.0014999])).tolist() == [0.062, round(2.0005, 3), 1.001]
    True
    """
    thousandths = values * 1000
    whole = np.rint(thousandths)
    found: Floats = whole / 1000
    for place in np.flatnonzero(np.abs(np.abs(thousandths - whole) - 0.5) < NEARLY_HALF).tolist():
        found[place] = round(values.item(place), DECIMALS)
    return found


@dataclass(frozen=True, eq=False)
class Happened:
    """All events of a day: those of the beats as columns, a few before and behind them.

    Of events that begin at the same moment and are of one kind, these stand in this order in the findings.
    """

    before: Sequence[Event]
    of_beats: BeatEvents
    behind: Sequence[Event]

    def kinds(self) -> Kinds:
        """(n,) numbers of :data:`KINDS`."""
        before, behind = (np.array([NUMBER[e.kind] for e in part], np.int8) for part in (self.before, self.behind))
        return np.concatenate([before, self.of_beats.kind, behind])

    def starts(self, day: Readable) -> Floats:
        """(n,) seconds."""
        before, behind = (np.array([e.start_s for e in part], float) for part in (self.before, self.behind))
        return np.concatenate([before, self.of_beats.start_s(day), behind])

    def told(self, day: Readable) -> tuple[list[Event], list[str]]:
        """In order of time and not too many, and what had to be left out."""
        kinds, warnings = self.kinds(), []
        kept = np.ones(len(kinds), bool)
        for named in (*LEAST_TOLD, frozenset(KINDS[number] for number in np.unique(kinds).tolist())):
            excess = int(np.count_nonzero(kept)) - MAX_EVENTS
            if excess <= 0:
                break
            going = np.flatnonzero(kept & np.isin(kinds, [NUMBER[kind] for kind in named]))[-excess:]
            kept[going] = False
            warnings.append(
                f"the list of events holds the first {MAX_EVENTS}; {len(going)} "
                f"{'single premature beats' if named == SINGLES else 'more'} are counted only"
            )
        n = len(self.before)
        parts = np.split(kept, [n, n + len(self.of_beats)])
        before, behind = (
            [event for event, stays in zip(events, part.tolist(), strict=True) if stays]
            for events, part in ((self.before, parts[0]), (self.behind, parts[2]))
        )
        events = [*before, *self.of_beats.taken(parts[1]).told(day), *behind]
        return sorted(events, key=attrgetter("start_s", "kind")), warnings
