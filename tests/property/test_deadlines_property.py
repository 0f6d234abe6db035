"""What holds of due times and accession numbers whatever the calendar, the hour and the day."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ecg_center.domain.calendars import CHINA, OFFICE_HOURS, Hours, WorkingCalendar
from ecg_center.domain.deadlines import MINUTES, deadlines
from ecg_center.domain.matching import Identity, OrderIdentity, match
from ecg_center.domain.numbering import CODE, accession_number

INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.sampled_from((UTC, CHINA)))  # noqa: DTZ001
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@st.composite
def hours_of_a_day(draw: st.DrawFn) -> Hours:
    edges = sorted(draw(st.lists(st.times(), unique=True, max_size=6)))
    return tuple((edges[at], edges[at + 1]) for at in range(0, len(edges) - 1, 2))


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    """Any week with at least one hour of work, and holidays within it."""
    weekly = draw(st.dictionaries(st.integers(1, 7), hours_of_a_day(), max_size=7)) | {
        draw(st.integers(1, 7)): ((time(8), time(12)),)
    }
    holidays = draw(st.lists(DAYS, max_size=5))
    made_up = draw(st.lists(DAYS, max_size=3))
    return WorkingCalendar(weekly, dict.fromkeys(holidays, ()) | dict.fromkeys(made_up, OFFICE_HOURS))


@given(calendars(), INSTANTS, st.integers(0, 90))
def test_added_working_time_is_exactly_that_much_work(calendar: WorkingCalendar, start: datetime, minutes: int) -> None:
    duration = timedelta(minutes=minutes)
    end = calendar.add(start, duration)
    assert end >= start
    worked = timedelta(0)
    for begin, close in calendar.spans(start):
        if begin >= end:
            break
        worked += min(close, end) - begin
    assert worked == duration


@given(
    st.sampled_from(("resting", "holter", "abpm")), INSTANTS, st.booleans(), st.booleans(), calendars(), st.booleans(),
    st.none() | INSTANTS,
)  # fmt: skip
def test_due_times_lie_after_their_start_and_their_warning(kind, stored, urgent, chest_pain, calendar, waits, marked):
    found = deadlines(
        kind,
        stored_at=stored,
        urgent=urgent,
        chest_pain=chest_pain,
        marked_at=marked,
        calendar=calendar,
        review_waits_for_working_hours=waits,
    )
    by_kind = {deadline.kind.value: deadline for deadline in found}
    assert ("opinion" in by_kind) == (urgent or chest_pain)
    for deadline in found:
        assert deadline.warn_at < deadline.due_at
        assert stored <= deadline.due_at
    assert by_kind["written"].due_at - stored == timedelta(minutes=MINUTES[kind, "written"])
    promised = timedelta(minutes=MINUTES[kind, "reviewed"])
    if urgent or chest_pain:
        assert by_kind["reviewed"].due_at - stored == promised
        started = stored if marked is None else max(stored, marked)
        assert by_kind["opinion"].due_at - started == timedelta(minutes=10)
    else:
        assert by_kind["reviewed"].due_at - stored >= promised
        assert waits or by_kind["reviewed"].due_at - stored == promised


@given(INSTANTS, st.integers(0, 365))
def test_shanghai_has_no_summer_time(start: datetime, days: int) -> None:
    local = start.astimezone(CHINA)
    assert (local + timedelta(days=days)).utcoffset() == timedelta(hours=8)


CODES = st.from_regex(CODE, fullmatch=True).filter(str.isascii)


@given(CODES, DAYS, st.integers(1, 9999), CODES, DAYS, st.integers(1, 9999))
def test_an_accession_number_fits_dicom_and_is_one_exams_alone(code, day, number, code2, day2, number2):
    one, other = accession_number(code, day, number), accession_number(code2, day2, number2)
    assert len(one) <= 16
    assert one.isascii()
    assert (one == other) == ((code, day, number) == (code2, day2, number2))


TEXT = st.none() | st.text(max_size=16)


@given(st.builds(Identity, TEXT, TEXT, TEXT, st.none() | st.sampled_from("MFO"), st.none() | DAYS), DAYS)
def test_whatever_a_device_writes_it_never_matches_another_number(recorded: Identity, birth: date) -> None:
    order = OrderIdentity("T1-261122-007", "P-100", "张三", "F", birth)
    if match(recorded, order).matched:
        assert recorded.accession_number is not None
        assert "".join(recorded.accession_number.split()).upper() != ""
        assert recorded.sex != "M"
        assert recorded.birth_date in (None, birth)
