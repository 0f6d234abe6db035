"""What does a report of ambulatory blood pressure print beside its chart? Its tables, in Chinese and in English."""

from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from ecg_center.contract.pressure import PeriodSummary, PressureFindings, PressureRow, Spread, printed
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
    "by_diary": "夜间 {night}（日记）",
    "by_device": "夜间 {night}（记录仪）",
    "by_clock": "夜间 {night}（固定时段）",
    "filled": "未记录的夜间按固定时段",
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
    "dip": "Fall at night (systolic/diastolic)",
    "surge": "Morning surge (from the lowest)",
    "prewaking": "Morning surge (from before waking)",
    "morning": "Two hours after waking",
    "weighted_sd": "Weighted SD (systolic/diastolic)",
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
    "by_diary": "night {night} (diary)",
    "by_device": "night {night} (recorder)",
    "by_clock": "night {night} (fixed hours)",
    "filled": "a night that was not noted by fixed hours",
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
}
WORDS: Final[dict[Language, Words]] = {"zh": ZH, "en": EN}


def caption(found: PressureFindings, language: Language, time_zone: str) -> list[str]:
    """What stands below the chart: when, how many readings, whose night, which limits."""
    words, zone = WORDS[language], ZoneInfo(time_zone)
    start, end, seen = found.started_at.astimezone(zone), found.ended_at.astimezone(zone), found.validity
    hours = (end - start).total_seconds() / 3600
    night = "、".join(
        f"{one.start_at.astimezone(zone):%H:%M}–{one.end_at.astimezone(zone):%H:%M}" for one in found.nights[:2]
    )
    lines = [
        words["worn"].format(start=f"{start:%m-%d %H:%M}", end=f"{end:%m-%d %H:%M}", hours=f"{hours:.1f}"),
        words["answered"].format(
            answered=seen.answered,
            planned=seen.planned,
            share=printed(seen.share_percent),
            day=seen.day,
            night=seen.night,
        ),
        words[f"by_{found.night_by}"].format(night=night),
        *([words["filled"]] if found.night_by != "clock" and any(one.by == "clock" for one in found.nights) else []),
        words[found.average],
    ]
    title = found.grading.title_zh if language == "zh" else found.grading.title_en
    not_graded = found.grading.not_graded_zh if language == "zh" else found.grading.not_graded_en
    return [*lines, not_graded or words["graded"].format(title=title)]


def averages(found: PressureFindings, language: Language) -> dict[str, Any]:
    """The table of averages: its head, and a row for each period that has a reading."""
    words = WORDS[language]
    head = ("average", "limit", "range", "sd", "load")
    rows = []
    for name in PERIODS:
        summary = found.period(name)
        if summary is not None:
            rows.append({"name": words[name], **_row(found, summary, words)})
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
