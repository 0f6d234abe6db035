"""What does a recorder get when it asks for its Modality Worklist?

DICOM PS3.4 annex K (Modality Worklist) with the matching of section C.2.2.2: single value, wildcard, range, sequence,
universal. Pure functions over the cached open orders; the transport is in ``dicom.py``.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from ecg_center.contract.orders import OpenOrder

MODALITY = {"resting": "ECG", "holter": "ECG", "abpm": "HD"}
"""PS3.3 C.7.3.1.1.1: ECG covers resting and ambulatory electrocardiography, HD haemodynamic waveforms."""

MAX_OPEN_DAYS = 366
"""An order that is still open after a year is matched by its last year only."""

Matcher = Callable[[OpenOrder], bool]


class BadQueryError(Exception):
    """The identifier of the C-FIND breaks PS3.4 section K.2.2; answered with 0xA900."""


def find(orders: list[OpenOrder], query: Dataset, station_ae: str, now: datetime) -> Iterator[Dataset]:
    """The worklist items that match, each holding the attributes that were asked for.

    Args:
        orders: the open orders of the caller's institution.
        query: the identifier of the request.
        station_ae: stands in (0040,0001): the caller's own title, since any recorder of the clinic may take an order.
        now: the present moment in the clinic's time zone, in which dates and times are written.

    Raises:
        BadQueryError: a date or a sequence cannot be understood.
    """
    matchers = _matchers(query, station_ae, now)
    for order in orders:
        if all(matches(order) for matches in matchers):
            yield _answer(order, query, station_ae, now)


# -- PS3.4 C.2.2.2: matching ------------------------------------------------------------------------------------


def wildcard(pattern: str, *, ignore_case: bool = False) -> Callable[[str], bool]:
    r"""PS3.4 C.2.2.2.4: ``*`` stands for any characters, ``?`` for one; empty or ``*`` is universal matching.

    >>> wildcard("WANG*", ignore_case=True)("Wang^Wei"), wildcard("?1")("A12"), wildcard("")("")
    (True, False, True)
    """
    pattern = pattern.strip()
    if not pattern.strip("*"):
        return lambda value: True
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    compiled = re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))
    return lambda value: compiled.fullmatch(value.strip()) is not None


def person_name(pattern: str) -> Callable[[OpenOrder], bool]:
    """PS3.4 C.2.2.2.1: names match without regard to case, in any of their component groups.

    Trailing ``^`` mean nothing (PS3.5 section 6.2), and a recorder that asks for the family name alone in its one
    name field gets no empty list for leaving the ``^`` away.
    """
    groups = [group.rstrip("^ ") for group in pattern.split("=") if group.strip("^ ")]
    if not groups:
        return lambda order: True
    tests = [wildcard(group, ignore_case=True) for group in groups]

    def matches(order: OpenOrder) -> bool:
        names = [name.rstrip("^ ") for name in (order.patient_name, order.patient_name_latin) if name]
        names += [name.replace("^", " ") for name in names if "^" in name]
        return any(test(name) for test in tests for name in names)

    return matches


def date_range(said: str) -> Callable[[date], bool]:
    """PS3.4 C.2.2.2.5: ``D``, ``D-``, ``-D``, ``D-D``, each end included; empty is universal.

    >>> date_range("20260101-20260131")(date(2026, 1, 31)), date_range("-20251231")(date(2026, 1, 1))
    (True, False)
    """
    said = said.strip()
    if not said or said == "*":
        return lambda value: True
    first, dash, last = said.partition("-")
    low = _date(first) if first.strip() else date.min
    high = (_date(last) if last.strip() else date.max) if dash else low
    return lambda value: low <= value <= high


def time_range(said: str) -> Callable[[str], bool]:
    """The same for TM, compared as ``HHMMSS``; a shorter end covers all of its hour or minute."""
    said = said.strip().replace(":", "")
    if not said or said == "*":
        return lambda value: True
    first, dash, last = said.partition("-")
    if not dash:
        last = first
    for part in (first, last):
        if part.strip() and not re.fullmatch(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?", part.strip()):
            raise BadQueryError(f"time {part!r} is not HHMMSS")
    low, high = first.strip()[:6].ljust(6, "0"), (last.strip()[:6] or "235959")
    high = high + "235959"[len(high) :]
    return lambda value: low <= value <= high


def _date(said: str) -> date:
    digits = said.strip().replace(".", "")
    try:
        return datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        raise BadQueryError(f"date {said!r} is not YYYYMMDD") from None


# -- which attributes match on what -------------------------------------------------------------------------------


def _matchers(query: Dataset, station_ae: str, now: datetime) -> list[Matcher]:
    """One test for each matching key that carries a value (PS3.4 table K.6-1)."""
    patient_id = wildcard(_text(query, "PatientID"))
    accession = wildcard(_text(query, "AccessionNumber"))
    study_uids = _values(query, "StudyInstanceUID")
    born = date_range(_text(query, "PatientBirthDate"))
    sex = wildcard(_text(query, "PatientSex"))
    tests: list[Matcher] = [
        lambda order: patient_id(order.patient_id),
        person_name(_text(query, "PatientName")),
        lambda order: accession(order.accession_number),
        lambda order: not study_uids or order.study_instance_uid in study_uids,
        lambda order: order.birth_date is None or born(order.birth_date),
        lambda order: sex(order.sex),
    ]
    steps = query.get("ScheduledProcedureStepSequence")
    if steps:
        if len(steps) > 1:
            raise BadQueryError("(0040,0100) may have one item in a query")
        tests += _step_matchers(steps[0], station_ae, now)
    return tests


def _step_matchers(step: Dataset, station_ae: str, now: datetime) -> list[Matcher]:
    modality = wildcard(_text(step, "Modality"))
    station = wildcard(_text(step, "ScheduledStationAETitle"))
    on = date_range(_text(step, "ScheduledProcedureStepStartDate"))
    at = time_range(_text(step, "ScheduledProcedureStepStartTime"))
    step_id = wildcard(_text(step, "ScheduledProcedureStepID"))
    return [
        lambda order: modality(MODALITY[order.kind]),
        lambda order: station(station_ae),
        lambda order: any(on(day) for day in _scheduled_days(order, now)),
        lambda order: at(order.registered_at.astimezone(now.tzinfo).strftime("%H%M%S")),
        lambda order: step_id(order.accession_number),
    ]


def _scheduled_days(order: OpenOrder, now: datetime) -> list[date]:
    """The days on which the order may be recorded: from its registration until today, as long as it is open.

    A patient registered before midnight is still found by a recorder that asks for "today" after it.
    """
    first = min(order.registered_at.astimezone(now.tzinfo).date(), now.date())
    days = min((now.date() - first).days, MAX_OPEN_DAYS)
    return [now.date() - timedelta(days=back) for back in range(days, -1, -1)]


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    if value is None:
        return ""
    if isinstance(value, (list, MultiValue)):
        return str(value[0]) if value else ""
    return str(value)


def _values(dataset: Dataset, keyword: str) -> set[str]:
    """PS3.4 C.2.2.2.2: a list of UIDs matches any of them."""
    value = dataset.get(keyword)
    if value is None:
        return set()
    many = value if isinstance(value, (list, MultiValue)) else [value]
    return {str(one).strip() for one in many} - {""}


# -- the answer ---------------------------------------------------------------------------------------------------


def _answer(order: OpenOrder, query: Dataset, station_ae: str, now: datetime) -> Dataset:
    """PS3.4 K.4.1.1.3: the attributes asked for, those not supported empty, in UTF-8 (PS3.3 C.12.1.1.2)."""
    whole = _whole(order, station_ae, now)
    answer = Dataset()
    answer.SpecificCharacterSet = "ISO_IR 192"
    for asked in query:
        if asked.keyword == "SpecificCharacterSet" or asked.tag.element == 0:
            continue
        _copy(whole, asked.tag, asked.VR, answer, asked.value if asked.VR == "SQ" else None)
    for keyword in ("PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID"):
        answer[keyword] = whole[keyword]  # what ties the recording to its order, whether asked for or not
    return answer


def _copy(whole: Dataset, tag: int, vr: str, answer: Dataset, asked_items: object) -> None:
    if tag not in whole:
        answer.add_new(tag, vr, [] if vr == "SQ" else None)
        return
    if vr == "SQ" and asked_items:
        items = []
        for known in whole[tag].value:
            item = Dataset()
            for asked in asked_items[0]:  # type: ignore[index]
                _copy(known, asked.tag, asked.VR, item, asked.value if asked.VR == "SQ" else None)
            items.append(item)
        answer.add_new(tag, "SQ", items)
        return
    answer[tag] = whole[tag]


def _whole(order: OpenOrder, station_ae: str, now: datetime) -> Dataset:
    """All that the order says, as a worklist item (PS3.4 table K.6-1)."""
    at = order.registered_at.astimezone(now.tzinfo)
    whole = Dataset()
    whole.AccessionNumber = order.accession_number
    whole.ReferringPhysicianName = ""
    whole.PatientName = _dicom_name(order)
    whole.PatientID = order.patient_id
    whole.PatientBirthDate = order.birth_date.strftime("%Y%m%d") if order.birth_date else ""
    whole.PatientSex = order.sex
    whole.StudyInstanceUID = order.study_instance_uid
    whole.RequestedProcedureID = order.accession_number
    whole.RequestedProcedureDescription = order.procedure[:64]
    whole.RequestedProcedurePriority = "STAT" if order.urgent or order.chest_pain else "ROUTINE"
    whole.ReasonForTheRequestedProcedure = order.indication[:64]
    whole.AdmissionID = ""
    step = Dataset()
    step.ScheduledStationAETitle = station_ae
    step.ScheduledProcedureStepStartDate = at.strftime("%Y%m%d")
    step.ScheduledProcedureStepStartTime = at.strftime("%H%M%S")
    step.Modality = MODALITY[order.kind]
    step.ScheduledPerformingPhysicianName = ""
    step.ScheduledProcedureStepDescription = order.procedure[:64]
    step.ScheduledProcedureStepID = order.accession_number
    step.ScheduledProcedureStepStatus = "SCHEDULED"
    whole.ScheduledProcedureStepSequence = [step]
    return whole


def _dicom_name(order: OpenOrder) -> str:
    """PS3.5 section 6.2.1: alphabetic and ideographic group, ``Wang^Wei=王^伟``.

    A recorder with a Latin display shows the first group, a Chinese one the second. Without a Latin name the Chinese
    one stands in both, so that no display is empty.
    """
    latin = (order.patient_name_latin or "").strip() or order.patient_name
    return f"{latin.replace('=', ' ')}={order.patient_name.replace('=', ' ')}"[:200]
