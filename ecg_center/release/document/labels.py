"""Which words does the page itself print, in Chinese and in English?

They belong to the document, not to the screen: a report says the same whatever language its reader's browser has.
"""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ecg_center.contract.findings import Measurements
from ecg_center.domain.statements import OVERALL_ZH, Overall
from ecg_center.release.document.model import Language, Sex
from ecg_center.signing.authority import Role

Words = dict[str, str]

ZH: Words = {
    "title": "心电图诊断报告",
    "member": "采集单位",
    "centre": "诊断单位",
    "name": "姓名",
    "sex": "性别",
    "age": "年龄",
    "department": "科室",
    "bed": "床号",
    "inpatient_number": "住院号",
    "outpatient_number": "门诊号",
    "patient_number": "住院号/门诊号",
    "accession_number": "检查号",
    "examined_at": "检查时间",
    "reported_at": "报告时间",
    "measurements": "测量值",
    "opinion": "诊断意见",
    "conclusion": "结论",
    "urgent": "危急",
    "remark": "备注",
    "verify": "扫码验真",
    "version": "第{version}版",
    "supersedes": "更正报告：本报告替代 {released_at} 发布的第{version}版",
    "reason": "更正原因",
    "continued": "续页",
    "page": "第 {page} 页 / 共 {pages} 页",
    "demo": "演示数据 DEMO – 非患者",
    "signed": "本报告经医师数字证书签名",
    "sampling": "采样 {hz} Hz",
    "raw": "未滤波",
    "filters": "滤波 {filters}",
    "part": "本页为第 {start}–{end} s，记录共 {whole} s",
    "clipped": "{leads} 超出图幅，按边界绘出",
    "colon": "：",
}
EN: Words = {
    "title": "ECG report",
    "member": "Recorded at",
    "centre": "Read at",
    "name": "Name",
    "sex": "Sex",
    "age": "Age",
    "department": "Department",
    "bed": "Bed",
    "inpatient_number": "Inpatient no.",
    "outpatient_number": "Outpatient no.",
    "patient_number": "In-/outpatient no.",
    "accession_number": "Accession no.",
    "examined_at": "Examined",
    "reported_at": "Reported",
    "measurements": "Measurements",
    "opinion": "Opinion",
    "conclusion": "Conclusion",
    "urgent": "URGENT",
    "remark": "Remark",
    "verify": "Scan to verify",
    "version": "Version {version}",
    "supersedes": "Amended report: replaces version {version} released {released_at}",
    "reason": "Reason",
    "continued": "continued",
    "page": "Page {page} of {pages}",
    "demo": "演示数据 DEMO – not a patient",
    "signed": "Signed with the physicians' digital certificates",
    "sampling": "{hz} Hz sampling",
    "raw": "unfiltered",
    "filters": "filter {filters}",
    "part": "{start}–{end} s of {whole} s recorded",
    "clipped": "{leads} beyond the chart, drawn at its edge",
    "colon": ": ",
}
WORDS: dict[Language, Words] = {"zh": ZH, "en": EN}

SEX: dict[Language, dict[Sex, str]] = {
    "zh": {"M": "男", "F": "女", "O": "其他"},
    "en": {"M": "male", "F": "female", "O": "other"},
}
CONCLUSION: dict[Language, dict[Overall, str]] = {
    "zh": {overall: f"{word}心电图" for overall, word in OVERALL_ZH.items()},
    "en": {
        Overall.NORMAL: "Normal ECG",
        Overall.BORDERLINE: "Borderline ECG",
        Overall.SUSPICIOUS: "Suspicious ECG",
        Overall.ABNORMAL: "Abnormal ECG",
    },
}
OVERALL: dict[Language, dict[Overall, str]] = {
    "zh": OVERALL_ZH,
    "en": {
        Overall.NORMAL: "Normal",
        Overall.BORDERLINE: "Borderline",
        Overall.SUSPICIOUS: "Suspicious",
        Overall.ABNORMAL: "Abnormal",
    },
}
"""The conclusion of a report that is not of an ECG."""
ROLE: dict[Language, dict[Role, str]] = {
    "zh": {"reporting": "报告医师", "reviewing": "审核医师", "director": "中心主任"},
    "en": {"reporting": "Reported by", "reviewing": "Reviewed by", "director": "Centre director"},
}

NOT_MEASURED = "—"
OWN_ATRIA_BPM = 5
"""Less apart from the ventricles is the same rhythm, counted over other intervals."""
INFANT_DAYS = 30
"""Ages below are told in days, below two years in months: the normal limits of a child's ECG change that fast
(Davignon et al., Pediatr Cardiol 1979;1:123)."""


def age(birth_date: date, on: date, language: Language) -> str:
    """The age as a report prints it: days, months or full years.

    >>> age(date(1962, 5, 4), date(2025, 5, 3), "zh"), age(date(2025, 1, 31), date(2025, 3, 5), "en")
    ('62岁', '1 month')
    """
    days = (on - birth_date).days
    if days < 0:
        raise ValueError("the birth date lies after the examination; correct one of them")
    months = (on.year - birth_date.year) * 12 + on.month - birth_date.month - (on.day < birth_date.day)
    if days < INFANT_DAYS or months < 1:
        count, zh, en = days, "天", "day"
    elif months < 24:
        count, zh, en = months, "个月", "month"
    else:
        count, zh, en = months // 12, "岁", "year"
    return f"{count}{zh}" if language == "zh" else f"{count} {en}{'' if count == 1 else 's'}"


def age_on_first(birth_date: date, days: Iterable[date], language: Language) -> str:
    """The age on the first of these days that lies after the birth, empty where none does.

    A recorder whose clock was set back may say that it recorded a newborn before the birth: the report goes
    out all the same.

    >>> age_on_first(date(2025, 1, 31), (date(2000, 1, 1), date(2025, 2, 3)), "en")
    '3 days'
    """
    return next((age(birth_date, day, language) for day in days if day >= birth_date), "")


def moment(instant: datetime, time_zone: str) -> str:
    """Date and minute on the centre's clock, e.g. ``2025-05-03 08:07``."""
    return instant.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M")


def measurement_rows(values: Measurements, language: Language) -> list[dict[str, str]]:
    """Label, value and unit of each line of the measurement table, in the order of the Chinese report page."""
    zh = language == "zh"
    per_minute = "次/分" if zh else "bpm"
    rows = [
        ("心率" if zh else "Heart rate", _whole(values.heart_rate_bpm), per_minute),
        *(
            [("心房率" if zh else "Atrial rate", _whole(values.atrial_rate_bpm), per_minute)]
            if _own_atria(values)
            else []
        ),
        ("P 波时限" if zh else "P duration", _whole(values.p_ms), "ms"),
        ("P-R 间期" if zh else "PR interval", _whole(values.pr_ms), "ms"),
        ("QRS 时限" if zh else "QRS duration", _whole(values.qrs_ms), "ms"),
        ("QT / QTc", f"{_whole(values.qt_ms)} / {_whole(values.qtc_ms)}", "ms"),
        (*_axes(values, zh=zh), "°"),
        ("RV5 / SV1", f"{_millivolt(values.rv5_mv)} / {_millivolt(values.sv1_mv)}", "mV"),
    ]
    return [{"label": label, "value": value, "unit": unit} for label, value, unit in rows]


def _own_atria(values: Measurements) -> bool:
    """Whether the atria beat at a rate of their own: block, flutter, dissociation."""
    ventricles, atria = values.heart_rate_bpm, values.atrial_rate_bpm
    return atria is not None and (ventricles is None or abs(atria - ventricles) >= OWN_ATRIA_BPM)


def _axes(values: Measurements, *, zh: bool) -> tuple[str, str]:
    """The axis of QRS, and beside it those of P and T where they were measured."""
    if values.p_axis_deg is None and values.t_axis_deg is None:
        return "电轴" if zh else "QRS axis", _whole(values.qrs_axis_deg)
    axes = (values.p_axis_deg, values.qrs_axis_deg, values.t_axis_deg)
    return "P/QRS/T 电轴" if zh else "P/QRS/T axis", " / ".join(_whole(axis) for axis in axes)


def _whole(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.0f}"


def _millivolt(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.2f}"
