"""How old is the heart where the recorder's clock is wrong, or tells nothing?"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from ecg_center.contract.upload import RecordingIdentity
from worker.resting.patient import Patient, Person, person_of

RECEIVED = date(2026, 11, 20)


@dataclass
class Recorded:
    started_at: datetime | None
    identity: RecordingIdentity = field(default_factory=RecordingIdentity)


@pytest.mark.parametrize(
    ("began", "age_years"),
    [
        (datetime(2026, 5, 20, tzinfo=UTC), 0.5),  # a clock that goes right is believed, however late the file came
        (datetime(2000, 1, 1, tzinfo=UTC), 1.0),  # an empty battery: before the birth
        (None, 1.0),  # a file without a time
    ],
)
def test_a_child_stays_a_child_whatever_the_recorders_clock_says(began, age_years):
    person = person_of(Recorded(began), Patient("F", "2025-11-20", RECEIVED))
    assert person.age_years == pytest.approx(age_years, abs=0.01)


def test_the_devices_word_counts_where_no_birth_is_known():
    assert person_of(Recorded(None, RecordingIdentity(age_years=7)), Patient("M", None, RECEIVED)) == Person(False, 7)
