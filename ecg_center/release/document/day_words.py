"""What does the report of a day print beside its strips? Figures, hourly table and captions, in Chinese and English."""

from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from ecg_center.contract.holter import Ectopy, Event, HolterFindings, HourRow, StTrend
from ecg_center.release.document.labels import NOT_MEASURED, Words
from ecg_center.release.document.model import Day, DayStrip, Language

MAX_HOURS: Final = 72
"""Lines of the table, three pages; of a longer recording several hours make a line."""

MAX_ST_LEADS: Final = 4

ZH: Final[Words] = {
    "title": "动态心电图报告",
    "rates": "心率",
    "worn": "记录时长",
    "analysed": "可分析",
    "beats": "总心搏",
    "mean": "平均心率",
    "day_night": "白天 / 夜间",
    "fastest": "最快心率",
    "slowest": "最慢心率",
    "ventricular": "室性心搏",
    "supraventricular": "室上性心搏",
    "total": "总数",
    "singles": "单发",
    "couplets": "成对",
    "bigeminy": "二联律 / 三联律",
    "runs": "短阵",
    "longest_run": "最长短阵",
    "fastest_run": "最快短阵",
    "r_on_t": "R on T",
    "most_in_an_hour": "单小时最多",
    "pauses": "长间歇与房颤",
    "over_2": "RR > 2.0 / 2.5 s",
    "over_3": "RR > 3.0 / 5.0 s",
    "longest_rr": "最长RR间期",
    "af": "房颤/房扑",
    "af_share": "占分析时间",
    "af_longest": "最长一阵",
    "episodes": "{n} 阵",
    "qt_st": "QT 与 ST",
    "qtc_mean": "QTc 平均",
    "qtc_max": "QTc 最长",
    "st": "ST {lead} 最大偏移",
    "hrv": "心率变异性",
    "triangular_index": "三角指数",
    "dc": "减速力 DC",
    "ac": "加速力 AC",
    "turbulence": "TO / TS",
    "n_beats": "{n} 搏",
    "hourly": "分时统计",
    "from": "时间",
    "min": "最慢",
    "avg": "平均",
    "max": "最快",
    "pause": "长间歇",
    "af_min": "房颤（分）",
    "quality": "可分析 %",
    "strips": "心电图片段",
    "chosen": "医师选取",
    "raw": "未滤波",
    "edited": "经医师修订 {n} 处",
    "elapsed": "记录仪时钟未知，时间自开始计",
    "per_min": "次/分",
}
EN: Final[Words] = {
    "title": "Holter report",
    "rates": "Heart rate",
    "worn": "Recorded",
    "analysed": "analysable",
    "beats": "Beats",
    "mean": "Mean rate",
    "day_night": "Day / night",
    "fastest": "Fastest rate",
    "slowest": "Slowest rate",
    "ventricular": "Ventricular beats",
    "supraventricular": "Supraventricular beats",
    "total": "Total",
    "singles": "Single",
    "couplets": "Couplets",
    "bigeminy": "Bigeminy / trigeminy",
    "runs": "Runs",
    "longest_run": "Longest run",
    "fastest_run": "Fastest run",
    "r_on_t": "R on T",
    "most_in_an_hour": "Most in an hour",
    "pauses": "Pauses, fibrillation",
    "over_2": "RR > 2.0 / 2.5 s",
    "over_3": "RR > 3.0 / 5.0 s",
    "longest_rr": "Longest RR",
    "af": "AF / flutter",
    "af_share": "Share of the time",
    "af_longest": "Longest",
    "episodes": "{n} episodes",
    "qt_st": "QT and ST",
    "qtc_mean": "QTc mean",
    "qtc_max": "QTc longest",
    "st": "ST {lead} largest",
    "hrv": "Variability",
    "triangular_index": "Triangular index",
    "dc": "Deceleration capacity",
    "ac": "Acceleration capacity",
    "turbulence": "TO / TS",
    "n_beats": "{n} beats",
    "hourly": "By hour",
    "from": "From",
    "min": "min",
    "avg": "mean",
    "max": "max",
    "pause": "Pauses",
    "af_min": "AF min",
    "quality": "read %",
    "strips": "Strips",
    "chosen": "chosen by the physician",
    "raw": "unfiltered",
    "edited": "{n} changes by the physician",
    "elapsed": "the recorder's clock is not known: time since the start",
    "per_min": "/min",
}
WORDS: Final[dict[Language, Words]] = {"zh": ZH, "en": EN}

KINDS: Final[dict[str, tuple[str, str]]] = {
    "vf": ("心室颤动", "Ventricular fibrillation"),
    "asystole": ("心室停搏", "Asystole"),
    "vt": ("室性心动过速", "Ventricular tachycardia"),
    "v_run": ("短阵室性心动过速", "Ventricular run"),
    "idioventricular": ("加速性室性自主心律", "Idioventricular rhythm"),
    "r_on_t": ("R on T 室性早搏", "R on T"),
    "v_couplet": ("成对室性早搏", "Ventricular couplet"),
    "v_single": ("室性早搏", "Ventricular beat"),
    "svt": ("室上性心动过速", "Supraventricular tachycardia"),
    "s_run": ("短阵房性心动过速", "Supraventricular run"),
    "s_single": ("室上性早搏", "Supraventricular beat"),
    "af": ("心房颤动", "Atrial fibrillation"),
    "flutter": ("心房扑动", "Atrial flutter"),
    "pause": ("长间歇", "Pause"),
    "longest_rr": ("最长RR间期", "Longest RR"),
    "av_block_2": ("二度房室阻滞", "Second-degree AV block"),
    "av_block_3": ("三度房室阻滞", "Third-degree AV block"),
    "st_elevation": ("ST段抬高", "ST elevation"),
    "st_depression": ("ST段压低", "ST depression"),
    "t_alternans": ("T波电交替", "T-wave alternans"),
    "long_qt": ("QT间期延长", "Long QT"),
    "fastest": ("最快心率", "Fastest rate"),
    "slowest": ("最慢心率", "Slowest rate"),
    "v_bigeminy": ("室性早搏二联律", "Ventricular bigeminy"),
    "v_trigeminy": ("室性早搏三联律", "Ventricular trigeminy"),
    "s_couplet": ("成对室上性早搏", "Supraventricular couplet"),
    "s_bigeminy": ("室上性早搏二联律", "Supraventricular bigeminy"),
    "s_trigeminy": ("室上性早搏三联律", "Supraventricular trigeminy"),
    "dropped_beat": ("心搏脱漏", "Dropped beat"),
    "bradycardia": ("心动过缓", "Bradycardia"),
    "tachycardia": ("心动过速", "Tachycardia"),
    "axis_shift": ("QRS电轴突变", "Shift of the QRS axis"),
    "paced": ("起搏心律", "Paced rhythm"),
    "noise": ("干扰", "Noise"),
    "lead_off": ("导联脱落", "Lead off"),
    "diary": ("日记", "Diary"),
}
"""Every event: a physician may put any of them on paper."""

REMARKS: Final[dict[str, tuple[str, str]]] = {
    "two_to_one": ("可能：固定心率，2:1下传", "possible: fixed rate, 2:1"),
    "axis_shift": ("存疑：QRS电轴突变（体位改变）", "doubtful: the QRS axis shifted (posture)"),
    "torsades": ("尖端扭转型", "torsades de pointes"),
    "polymorphic": ("多形性", "polymorphic"),
    "bidirectional": ("双向性", "bidirectional"),
    "wide": ("宽QRS波：全程主导波形", "broad QRS: the usual beat"),
    "v_flutter": ("心室扑动", "ventricular flutter"),
    "p_alone": ("仅有P波，无QRS波", "P waves without QRS"),
}
"""What an event's own text says of it."""

HRV: Final = (
    ("sdnn_ms", "SDNN", "ms"),
    ("sdann_ms", "SDANN", "ms"),
    ("rmssd_ms", "RMSSD", "ms"),
    ("pnn50_percent", "pNN50", "%"),
    ("triangular_index", "", ""),
    ("lf_hf", "LF/HF", ""),
)

Pair = tuple[str, str]


def at(day: Day, at_s: float | None, zone: str, *, seconds: bool = True) -> str:
    """The clock, from the second day on with its number; the time since the start where the clock is not known."""
    if at_s is None:
        return ""
    if day.started_at is None:
        whole = int(at_s)
        return f"{whole // 3600}:{whole // 60 % 60:02}" + (f":{whole % 60:02}" if seconds else "")
    local = day.started_at.astimezone(ZoneInfo(zone))
    then = local + timedelta(seconds=at_s)
    days = (then.date() - local.date()).days
    return f"{f'D{days + 1} ' if days else ''}{then:%H:%M:%S}" if seconds else f"{then:%H:%M}"


def figures(day: Day, language: Language, zone: str) -> list[dict[str, Any]]:
    """The groups of figures on the first page."""
    words, found = WORDS[language], day.figures
    groups = [
        (words["rates"], _rates(day, words, zone)),
        (words["ventricular"], _ectopy(day, found.ventricular, words, zone)),
        (words["supraventricular"], _ectopy(day, found.supraventricular, words, zone)),
        (words["pauses"], _pauses(day, words, zone)),
        (words["qt_st"], _qt_st(day, words, zone)),
        (words["hrv"], _variability(found, words)),
    ]
    return [{"title": title, "rows": [list(row) for row in rows]} for title, rows in groups if rows]


def _when(value: str, day: Day, at_s: float | None, zone: str) -> str:
    return f"{value}  {at(day, at_s, zone)}" if at_s is not None else value


def _bpm(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.0f}"


def _percent(share: float) -> str:
    if 0 < share < 0.0001:
        return "< 0.01 %"
    return f"{100 * share:.2f} %" if 0 < share < 0.01 else f"{100 * share:.1f} %"


def _lasting(span_s: float) -> str:
    whole = round(span_s)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole // 60 % 60:02} h"


def _rates(day: Day, words: Words, zone: str) -> list[Pair]:
    found, unit = day.figures, words["per_min"]
    fastest, slowest = found.rate_max, found.rate_min
    return [
        (words["worn"], f"{_lasting(day.duration_s)}  {words['analysed']} {_percent(found.analysed_share)}"),
        (words["beats"], str(sum(found.beats.values()))),
        (words["mean"], f"{_bpm(found.rate_mean_bpm)} {unit}"),
        (words["day_night"], f"{_bpm(found.rate_day_bpm)} / {_bpm(found.rate_night_bpm)}"),
        (words["fastest"], _when(f"{_bpm(fastest.bpm)} {unit}", day, fastest.at_s, zone) if fastest else NOT_MEASURED),
        (words["slowest"], _when(f"{_bpm(slowest.bpm)} {unit}", day, slowest.at_s, zone) if slowest else NOT_MEASURED),
    ]


def _ectopy(day: Day, found: Ectopy, words: Words, zone: str) -> list[Pair]:
    rows = [(words["total"], f"{found.beats}  ({_percent(found.share)})")]
    if not found.beats:
        return rows
    rows += [
        (words["singles"], str(found.singles)),
        (words["couplets"], str(found.couplets)),
        (words["bigeminy"], f"{found.bigeminy} / {found.trigeminy}"),
        (words["runs"], str(found.runs)),
    ]
    if found.longest_run_beats:
        longest = words["n_beats"].format(n=found.longest_run_beats)
        rows.append((words["longest_run"], _when(longest, day, found.longest_run_at_s, zone)))
    if found.fastest_run_bpm is not None:
        rows.append(
            (
                words["fastest_run"],
                _when(f"{_bpm(found.fastest_run_bpm)} {words['per_min']}", day, found.fastest_run_at_s, zone),
            )
        )
    if found.r_on_t:
        rows.append((words["r_on_t"], str(found.r_on_t)))
    rows.append((words["most_in_an_hour"], str(found.most_in_an_hour)))
    return rows


def _pauses(day: Day, words: Words, zone: str) -> list[Pair]:
    pauses, af, found = day.figures.pauses, day.figures.af, day.figures.longest_rr
    longest = NOT_MEASURED if found is None else _when(f"{found[0] / 1000:.2f} s", day, found[1], zone)
    rows = [
        (words["over_2"], f"{pauses.over_2_0_s} / {pauses.over_2_5_s}"),
        (words["over_3"], f"{pauses.over_3_0_s} / {pauses.over_5_0_s}"),
        (words["longest_rr"], longest),
        (words["af"], words["episodes"].format(n=af.episodes)),
    ]
    if af.episodes:
        rows.append((words["af_share"], _percent(af.share)))
        rows.append((words["af_longest"], _when(_lasting(af.longest_s), day, af.longest_at_s, zone)))
    return rows


def _qt_st(day: Day, words: Words, zone: str) -> list[Pair]:
    qt = day.figures.qt
    rows = []
    if qt.qtc_mean_ms is not None:
        rows.append((words["qtc_mean"], f"{qt.qtc_mean_ms:.0f} ms"))
    if qt.qtc_max_ms is not None:
        rows.append((words["qtc_max"], _when(f"{qt.qtc_max_ms:.0f} ms", day, qt.qtc_max_at_s, zone)))
    for trend in _farthest(day.figures.st):
        value = _when(f"{trend.level_mv[0]:+.2f} mV", day, trend.times_s[0], zone)
        rows.append((words["st"].format(lead=trend.lead), value))
    return rows


def _farthest(trends: list[StTrend]) -> list[StTrend]:
    """The leads that deviate most, in their own order: of twelve, a page has room for some."""
    kept = sorted((trend for trend in trends if trend.level_mv), key=lambda trend: -abs(trend.level_mv[0]))[
        :MAX_ST_LEADS
    ]
    return [trend for trend in trends if any(trend is one for one in kept)]


def _variability(found: HolterFindings, words: Words) -> list[Pair]:
    whole = next((window for window in found.hrv if window.name == "whole"), None)
    rows: list[Pair] = []
    if whole is not None:
        for key, name, unit in HRV:
            if (value := whole.metrics.get(key)) is not None:
                rows.append((words.get(key, name), f"{value:.{2 if value < 10 else 0}f} {unit}".strip()))
    if "dc_ms" in found.deceleration:
        rows.append((words["dc"], f"{found.deceleration['dc_ms']:.1f} ms"))
    if "ac_ms" in found.deceleration:
        rows.append((words["ac"], f"{found.deceleration['ac_ms']:.1f} ms"))
    if found.turbulence:
        onset, slope = found.turbulence.get("onset_share", 0.0), found.turbulence.get("slope_ms_per_rr", 0.0)
        rows.append((words["turbulence"], f"{100 * onset:+.1f} % / {slope:.1f}"))
    return rows


def hourly(day: Day, language: Language, zone: str) -> dict[str, Any]:
    """The table of the second page."""
    words = WORDS[language]
    head = [words["from"], words["quality"], words["beats"], words["min"], words["avg"], words["max"]]
    for letter in ("V", "S"):
        head += [letter, words["couplets"], words["runs"]]
    head += [words["pause"], words["af_min"], "QTc", "ST mV"]
    rows = [_line(day, row, zone) for row in grouped(day.figures.hours)]
    return {"title": words["hourly"], "head": head, "rows": rows}


def _line(day: Day, row: HourRow, zone: str) -> list[str]:
    def count(value: int) -> str:
        return str(value) if value else "·"

    span_s = max(1.0, row.end_s - row.start_s)
    return [
        at(day, row.start_s, zone).rsplit(":", 1)[0],
        f"{100 * min(1.0, row.analysed_s / span_s):.0f}",
        str(row.beats),
        _bpm(row.rate_min_bpm),
        _bpm(row.rate_mean_bpm),
        _bpm(row.rate_max_bpm),
        *map(count, (row.v_beats, row.v_couplets, row.v_runs, row.s_beats, row.s_couplets, row.s_runs, row.pauses)),
        f"{row.af_s / 60:.0f}" if row.af_s else "·",
        _bpm(row.qtc_ms),
        NOT_MEASURED if row.st_max_mv is None else f"{row.st_max_mv:+.2f}",
    ]


def grouped(hours: list[HourRow], most: int = MAX_HOURS) -> list[HourRow]:
    """The hours, or as many together as are needed for a table of ``most`` lines."""
    each = -(-len(hours) // most) if hours else 1
    return hours if each <= 1 else [_together(hours[at : at + each]) for at in range(0, len(hours), each)]


def _together(rows: list[HourRow]) -> HourRow:
    def known(name: str) -> list[float]:
        return [value for row in rows if (value := getattr(row, name)) is not None]

    beats = sum(row.beats for row in rows if row.rate_mean_bpm)
    minutes = sum(row.beats / row.rate_mean_bpm for row in rows if row.rate_mean_bpm)
    deviations = known("st_max_mv")
    summed = {
        name: sum(getattr(row, name) for row in rows)
        for name in (
            "analysed_s", "beats", "v_beats", "v_couplets", "v_runs", "s_beats", "s_couplets", "s_runs", "pauses",
            "af_s",
        )
    }  # fmt: skip
    return HourRow(
        start_s=rows[0].start_s,
        end_s=rows[-1].end_s,
        rate_mean_bpm=beats / minutes if minutes else None,
        rate_min_bpm=min(known("rate_min_bpm"), default=None),
        rate_max_bpm=max(known("rate_max_bpm"), default=None),
        qtc_ms=max(known("qtc_ms"), default=None),
        st_max_mv=max(deviations, key=abs, default=None),
        **summed,
    )


def clocks(day: Day, rows: list[HourRow], zone: str) -> list[str]:
    """What stands below the chart at the beginning of each line."""
    return [at(day, row.start_s, zone, seconds=False) for row in rows]


def caption(day: Day, strip: DayStrip, language: Language, zone: str) -> dict[str, str]:
    """What a strip shows, and when."""
    words = WORDS[language]
    event, parts = strip.event, []
    if event is not None:
        zh, en = KINDS[event.kind]
        parts.append(zh if language == "zh" else en)
        parts += _measures(event, words)
    if strip.text or event is None:
        parts.append(strip.text or words["chosen"])
    if event is not None and event.text in REMARKS and not event.kind.startswith("av_block"):
        parts.append(REMARKS[event.text][0 if language == "zh" else 1])
    return {"what": "  ".join(parts), "when": at(day, strip.trace_start_s, zone)}


def _measures(event: Event, words: Words) -> list[str]:
    said = []
    if event.beats > 1 and event.kind not in ("fastest", "slowest", "af", "flutter", "pause", "longest_rr"):
        said.append(words["n_beats"].format(n=event.beats))
    if event.rate_bpm is not None:
        said.append(f"{event.rate_bpm:.0f} {words['per_min']}")
    if event.value is not None:
        if event.quantity.endswith("_mv"):
            said.append(f"{event.value:+.2f} mV")
        elif event.quantity.endswith("_ms"):
            said.append(
                f"{event.value / 1000:.2f} s" if event.kind in ("pause", "longest_rr") else f"{event.value:.0f} ms"
            )
        elif event.quantity.endswith("_uv"):
            said.append(f"{event.value:.0f} µV")
    return said
