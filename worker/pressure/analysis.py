"""Readings → findings: the one way through a day of blood pressures.

verdict on each reading → nights → averages → validity → rhythm, surge, stiffness, white-coat window → words and alerts.
:func:`conclude` is pure and takes milliseconds: after a physician's edit it is done again from the readings as they
were received.
"""

from collections.abc import Sequence
from typing import Final

from ecg_center.contract.findings import Findings, Quality
from ecg_center.contract.pressure import (
    Dipping,
    Grading,
    Limits,
    Night,
    PressureEdit,
    PressureFindings,
    PressureRow,
)
from ecg_center.domain.calendars import CHINA
from worker.pressure.averages import by_hour, summary, weighted, weighted_sd
from worker.pressure.conclusions import alerts, critical_values, grade, statements
from worker.pressure.days import days_of, nights_by_themselves
from worker.pressure.dipping import dipping
from worker.pressure.editing import Verdict, in_force, verdicts
from worker.pressure.guideline import ADULT_FROM_YEARS, DEFAULT, PERIODS, Guideline, for_age, load
from worker.pressure.indication import NOTHING, Noted
from worker.pressure.load import with_load
from worker.pressure.measured import Measured, mean_arterial
from worker.pressure.percentiles import for_child
from worker.pressure.periods import Nights, nights_of
from worker.pressure.stiffness import stiffness
from worker.pressure.surge import mean_surge, surges_of
from worker.pressure.validity import lacking, over_all, validity
from worker.pressure.window import white_coat_window
from worker.pressure_readings import BloodPressureSeries, PressureReading
from worker.resting.patient import Patient, Person, person_of

ENGINE: Final = "pressure"
ENGINE_VERSION: Final = "1.0"


def analyse(
    series: BloodPressureSeries,
    patient: Patient | None = None,
    *,
    guideline: str = DEFAULT,
    narrow_hours: bool = False,
    noted: Noted = NOTHING,
    edits: Sequence[PressureEdit] = (),
) -> Findings:
    """What a day of readings says; the order's birth date outranks the one written in the file.

    Args:
        series: the readings as received.
        patient: what the order knows.
        guideline: id of a set of limits, or the path of its TOML file.
        narrow_hours: take the guideline's narrow fixed hours where neither diary nor device says when night was.
        noted: what the order says: the pressure in the consulting room, for masked and white-coat hypertension, and a
            child's height.
        edits: the physician's, in the order in which they were made.

    Raises:
        GuidelineError: there is no such set.
        EditError: an edit cannot be applied.
    """
    person = person_of(series, patient or Patient())
    return conclude(series, edits, person=person, guideline=load(guideline), narrow_hours=narrow_hours, noted=noted)


def conclude(
    series: BloodPressureSeries,
    edits: Sequence[PressureEdit] = (),
    *,
    person: Person | None = None,
    guideline: Guideline | None = None,
    narrow_hours: bool = False,
    noted: Noted = NOTHING,
) -> Findings:
    """Everything from the readings and the edits; arguments as in :func:`analyse`.

    Raises:
        EditError: an edit cannot be applied.
    """
    age = None if person is None else person.age_years
    rules = for_age(guideline or load(), age)
    nights = nights_of(series, rules.clock_narrow if narrow_hours else rules.clock)
    rows, used = _rows(series, nights, verdicts(series.readings, age, edits))
    graded = age is None or age >= rules.fixed_from_years
    if not graded and (own := for_child(rules, person, noted.height_cm)) is not None:
        rules, graded = own, True
    figures = _figures(series, rows, used, nights, rules, age, graded=graded, noted=noted)
    figures = figures.model_copy(update={"edits": len(in_force(edits))})
    fired = alerts(figures, used, rules)
    said = statements(figures, rules, fired, adult=age is None or age >= ADULT_FROM_YEARS)
    return Findings(
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        kind="abpm",
        duration_s=round(series.duration.total_seconds(), 3),
        sampling_hz=0.0,
        leads=[],
        quality=_quality(figures, rules),
        statements=said,
        critical=critical_values(fired, rules),
        grade=grade(said, fired),
        warnings=list(series.warnings),
        pressure=figures,
    )


def _rows(
    series: BloodPressureSeries, nights: Nights, found: Sequence[Verdict]
) -> tuple[list[PressureRow], list[Measured]]:
    """Every reading with what became of it, and those that are used."""
    rows, used = [], []
    for one, verdict in zip(series.readings, found, strict=True):
        at, period = one.at.astimezone(CHINA), nights.period(one.at)
        rows.append(
            PressureRow(
                at=at,
                systolic_mmhg=one.systolic_mmhg,
                diastolic_mmhg=one.diastolic_mmhg,
                mean_mmhg=one.mean_mmhg,
                pulse_bpm=one.pulse_bpm,
                state=verdict.state,
                period=period,
                reason=verdict.reason,
                manual=one.manual,
            )
        )
        if verdict.state == "used":
            used.append(_measured(one, rows[-1]))
    return rows, weighted(used)


def _measured(one: PressureReading, row: PressureRow) -> Measured:
    assert one.systolic_mmhg is not None
    assert one.diastolic_mmhg is not None
    mean = one.mean_mmhg
    if mean is None:
        mean = mean_arterial(one.systolic_mmhg, one.diastolic_mmhg)
    return Measured(row.at, one.systolic_mmhg, one.diastolic_mmhg, mean, one.pulse_bpm, row.period)


def _figures(
    series: BloodPressureSeries,
    rows: list[PressureRow],
    used: list[Measured],
    nights: Nights,
    rules: Guideline,
    age: float | None,
    *,
    graded: bool,
    noted: Noted,
) -> PressureFindings:
    periods = [one for name in PERIODS if (one := summary(name, used)) is not None]
    if graded:
        periods = [with_load(one, used, rules.hypertension) for one in periods]
    by_name = {one.period: one for one in periods}
    day, night = by_name.get("day"), by_name.get("night")
    days = days_of(rows, used, series.planned, rules)
    surges = surges_of(used, nights, rules)
    found = PressureFindings(
        started_at=rows[0].at,
        ended_at=rows[-1].at,
        readings=rows,
        nights=[Night(start_at=one.start, end_at=one.end, by=one.source) for one in nights.stretches],
        night_by=nights.source,
        average=rules.average,
        validity=over_all(validity(rows, series.planned, rules), [one.validity for one in days]),
        grading=_grading(rules, graded=graded),
        periods=periods,
        weighted_systolic_sd=weighted_sd(day, night, "systolic"),
        weighted_diastolic_sd=weighted_sd(day, night, "diastolic"),
        hours=by_hour(used),
        surge=mean_surge(surges),
        stiffness=stiffness(used, age),
        white_coat=white_coat_window(used),
        office=noted.office,
        days=days,
        by_night=nights_by_themselves(used, nights, surges, rules),
    )
    update = {"dipping": _dipping(found), "grading": _with_category(found, rules)}
    return found.model_copy(update=update)


def _dipping(found: PressureFindings) -> Dipping | None:
    day, night = found.period("day"), found.period("night")
    if day is None or night is None:
        return None
    averages = [(found.average_of(one.systolic), found.average_of(one.diastolic)) for one in (day, night)]
    return dipping(*averages)


def _grading(rules: Guideline, *, graded: bool) -> Grading:
    limits = {
        name: Limits(systolic_mmhg=limit.systolic, diastolic_mmhg=limit.diastolic)
        for name, limit in rules.hypertension.limits.items()
        if limit.diastolic is not None
    }
    return Grading(
        guideline=rules.name,
        title_zh=rules.title_zh,
        title_en=rules.title_en,
        source=rules.source,
        limits=limits if graded else {},
        not_graded_zh="" if graded else rules.below_zh,
        not_graded_en="" if graded else rules.below_en,
    )


def _with_category(found: PressureFindings, rules: Guideline) -> Grading:
    """The highest tier that any of the averages reaches."""
    if not found.grading.limits:
        return found.grading
    reached = [
        tier.name
        for tier in rules.tiers
        for one in found.periods
        if tier.limits[one.period].reached(found.average_of(one.systolic), found.average_of(one.diastolic))
    ]
    return found.grading.model_copy(update={"category": reached[-1] if reached else ""})


def _quality(found: PressureFindings, rules: Guideline) -> Quality:
    """Whether the readings can be relied on, and if not what the technician should do."""
    if found.validity.verdict == "valid":
        return Quality(verdict="usable")
    seen = lacking(found)
    share, day, night = rules.share_percent, rules.least_day, rules.least_night
    zh = f"有效读数{seen.share_percent:.0f}%，白天{seen.day}次，夜间{seen.night}次；要求≥{share:g}%、{day}次、{night}次"
    en = (
        f"{seen.share_percent:.0f} % of the readings, {seen.day} by day, {seen.night} by night; "
        f"asked for are {share:g} %, {day} and {night}"
    )
    if len(found.days) > 1:
        zh, en = f"最好的24小时：{zh}", f"the best 24 hours: {en}"
    if found.validity.verdict == "limited":
        return Quality(verdict="limited", advice_zh=zh, advice_en=en)
    return Quality(
        verdict="repeat",
        advice_zh=f"{zh}。请核对袖带型号与佩戴，重新监测",
        advice_en=f"{en}. Check the cuff's size and place and repeat the monitoring",
    )
