"""What does a report of ambulatory blood pressure print beside its chart? Its tables, in Chinese and in English."""

from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from ecg_center.contract.pressure import (
    DayFigures,
    Dipping,
    MorningSurge,
    NightFigures,
    PeriodSummary,
    PressureFindings,
    PressurePair,
    PressureRow,
    Spread,
    printed,
)
from ecg_center.release.document.labels import NOT_MEASURED, Words
from ecg_center.release.document.model import Language

MAX_LISTED: Final = 600
"""Readings on paper, five pages; a longer list stays in the system, and the page says so."""
PERIODS: Final[tuple[Literal["24h", "day", "night"], ...]] = ("24h", "day", "night")

ZH: Final[Words] = {
    "title": "动态血压监测报告",
    "24h": "24小时",
    "day": "白天",
    "night": "夜间",
    "period": "时段",
    "readings": "读数",
    "systolic": "收缩压",
    "diastolic": "舒张压",
    "average": "平均",
    "limit": "界值",
    "range": "范围",
    "sd": "标准差",
    "load": "负荷 %",
    "mean": "平均动脉压",
    "mean_short": "平均压",
    "pulse_pressure": "脉压",
    "pulse": "脉率",
    "pulse_unit": "脉率 次/分",
    "night_mark": "夜间",
    "figures": "其他指标",
    "dip": "夜间下降率（收缩/舒张）",
    "surge": "血压晨峰（较夜间最低）",
    "prewaking": "血压晨峰（较醒前2小时）",
    "morning": "起床后2小时平均",
    "weighted_sd": "加权标准差（收缩/舒张）",
    "cv": "变异系数（收缩/舒张）",
    "arv": "平均真实变异（收缩/舒张）",
    "aasi": "动态动脉硬化指数",
    "first_hour": "第1小时平均",
    "office": "诊室血压",
    "dipper": "杓型",
    "non_dipper": "非杓型",
    "reverse": "反杓型",
    "extreme": "超杓型",
    "worn": "监测 {start} 至 {end}（{hours} 小时）",
    "answered": "有效读数 {answered}/{planned}（{share}%），白天 {day} 次、夜间 {night} 次",
    "nights": "夜间 {nights}",
    "span": "{span}（{by}）",
    "plain": "平均值按读数计算",
    "weighted": "平均值按时间加权",
    "graded": "判定标准：{title}",
    "list": "血压读数",
    "time": "时间",
    "state": "说明",
    "failed": "失败",
    "device": "仪器剔除",
    "outlier": "伪差",
    "physician": "医师剔除",
    "manual": "手动",
    "more": "另有 {count} 次读数未打印，见系统",
    "high": "↑",
    "whole": "全程",
    "comma": "、",
    "by_day": "逐日逐夜（mmHg）",
    "valid": "有效",
    "limited": "读数偏少",
    "insufficient": "读数过少",
    "verdict": "判定",
    "by_day_number": "白天/夜间次数",
    "fall": "夜间下降率 %",
    "lowest": "夜间最低",
    "rise": "晨峰",
    "rise_prewaking": "晨峰（较醒前）",
    "together": "合计",
    "diary": "日记",
    "recorder": "记录仪",
    "clock": "固定时段",
    "next_day": "与次日比较",
    "rests": "结论依据全部读数；晨峰为各晨平均",
}
EN: Final[Words] = {
    "title": "Ambulatory blood pressure report",
    "24h": "24 hours",
    "day": "Day",
    "night": "Night",
    "period": "Period",
    "readings": "Readings",
    "systolic": "Systolic",
    "diastolic": "Diastolic",
    "average": "Average",
    "limit": "Limit",
    "range": "Range",
    "sd": "SD",
    "load": "Load %",
    "mean": "Mean arterial",
    "mean_short": "Mean",
    "pulse_pressure": "Pulse pressure",
    "pulse": "Pulse",
    "pulse_unit": "Pulse /min",
    "night_mark": "Night",
    "figures": "Other figures",
    "dip": "Fall at night",
    "surge": "Morning surge, from lowest",
    "prewaking": "Morning surge, before waking",
    "morning": "Two hours after waking",
    "weighted_sd": "Weighted SD",
    "cv": "Coefficient of variation",
    "arv": "Average real variability",
    "aasi": "Arterial stiffness index",
    "first_hour": "First hour",
    "office": "Office pressure",
    "dipper": "dipper",
    "non_dipper": "non-dipper",
    "reverse": "reverse dipper",
    "extreme": "extreme dipper",
    "worn": "{start} to {end} ({hours} h)",
    "answered": "{answered} of {planned} readings ({share} %), {day} by day, {night} by night",
    "nights": "night {nights}",
    "span": "{span} ({by})",
    "plain": "averages of the readings",
    "weighted": "averages weighted by time",
    "graded": "limits: {title}",
    "list": "Readings",
    "time": "Time",
    "state": "Note",
    "failed": "failed",
    "device": "recorder",
    "outlier": "artefact",
    "physician": "taken out",
    "manual": "manual",
    "more": "{count} more readings are not printed",
    "high": "↑",
    "whole": "Whole",
    "comma": ", ",
    "by_day": "Each day and night (mmHg)",
    "valid": "enough readings",
    "limited": "fewer than required",
    "insufficient": "too few",
    "verdict": "Verdict",
    "by_day_number": "Day/night",
    "fall": "Fall at night %",
    "lowest": "Lowest",
    "rise": "Morning surge",
    "rise_prewaking": "Surge, before waking",
    "together": "All together",
    "diary": "diary",
    "recorder": "recorder",
    "clock": "fixed hours",
    "next_day": "against the next day",
    "rests": "Conclusions rest on all readings; the surge is the mean of the mornings",
}
NIGHT_BY: Final = {"diary": "diary", "device": "recorder", "clock": "clock"}
WORDS: Final[dict[Language, Words]] = {"zh": ZH, "en": EN}


def caption(found: PressureFindings, language: Language, time_zone: str) -> list[str]:
    """What stands below the chart: when, how many readings, whose night, which limits."""
    words, zone = WORDS[language], ZoneInfo(time_zone)
    start, end, seen = found.started_at.astimezone(zone), found.ended_at.astimezone(zone), found.validity
    hours = (end - start).total_seconds() / 3600
    lines = [
        words["worn"].format(start=f"{start:%m-%d %H:%M}", end=f"{end:%m-%d %H:%M}", hours=f"{hours:.1f}"),
        words["answered"].format(
            answered=seen.answered,
            planned=seen.planned,
            share=printed(seen.share_percent),
            day=seen.day,
            night=seen.night,
        ),
        *_nights(found, words, zone),
        words[found.average],
    ]
    title = found.grading.title_zh if language == "zh" else found.grading.title_en
    not_graded = found.grading.not_graded_zh if language == "zh" else found.grading.not_graded_en
    return [*lines, not_graded or words["graded"].format(title=title)]


def _nights(found: PressureFindings, words: Words, zone: ZoneInfo) -> list[str]:
    """From when to when it was night and who says so, in one line; what several nights share is told once."""
    told = [
        words["span"].format(
            span=f"{one.start_at.astimezone(zone):%H:%M}–{one.end_at.astimezone(zone):%H:%M}",
            by=words[NIGHT_BY[one.by or found.night_by]],
        )
        for one in found.nights
    ]
    return [words["nights"].format(nights=words["comma"].join(dict.fromkeys(told)))] if told else []


def averages(found: PressureFindings, language: Language) -> dict[str, Any]:
    """The table of averages: its head, and a row for each period that has a reading."""
    words = WORDS[language]
    head = ("average", "limit", "range", "sd", "load")
    rows = []
    for name in PERIODS:
        summary = found.period(name)
        if summary is not None:
            title = words["whole" if name == "24h" and found.is_long else name]
            rows.append({"name": title, **_row(found, summary, words)})
    return {
        "period": words["period"],
        "systolic": words["systolic"] + " mmHg",
        "diastolic": words["diastolic"] + " mmHg",
        "head": [words[name] for name in head],
        "tail": [words[name] for name in ("mean", "pulse_pressure", "pulse", "readings")],
        "rows": rows,
    }


def _row(found: PressureFindings, summary: PeriodSummary, words: Words) -> dict[str, Any]:
    limits = found.grading.limits.get(summary.period)
    pulse = summary.pulse
    return {
        "systolic": _cells(
            found, summary.systolic, limits.systolic_mmhg if limits else None, summary.systolic_load_percent, words
        ),
        "diastolic": _cells(
            found, summary.diastolic, limits.diastolic_mmhg if limits else None, summary.diastolic_load_percent, words
        ),
        "tail": [
            str(printed(found.average_of(summary.mean_pressure))),
            str(printed(found.average_of(summary.pulse_pressure))),
            NOT_MEASURED if pulse is None else str(printed(found.average_of(pulse))),
            str(summary.readings),
        ],
    }


def _cells(
    found: PressureFindings, spread: Spread, limit: float | None, load: float | None, words: Words
) -> dict[str, Any]:
    value = printed(found.average_of(spread))
    high = limit is not None and value >= limit
    return {
        "average": f"{value} {words['high']}" if high else str(value),
        "high": high,
        "others": [
            NOT_MEASURED if limit is None else f"{limit:.0f}",
            f"{printed(spread.minimum)}–{printed(spread.maximum)}",
            NOT_MEASURED if spread.sd is None else f"{spread.sd:.1f}",
            NOT_MEASURED if load is None else f"{printed(load)}",
        ],
    }


def figures(found: PressureFindings, language: Language) -> list[dict[str, str]]:
    """Label and value of each further figure that there is."""
    words = WORDS[language]
    made: list[tuple[str, str]] = []
    if found.dipping is not None:
        one = found.dipping
        percents = f"{one.systolic_percent:.1f} / {one.diastolic_percent:.1f} %"
        made.append(("dip", f"{percents}  {words[one.systolic]}"))
    if found.surge is not None:
        surge = found.surge
        limit = "" if surge.limit_mmhg is None else f" ({words['limit']} {surge.limit_mmhg:.0f})"
        made.append(("surge", f"{printed(surge.sleep_trough_mmhg)} mmHg{limit}"))
        if surge.prewaking_mmhg is not None:
            made.append(("prewaking", f"{printed(surge.prewaking_mmhg)} mmHg"))
        made.append(("morning", _pair(surge.morning_systolic_mmhg, surge.morning_diastolic_mmhg)))
    whole = found.period("24h")
    if found.weighted_systolic_sd is not None and found.weighted_diastolic_sd is not None:
        made.append(("weighted_sd", f"{found.weighted_systolic_sd:.1f} / {found.weighted_diastolic_sd:.1f} mmHg"))
    if whole is not None and whole.systolic.cv_percent is not None and whole.diastolic.cv_percent is not None:
        made.append(("cv", f"{whole.systolic.cv_percent:.1f} / {whole.diastolic.cv_percent:.1f} %"))
    if whole is not None and whole.systolic.arv is not None and whole.diastolic.arv is not None:
        made.append(("arv", f"{whole.systolic.arv:.1f} / {whole.diastolic.arv:.1f} mmHg"))
    if found.stiffness is not None:
        highest = found.stiffness.aasi_limit
        beside = "" if highest is None else f" ({words['limit']} {highest:.2f})"
        made.append(("aasi", f"{found.stiffness.aasi:.2f}{beside}"))
    if (window := found.white_coat) is not None:
        made.append(("first_hour", _pair(window.first_hour_systolic_mmhg, window.first_hour_diastolic_mmhg)))
    if found.office is not None:
        made.append(("office", _pair(found.office.systolic_mmhg, found.office.diastolic_mmhg)))
    return [{"label": words[key], "value": value} for key, value in made]


def _pair(systolic: float, diastolic: float) -> str:
    return f"{printed(systolic)}/{printed(diastolic)} mmHg"


def by_day(found: PressureFindings, language: Language, time_zone: str) -> dict[str, Any] | None:
    """Each 24 hours and each night of a long recording, and what the conclusions rest on; None of a usual one."""
    words, zone, nights = WORDS[language], ZoneInfo(time_zone), found.several_nights
    if not found.is_long and not nights:
        return None
    days = found.days if found.is_long else []
    together = None
    if len(nights) > 1 and (night := found.period("night")) is not None:
        average = PressurePair(
            systolic_mmhg=found.average_of(night.systolic), diastolic_mmhg=found.average_of(night.diastolic)
        )
        cells = _night(found, average, found.dipping, found.surge, words)
        together = [_plain(words["together"]), _plain(str(night.readings)), *cells]
    day_head = ("24h", "verdict", "readings", "by_day_number", "average", "day", "night")
    night_head = ("night", "readings", "average", "fall", "lowest", "morning", "rise", "rise_prewaking")
    return {
        "title": words["by_day"],
        "rests": words["rests"],
        "day_head": [words[name] for name in day_head],
        "days": [_day_cells(found, one, words, zone) for one in days],
        "night_head": [words[name] for name in night_head],
        "nights": [_night_cells(found, one, words, zone) for one in nights],
        "together": together,
    }


def _day_cells(found: PressureFindings, one: DayFigures, words: Words, zone: ZoneInfo) -> list[dict[str, Any]]:
    seen = one.validity
    return [
        _plain(f"{one.start_at.astimezone(zone):%m-%d %H:%M} – {one.end_at.astimezone(zone):%m-%d %H:%M}"),
        _plain(words[seen.verdict]),
        _plain(f"{seen.answered}/{seen.planned} ({printed(seen.share_percent)}%)"),
        _plain(f"{seen.day}/{seen.night}"),
        *(_average(found, name, one.averages.get(name)) for name in PERIODS),
    ]


def _night_cells(found: PressureFindings, one: NightFigures, words: Words, zone: ZoneInfo) -> list[dict[str, Any]]:
    source = words[NIGHT_BY[one.by]]
    beside = f"  {words['next_day']}" if one.against == "after" else ""
    span = f"{one.start_at.astimezone(zone):%m-%d %H:%M} – {one.end_at.astimezone(zone):%H:%M}"
    cells = _night(found, one.average, one.dipping, one.surge, words, beside)
    return [_plain(f"{span}  {source}"), _plain(str(one.readings)), *cells]


def _night(
    found: PressureFindings,
    average: PressurePair | None,
    fall: Dipping | None,
    surge: MorningSurge | None,
    words: Words,
    beside: str = "",
) -> list[dict[str, Any]]:
    """The cells of a night behind its readings: average, fall, and the morning after it."""
    dip = f"{fall.systolic_percent:.1f} / {fall.diastolic_percent:.1f}  {words[fall.systolic]}{beside}" if fall else ""
    mornings = [NOT_MEASURED] * 4
    if surge is not None:
        before = surge.prewaking_mmhg
        mornings = [
            str(printed(surge.trough_mmhg)),
            f"{printed(surge.morning_systolic_mmhg)}/{printed(surge.morning_diastolic_mmhg)}",
            str(printed(surge.sleep_trough_mmhg)),
            NOT_MEASURED if before is None else str(printed(before)),
        ]
    cells = [_average(found, "night", average), _plain(dip or NOT_MEASURED), *map(_plain, mornings)]
    limit = None if surge is None else surge.limit_mmhg
    if surge is not None and limit is not None and printed(surge.sleep_trough_mmhg) >= limit:
        cells[-2] = {"text": f"{mornings[2]} {words['high']}", "high": True}
    return cells


def _average(
    found: PressureFindings, period: Literal["24h", "day", "night"], average: PressurePair | None
) -> dict[str, Any]:
    if average is None:
        return _plain(NOT_MEASURED)
    limits = found.grading.limits.get(period)
    systolic, diastolic = printed(average.systolic_mmhg), printed(average.diastolic_mmhg)
    high = limits is not None and (systolic >= limits.systolic_mmhg or diastolic >= limits.diastolic_mmhg)
    text = f"{systolic}/{diastolic}"
    return {"text": f"{text} {WORDS['zh']['high']}" if high else text, "high": high}


def _plain(text: str) -> dict[str, Any]:
    return {"text": text, "high": False}


def listed(found: PressureFindings, language: Language, time_zone: str) -> dict[str, Any]:
    """The list of readings: its head, a row a reading, and what is not printed."""
    words = WORDS[language]
    rest = len(found.readings) - MAX_LISTED
    return {
        "title": words["list"],
        "head": [words[name] for name in ("time", "systolic", "diastolic", "mean_short", "pulse", "state")],
        "rows": [_reading(found, row, words, ZoneInfo(time_zone)) for row in found.readings[:MAX_LISTED]],
        "more": words["more"].format(count=rest) if rest > 0 else None,
    }


def _reading(found: PressureFindings, row: PressureRow, words: Words, zone: ZoneInfo) -> dict[str, Any]:
    limits = None if row.period == "between" else found.grading.limits.get(row.period)
    pressed = row.systolic_mmhg is not None and row.diastolic_mmhg is not None
    systolic, diastolic = row.systolic_mmhg or 0.0, row.diastolic_mmhg or 0.0
    counts = limits is not None and row.state == "used" and pressed
    return {
        "at": f"{row.at.astimezone(zone):%H:%M}",
        "day": f"{row.at.astimezone(zone):%m-%d}",
        "numbers": [
            NOT_MEASURED if value is None else str(printed(value))
            for value in (row.systolic_mmhg, row.diastolic_mmhg, row.mean_mmhg, row.pulse_bpm)
        ],
        "high": [
            bool(counts and limits and printed(systolic) >= limits.systolic_mmhg),
            bool(counts and limits and printed(diastolic) >= limits.diastolic_mmhg),
        ],
        "night": row.period == "night",
        "struck": row.state not in ("used", "failed"),
        "note": _note(row, words),
    }


def _note(row: PressureRow, words: Words) -> str:
    if row.state != "used":
        return words[row.state]
    return words["manual"] if row.manual else ""
