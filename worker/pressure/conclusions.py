"""What do the figures say in words? Coded statements, each with the figure and the limit that it rests on.

Nothing is said of a level, a night or a rhythm for which there were too few readings; where there were fewer than the
guideline wants but as many as population studies accept, it is said as probable. Normal is said only of a valid
recording.
"""

from collections.abc import Sequence
from typing import Final

from ecg_center.contract.findings import Certainty, CriticalValue, Evidence, Grade, Statement
from ecg_center.contract.pressure import PeriodSummary, PressureFindings, printed
from ecg_center.domain.statements import Overall, in_report_order, overall_of
from worker.pressure.guideline import Alert, Guideline, Limit, Name, Tier
from worker.pressure.markers import low, markers
from worker.pressure.measured import Measured
from worker.pressure.validity import ACCEPTED_NIGHT, lacking
from worker.resting.say import evidence, say

MMHG: Final = "mmHg"
_RAISED: Final[dict[Name, str]] = {"24h": "901", "day": "902", "night": "903"}
_DIPPING: Final = {"dipper": "920", "non_dipper": "921", "reverse": "922", "extreme": "923"}
MAX_EVIDENCE: Final = 20


def statements(
    found: PressureFindings, guideline: Guideline, fired: Sequence[tuple[Alert, list[Evidence]]], *, adult: bool
) -> list[Statement]:
    """All that is said, in the order of the report."""
    said = [*_validity(found, guideline)]
    if fired:
        said.append(say("913", *[item for _, items in fired for item in items][:MAX_EVIDENCE]))
    if found.validity.verdict != "insufficient":
        certainty: Certainty = "definite" if found.validity.verdict == "valid" else "probable"
        said += _rhythm(found, guideline, certainty)
        if found.grading.limits:
            said += _levels(found, guideline, certainty, adult=adult)
        if adult:
            said += markers(found)
    by_code = {one.code: one for one in said}
    return [by_code[code] for code in in_report_order(by_code)]


def _validity(found: PressureFindings, guideline: Guideline) -> list[Statement]:
    seen, least = lacking(found), (guideline.share_percent, guideline.least_day, guideline.least_night)
    facts = {
        "share": evidence("readings_share_percent", seen.share_percent, least[0], "%", source=guideline.source),
        "day": evidence("readings_day", seen.day, least[1], source=guideline.source),
        "night": evidence("readings_night", seen.night, least[2], source=guideline.source),
    }
    missing = [facts[name] for name in found.validity.missing]
    said = []
    if found.validity.verdict != "valid":
        said.append(say("940" if found.validity.verdict == "limited" else "942", *missing))
    if found.validity.night < ACCEPTED_NIGHT:
        said.append(say("941", facts["night"]))
    if found.grading.not_graded_zh:
        said.append(say("943"))
    return said


def _levels(found: PressureFindings, guideline: Guideline, certainty: Certainty, *, adult: bool) -> list[Statement]:
    tier = guideline.hypertension
    raised = {
        name: _reached(found, summary, tier.limits[name], guideline.source)
        for name in tier.limits
        if (summary := found.period(name)) is not None and (name != "night" or summary.readings >= ACCEPTED_NIGHT)
    }
    high = {name for name, items in raised.items() if items}
    said = [say(_RAISED[name], *raised[name], certainty=certainty) for name in high]
    if "night" in high and "day" not in high:
        said = [one for one in said if one.code != "903"] + [say("904", *raised["night"], certainty=certainty)]
    elif "day" in high and "night" in raised and "night" not in high:
        said = [one for one in said if one.code != "902"] + [say("905", *raised["day"], certainty=certainty)]
    said += _isolated(found, tier, certainty) + _morning(found, guideline, certainty)
    said += _against_office(found, guideline, is_high=bool(high))
    if not high and not any(one.code == "909" for one in said) and not (adult and low(found)):
        said += _not_high(found, guideline, certainty)
    return said


def _reached(found: PressureFindings, summary: PeriodSummary, limit: Limit, source: str) -> list[Evidence]:
    """The averages that reach the limit; empty where none does."""
    name = summary.period
    systolic, diastolic = found.average_of(summary.systolic), found.average_of(summary.diastolic)
    items = []
    if limit.systolic_reached(systolic):
        items.append(evidence(f"systolic_{name}_mmhg", printed(systolic), limit.systolic, MMHG, source=source))
    if limit.diastolic_reached(diastolic):
        items.append(evidence(f"diastolic_{name}_mmhg", printed(diastolic), limit.diastolic, MMHG, source=source))
    return items


def _isolated(found: PressureFindings, tier: Tier, certainty: Certainty) -> list[Statement]:
    """One pressure of the 24 hours is too high and the other is not."""
    summary, limit = found.period("24h"), tier.limits["24h"]
    if summary is None:
        return []
    items = _reached(found, summary, limit, found.grading.source)
    if len(items) != 1:
        return []
    return [say("906" if items[0].quantity.startswith("systolic") else "907", *items, certainty=certainty)]


def _morning(found: PressureFindings, guideline: Guideline, certainty: Certainty) -> list[Statement]:
    """清晨高血压: by the two hours after waking, where the guideline has a limit of it."""
    surge, limit = found.surge, guideline.morning
    if surge is None or limit is None:
        return []
    items = []
    for quantity, value, least, reached in (
        ("morning_systolic_mmhg", surge.morning_systolic_mmhg, limit.systolic, limit.systolic_reached),
        ("morning_diastolic_mmhg", surge.morning_diastolic_mmhg, limit.diastolic, limit.diastolic_reached),
    ):
        if reached(value):
            items.append(evidence(quantity, printed(value), least, MMHG, source=guideline.source))
    return [say("909", *items, certainty=certainty)] if items else []


def _against_office(found: PressureFindings, guideline: Guideline, *, is_high: bool) -> list[Statement]:
    """Masked or white-coat hypertension; probable, because the order does not say whether the patient is treated."""
    office, limit = found.office, guideline.office
    if office is not None:
        items = [
            evidence("office_systolic_mmhg", office.systolic_mmhg, limit.systolic, MMHG, source=guideline.source),
            evidence("office_diastolic_mmhg", office.diastolic_mmhg, limit.diastolic, MMHG, source=guideline.source),
        ]
        office_high = limit.reached(office.systolic_mmhg, office.diastolic_mmhg)
        if office_high == is_high:
            return []
        return [say("910" if is_high else "911", *items, certainty="probable")]
    window = found.white_coat
    if window is None or is_high or window.rest_of_day_systolic_mmhg is None:
        return []
    highest = (window.first_hour_max_systolic_mmhg, window.first_hour_max_diastolic_mmhg)
    if not limit.reached(*highest):
        return []
    items = [
        evidence("first_hour_max_systolic_mmhg", highest[0], limit.systolic, MMHG, start_s=0, end_s=3600),
        evidence("first_hour_max_diastolic_mmhg", highest[1], limit.diastolic, MMHG, start_s=0, end_s=3600),
    ]
    return [say("912", *items, certainty="possible")]


def _not_high(found: PressureFindings, guideline: Guideline, certainty: Certainty) -> list[Statement]:
    """Normal, or the tier below hypertension; of a recording with a gap where normal cannot be known, nothing."""
    for tier in reversed(guideline.tiers):
        if tier.is_hypertension:
            continue
        items = [
            item
            for name, limit in tier.limits.items()
            if (summary := found.period(name)) is not None
            for item in _reached(found, summary, limit, guideline.source)
        ]
        if items:
            return [say("908", *items, certainty=certainty)]
    return [say("900")] if found.validity.verdict == "valid" else []


def _rhythm(found: PressureFindings, guideline: Guideline, certainty: Certainty) -> list[Statement]:
    said = []
    night = found.period("night")
    if found.dipping is not None and night is not None and night.readings >= ACCEPTED_NIGHT:
        item = evidence("dip_systolic_percent", found.dipping.systolic_percent, None, "%", source=guideline.source)
        said.append(say(_DIPPING[found.dipping.systolic], item, certainty=certainty))
    surge = found.surge
    if surge is not None and surge.limit_mmhg is not None and printed(surge.sleep_trough_mmhg) >= surge.limit_mmhg:
        start = (surge.waking_at - found.started_at).total_seconds()
        item = evidence(
            "surge_mmhg", printed(surge.sleep_trough_mmhg), surge.limit_mmhg, MMHG,
            start_s=start, end_s=start + 7200, source=guideline.source,
        )  # fmt: skip
        said.append(say("924", item, certainty=certainty))
    return said


def alerts(
    found: PressureFindings, readings: Sequence[Measured], guideline: Guideline
) -> list[tuple[Alert, list[Evidence]]]:
    """The alerts of the guideline that fire, each with what it rests on."""
    fired = []
    for alert in guideline.alerts:
        items = _severe_readings(found, readings, alert) if alert.readings else _severe_average(found, alert)
        if items:
            fired.append((alert, items))
    return fired


def _severe_average(found: PressureFindings, alert: Alert) -> list[Evidence]:
    summary = found.period("24h")
    if summary is None or found.validity.verdict == "insufficient":
        return []
    return _reached(found, summary, alert.limit, alert.source)


def _severe_readings(found: PressureFindings, readings: Sequence[Measured], alert: Alert) -> list[Evidence]:
    severe = [one for one in readings if alert.limit.reached(one.systolic, one.diastolic)]
    if len(severe) < alert.readings:
        return []
    highest = max(severe, key=lambda one: one.systolic)
    at = (highest.at - found.started_at).total_seconds()
    return [
        evidence("severe_readings", len(severe), alert.readings, source=alert.source),
        evidence("systolic_highest_mmhg", highest.systolic, alert.limit.systolic, MMHG, start_s=at, end_s=at),
        evidence("diastolic_highest_mmhg", highest.diastolic, alert.limit.diastolic, MMHG, start_s=at, end_s=at),
    ]


def critical_values(fired: Sequence[tuple[Alert, list[Evidence]]], guideline: Guideline) -> list[CriticalValue]:
    """The alerts that the guideline set calls critical."""
    return [
        CriticalValue(
            rule_set=guideline.name,
            rule=alert.name,
            title_zh=alert.title_zh,
            title_en=alert.title_en,
            evidence=items,
        )
        for alert, items in fired
        if alert.grade == "critical"
    ]


def grade(said: Sequence[Statement], fired: Sequence[tuple[Alert, list[Evidence]]]) -> Grade:
    """How urgent the study is: by its alerts, else by what was said; one of which nothing is said is abnormal."""
    if any(alert.grade == "critical" for alert, _ in fired):
        return "critical"
    if fired:
        return "major"
    overall = overall_of([one.code for one in said])
    return "normal" if overall in (Overall.NORMAL, Overall.BORDERLINE) else "abnormal"
