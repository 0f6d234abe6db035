"""Which words may a physician and the pre-read use, in which order do they stand, and what do they add up to?

The codes are the numbers of the AHA/ACC/HRS statement list: Mason, Hancock, Gettes, "Recommendations for the
standardization and interpretation of the electrocardiogram: part II", J Am Coll Cardiol 2007;49:1128-35,
doi:10.1016/j.jacc.2007.01.025. A trailing letter marks our own narrower term below the number ("50a": atrial
fibrillation, number 50, with rapid response); ``.330``, ``.332`` and ``.333`` are that list's own modifiers acute, old
and of indeterminate age. The Chinese terms are those of the domestic reporting habit; the order of the groups is that
of the report: rhythm and rate first, then P, PR, QRS, ST, QT, T, U.

Numbers from 900 on are our own and of ambulatory blood pressure, for which that list has no words.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Overall(StrEnum):
    """The conclusion 结论 of a report, from harmless to not."""

    NORMAL = "normal"  # 正常
    BORDERLINE = "borderline"  # 大致正常
    SUSPICIOUS = "suspicious"  # 可疑
    ABNORMAL = "abnormal"  # 异常


OVERALL_ZH: Final = {
    Overall.NORMAL: "正常",
    Overall.BORDERLINE: "大致正常",
    Overall.SUSPICIOUS: "可疑",
    Overall.ABNORMAL: "异常",
}
_SEVERITY: Final = tuple(Overall)

GROUPS_ZH: Final = {
    "rhythm": "心律",
    "pacing": "起搏",
    "rate": "心率",
    "P": "P波",
    "PR": "P-R间期与房室传导",
    "conduction": "室内传导",
    "QRS": "QRS波群与电轴",
    "hypertrophy": "心室肥大",
    "infarct": "心肌梗死",
    "ST": "ST段",
    "ischaemia": "心肌缺血",
    "QT": "Q-T间期",
    "T": "T波",
    "U": "U波",
    "pressure": "动态血压",
    "overall": "总体",
    "technical": "技术",
}
"""The groups in the order in which a report names them."""


@dataclass(frozen=True, slots=True)
class StatementTerm:
    """One coded diagnostic statement 诊断术语."""

    code: str
    zh: str
    en: str
    group: str
    order: int
    """Position in a report: lower stands first."""
    overall: Overall | None
    """What this statement alone makes of the conclusion; None where it says nothing about the heart."""
    initials: str
    """Pinyin initials for entry on the keyboard: 窦性心律 is ``dxxl``."""


NORMAL, BORDERLINE, SUSPICIOUS, ABNORMAL = Overall
_Row = tuple[str, str, str, str, Overall | None]

_ROWS: Final[dict[str, tuple[_Row, ...]]] = {
    "rhythm": (
        ("20", "窦性心律", "Sinus rhythm", "dxxl", NORMAL),
        ("21", "窦性心动过速", "Sinus tachycardia", "dxxdgs", BORDERLINE),
        ("22", "窦性心动过缓", "Sinus bradycardia", "dxxdgh", BORDERLINE),
        ("23", "窦性心律不齐", "Sinus arrhythmia", "dxxlbq", BORDERLINE),
        ("24", "Ⅱ度Ⅰ型窦房传导阻滞", "Sinoatrial block, type I", "2d1xdfcdzz", ABNORMAL),
        ("25", "Ⅱ度Ⅱ型窦房传导阻滞", "Sinoatrial block, type II", "2d2xdfcdzz", ABNORMAL),
        ("26", "窦性停搏", "Sinus pause or arrest", "dxtb", ABNORMAL),
        ("26a", "心室停搏", "Ventricular asystole", "xstb", ABNORMAL),
        ("26b", "长RR间期", "Long RR interval", "crrjq", ABNORMAL),
        ("26c", "阵发性心室停搏", "Episode of ventricular asystole", "zfxxstb", ABNORMAL),
        ("27", "室上性心律，性质待定", "Uncertain supraventricular rhythm", "ssxxlxzdd", ABNORMAL),
        ("30", "房性早搏", "Atrial premature complex(es)", "fxzb", ABNORMAL),
        ("30a", "频发房性早搏", "Frequent atrial premature complexes", "pffxzb", ABNORMAL),
        ("30b", "短阵房性心动过速", "Short run of atrial tachycardia", "dzfxxdgs", ABNORMAL),
        ("31", "房性早搏未下传", "Atrial premature complexes, nonconducted", "fxzbwxc", ABNORMAL),
        ("33", "窦房结至心房内游走心律", "Wandering atrial pacemaker", "dfjzxfnyzxl", BORDERLINE),
        ("34", "房性心律", "Ectopic atrial rhythm", "fxxl", ABNORMAL),
        ("35", "多源性房性心律", "Ectopic atrial rhythm, multifocal", "dyxfxxl", ABNORMAL),
        ("36", "交界性早搏", "Junctional premature complex(es)", "jjxzb", ABNORMAL),
        ("37", "交界性逸搏", "Junctional escape complex(es)", "jjxyb", ABNORMAL),
        ("38", "交界性心律", "Junctional rhythm", "jjxxl", ABNORMAL),
        ("39", "加速的交界性心律", "Accelerated junctional rhythm", "jsdjjxxl", ABNORMAL),
        ("41", "室上性早搏", "Supraventricular premature complex(es)", "ssxzb", ABNORMAL),
        ("41a", "频发室上性早搏", "Frequent supraventricular premature complexes", "pfssxzb", ABNORMAL),
        ("41b", "成对室上性早搏", "Supraventricular premature complexes in pairs", "cdssxzb", ABNORMAL),
        ("41c", "室上性早搏二联律", "Supraventricular bigeminy", "ssxzbell", ABNORMAL),
        ("41d", "室上性早搏三联律", "Supraventricular trigeminy", "ssxzbsll", ABNORMAL),
        ("41e", "偶发室上性早搏", "Occasional supraventricular premature complexes", "ofssxzb", BORDERLINE),
        ("50", "心房颤动", "Atrial fibrillation", "xfcd", ABNORMAL),
        ("50a", "心房颤动伴快速心室率", "Atrial fibrillation with rapid ventricular response", "xfcdbksxsl", ABNORMAL),
        ("50b", "心房颤动伴缓慢心室率", "Atrial fibrillation with slow ventricular response", "xfcdbhmxsl", ABNORMAL),
        ("50c", "心房颤动伴长RR间期", "Atrial fibrillation with long RR interval", "xfcdbcrrjq", ABNORMAL),
        ("50d", "心房颤动伴心室预激", "Atrial fibrillation with ventricular preexcitation", "xfcdbxsyj", ABNORMAL),
        ("50e", "阵发性心房颤动", "Paroxysmal atrial fibrillation", "zfxxfcd", ABNORMAL),
        ("50f", "阵发性心房颤动伴长RR间期", "Paroxysmal AF with long RR interval", "zfxxfcdbcrrjq", ABNORMAL),
        ("51", "心房扑动", "Atrial flutter", "xfpd", ABNORMAL),
        ("51a", "阵发性心房扑动", "Paroxysmal atrial flutter", "zfxxfpd", ABNORMAL),
        ("52", "房性心动过速", "Ectopic atrial tachycardia, unifocal", "fxxdgs", ABNORMAL),
        ("53", "多源性房性心动过速", "Ectopic atrial tachycardia, multifocal", "dyxfxxdgs", ABNORMAL),
        ("54", "交界性心动过速", "Junctional tachycardia", "jjxxdgs", ABNORMAL),
        ("55", "室上性心动过速", "Supraventricular tachycardia", "ssxxdgs", ABNORMAL),
        ("55a", "阵发性室上性心动过速", "Paroxysmal supraventricular tachycardia", "zfxssxxdgs", ABNORMAL),
        ("55b", "短阵室上性心动过速", "Short run of supraventricular tachycardia", "dzssxxdgs", ABNORMAL),
        ("60", "室性早搏", "Ventricular premature complex(es)", "sxzb", ABNORMAL),
        ("60a", "频发室性早搏", "Frequent ventricular premature complexes", "pfsxzb", ABNORMAL),
        ("60b", "室性早搏二联律", "Ventricular bigeminy", "sxzbell", ABNORMAL),
        ("60c", "室性早搏三联律", "Ventricular trigeminy", "sxzbsll", ABNORMAL),
        ("60d", "成对室性早搏", "Ventricular premature complexes in pairs", "cdsxzb", ABNORMAL),
        ("60e", "多形性室性早搏", "Multiform ventricular premature complexes", "dxxsxzb", ABNORMAL),
        ("60f", "插入性室性早搏", "Interpolated ventricular premature complexes", "crxsxzb", ABNORMAL),
        ("60g", "室性早搏（R on T）", "R-on-T ventricular premature complexes", "sxzbront", ABNORMAL),
        ("60h", "偶发室性早搏", "Occasional ventricular premature complexes", "ofsxzb", BORDERLINE),
        ("61", "室性融合波", "Fusion complex(es)", "sxrhb", ABNORMAL),
        ("62", "室性逸搏", "Ventricular escape complex(es)", "sxyb", ABNORMAL),
        ("63", "室性逸搏心律", "Idioventricular rhythm", "sxybxl", ABNORMAL),
        ("64", "加速的室性自主心律", "Accelerated idioventricular rhythm", "jsdsxzzxl", ABNORMAL),
        ("66", "室性并行心律", "Ventricular parasystole", "sxbxxl", ABNORMAL),
        ("70", "室性心动过速", "Ventricular tachycardia", "sxxdgs", ABNORMAL),
        ("71", "短阵室性心动过速", "Ventricular tachycardia, nonsustained", "dzsxxdgs", ABNORMAL),
        ("72", "多形性室性心动过速", "Ventricular tachycardia, polymorphous", "dxxsxxdgs", ABNORMAL),
        ("73", "尖端扭转型室性心动过速", "Torsades de pointes", "jdnzxsxxdgs", ABNORMAL),
        ("73a", "双向性室性心动过速", "Bidirectional ventricular tachycardia", "sxxsxxdgs", ABNORMAL),
        ("74", "心室颤动", "Ventricular fibrillation", "xscd", ABNORMAL),
        ("74a", "心室扑动", "Ventricular flutter", "xspd", ABNORMAL),
        ("74b", "阵发性心室颤动", "Episode of ventricular fibrillation", "zfxxscd", ABNORMAL),
        ("74c", "阵发性心室扑动", "Episode of ventricular flutter", "zfxxspd", ABNORMAL),
        ("76", "宽QRS波心动过速", "Wide-QRS tachycardia", "kqrsbxdgs", ABNORMAL),
    ),
    "pacing": (
        ("180", "心房起搏心律", "Atrial-paced complexes or rhythm", "xfqbxl", ABNORMAL),
        ("181", "心室起搏心律", "Ventricular-paced complexes or rhythm", "xsqbxl", ABNORMAL),
        ("183", "心房感知心室起搏心律", "Atrial-sensed ventricular-paced rhythm", "xfgzxsqbxl", ABNORMAL),
        ("184", "房室顺序起搏心律", "AV dual-paced complexes or rhythm", "fssxqbxl", ABNORMAL),
        ("185", "心房起搏失夺获", "Failure to capture, atrial", "xfqbsdh", ABNORMAL),
        ("186", "心室起搏失夺获", "Failure to capture, ventricular", "xsqbsdh", ABNORMAL),
        ("188", "心室感知不良", "Failure to inhibit, ventricular", "xsgzbl", ABNORMAL),
        ("190", "心室起搏输出障碍", "Failure to pace, ventricular", "xsqbscza", ABNORMAL),
    ),
    "rate": (
        ("40a", "心室率缓慢", "Slow ventricular rate", "xslhm", ABNORMAL),
        ("40b", "心室率过快", "Rapid ventricular rate", "xslgk", ABNORMAL),
        ("40c", "心率变异性降低", "Reduced heart rate variability", "xlbyxjd", SUSPICIOUS),
        ("40d", "心率变异性显著降低", "Severely reduced heart rate variability", "xlbyxxzjd", ABNORMAL),
    ),
    "P": (
        ("110", "左心房异常（P波增宽）", "Left atrial conduction abnormality", "zxfycpbzk", SUSPICIOUS),
        ("109", "右心房传导异常", "Right atrial conduction abnormality", "yxfcdyc", SUSPICIOUS),
        ("131", "P波电轴异常", "Abnormal P-wave axis", "pbdzyc", BORDERLINE),
        ("140", "左心房肥大", "Left atrial enlargement", "zxffd", ABNORMAL),
        ("140a", "V1导联P波终末电势增大", "Increased terminal force of P in V1", "v1dlpbzmdszd", BORDERLINE),
        ("141", "右心房肥大", "Right atrial enlargement", "yxffd", ABNORMAL),
        ("141a", "双心房肥大", "Biatrial enlargement", "sxffd", ABNORMAL),
    ),
    "PR": (
        ("80", "短PR间期", "Short PR interval", "dprjq", BORDERLINE),
        ("82", "Ⅰ度房室传导阻滞", "First-degree AV block", "1dfscdzz", ABNORMAL),
        ("83", "Ⅱ度Ⅰ型房室传导阻滞", "Second-degree AV block, Mobitz type I (Wenckebach)", "2d1xfscdzz", ABNORMAL),
        ("83a", "Ⅱ度房室传导阻滞", "Second-degree AV block", "2dfscdzz", ABNORMAL),
        ("84", "Ⅱ度Ⅱ型房室传导阻滞", "Second-degree AV block, Mobitz type II", "2d2xfscdzz", ABNORMAL),
        ("85", "2:1房室传导阻滞", "2:1 AV block", "21fscdzz", ABNORMAL),
        ("87", "高度房室传导阻滞", "AV block, advanced (high-grade)", "gdfscdzz", ABNORMAL),
        ("88", "Ⅲ度房室传导阻滞", "AV block, complete (third-degree)", "3dfscdzz", ABNORMAL),
        ("89", "房室分离", "AV dissociation", "fsfl", ABNORMAL),
    ),
    "conduction": (
        ("108", "心室预激", "Ventricular preexcitation", "xsyj", ABNORMAL),
        ("108a", "间歇性心室预激", "Intermittent ventricular preexcitation", "jxxxsyj", ABNORMAL),
        ("104", "完全性左束支传导阻滞", "Left bundle-branch block", "wqxzszcdzz", ABNORMAL),
        ("104a", "不完全性左束支传导阻滞", "Incomplete left bundle-branch block", "bwqxzszcdzz", ABNORMAL),
        ("106", "完全性右束支传导阻滞", "Right bundle-branch block", "wqxyszcdzz", ABNORMAL),
        ("105", "不完全性右束支传导阻滞", "Incomplete right bundle-branch block", "bwqxyszcdzz", BORDERLINE),
        ("101", "左前分支传导阻滞", "Left anterior fascicular block", "zqfzcdzz", ABNORMAL),
        ("102", "左后分支传导阻滞", "Left posterior fascicular block", "zhfzcdzz", ABNORMAL),
        ("103a", "双分支传导阻滞", "Bifascicular block", "sfzcdzz", ABNORMAL),
        ("103b", "三分支传导阻滞", "Trifascicular block", "sfzcdzz", ABNORMAL),
        ("107", "非特异性室内传导阻滞", "Nonspecific intraventricular conduction delay", "ftyxsncdzz", ABNORMAL),
        ("100", "室内差异性传导", "Aberrant conduction of supraventricular beats", "sncyxcd", ABNORMAL),
        ("111", "Epsilon波", "Epsilon wave", "epsilonb", ABNORMAL),
    ),
    "QRS": (
        ("120", "电轴右偏", "Right-axis deviation", "dzyp", BORDERLINE),
        ("121", "电轴左偏", "Left-axis deviation", "dzzp", BORDERLINE),
        ("122", "电轴极度右偏", "Right superior axis", "dzjdyp", ABNORMAL),
        ("123", "电轴不定", "Indeterminate axis", "dzbd", BORDERLINE),
        ("120a", "电轴轻度右偏", "Mild right-axis deviation", "dzqdyp", BORDERLINE),
        ("121a", "电轴轻度左偏", "Mild left-axis deviation", "dzqdzp", BORDERLINE),
        ("124", "QRS波电交替", "Electrical alternans", "qrsbdjt", ABNORMAL),
        ("125", "肢体导联低电压", "Low voltage, limb leads", "ztdlddy", BORDERLINE),
        ("125a", "胸导联低电压", "Low voltage, precordial leads", "xdlddy", BORDERLINE),
        ("125b", "全导联低电压", "Low voltage, all leads", "qdlddy", SUSPICIOUS),
        ("128", "胸前导联R波递增不良", "Abnormal precordial R-wave progression", "xqdlrbdzbl", SUSPICIOUS),
        ("129a", "逆钟向转位", "Counterclockwise rotation", "nzxzw", BORDERLINE),
        ("129b", "顺钟向转位", "Clockwise rotation", "szxzw", BORDERLINE),
        ("164a", "异常Q波", "Abnormal Q waves", "ycqb", ABNORMAL),
    ),
    "hypertrophy": (
        ("142a", "左心室高电压", "Left ventricular high voltage", "zxsgdy", SUSPICIOUS),
        ("142", "左心室肥大", "Left ventricular hypertrophy", "zxsfd", ABNORMAL),
        ("142b", "左心室肥大伴劳损", "Left ventricular hypertrophy with strain", "zxsfdbls", ABNORMAL),
        ("143", "右心室肥大", "Right ventricular hypertrophy", "yxsfd", ABNORMAL),
        ("144", "双心室肥大", "Biventricular hypertrophy", "sxsfd", ABNORMAL),
    ),
    "infarct": (
        ("160.330", "急性前壁心肌梗死", "Anterior myocardial infarction, acute", "jxqbxjgs", ABNORMAL),
        ("161.330", "急性下壁心肌梗死", "Inferior myocardial infarction, acute", "jxxbxjgs", ABNORMAL),
        ("163.330", "急性侧壁心肌梗死", "Lateral myocardial infarction, acute", "jxcbxjgs", ABNORMAL),
        ("163a.330", "急性高侧壁心肌梗死", "High lateral myocardial infarction, acute", "jxgcbxjgs", ABNORMAL),
        ("165.330", "急性前间壁心肌梗死", "Anteroseptal myocardial infarction, acute", "jxqjbxjgs", ABNORMAL),
        ("166.330", "急性广泛前壁心肌梗死", "Extensive anterior myocardial infarction, acute", "jxgfqbxjgs", ABNORMAL),
        ("162.330", "急性正后壁心肌梗死", "Posterior myocardial infarction, acute", "jxzhbxjgs", ABNORMAL),
        ("174.330", "急性右心室心肌梗死", "Right ventricular myocardial infarction, acute", "jxyxsxjgs", ABNORMAL),
        ("160.332", "陈旧性前壁心肌梗死", "Anterior myocardial infarction, old", "cjxqbxjgs", ABNORMAL),
        ("161.332", "陈旧性下壁心肌梗死", "Inferior myocardial infarction, old", "cjxxbxjgs", ABNORMAL),
        ("163.332", "陈旧性侧壁心肌梗死", "Lateral myocardial infarction, old", "cjxcbxjgs", ABNORMAL),
        ("165.332", "陈旧性前间壁心肌梗死", "Anteroseptal myocardial infarction, old", "cjxqjbxjgs", ABNORMAL),
        ("160.333", "前壁心肌梗死（时间不定）", "Anterior infarction, indeterminate age", "qbxjgssjbd", ABNORMAL),
        ("161.333", "下壁心肌梗死（时间不定）", "Inferior infarction, indeterminate age", "xbxjgssjbd", ABNORMAL),
        ("163.333", "侧壁心肌梗死（时间不定）", "Lateral infarction, indeterminate age", "cbxjgssjbd", ABNORMAL),
        (
            "165.333",
            "前间壁心肌梗死（时间不定）",
            "Anteroseptal infarction, indeterminate age",
            "qjbxjgssjbd",
            ABNORMAL,
        ),
    ),
    "ST": (
        ("145a", "ST段抬高", "ST elevation", "stdtg", ABNORMAL),
        ("145b", "ST段压低", "ST depression", "stdyd", ABNORMAL),
        ("145e", "阵发性ST段抬高", "Episodes of ST elevation", "zfxstdtg", ABNORMAL),
        ("145f", "阵发性ST段压低", "Episodes of ST depression", "zfxstdyd", ABNORMAL),
        ("145c", "ST段轻度改变", "Minor ST change", "stdqdgb", BORDERLINE),
        ("145d", "非特异性ST段改变", "Nonspecific ST change", "ftyxstdgb", SUSPICIOUS),
        ("146", "ST-T改变", "ST deviation with T-wave change", "sttgb", ABNORMAL),
        ("153", "继发性ST-T改变", "Secondary ST-T change", "jfxsttgb", ABNORMAL),
        ("155", "早期复极", "Early repolarization", "zqfj", BORDERLINE),
        ("154", "J波（Osborn波）", "Osborn wave", "jbosbornb", ABNORMAL),
        ("202", "Brugada波", "Brugada pattern", "brugadab", ABNORMAL),
        ("202a", "Brugada波待排（马鞍型）", "Saddleback ST elevation, consider Brugada", "brugadabdpmax", SUSPICIOUS),
        ("200", "提示急性心包炎", "Consider acute pericarditis", "tsjxxby", ABNORMAL),
        ("205", "洋地黄作用", "Digitalis effect", "ydhzy", ABNORMAL),
    ),
    "ischaemia": (
        ("220", "急性心肌缺血", "Acute myocardial ischaemia", "jxxjqx", ABNORMAL),
        ("226", "心肌缺血", "Myocardial ischaemia", "xjqx", ABNORMAL),
        ("220a", "de Winter ST-T改变", "de Winter pattern", "dewintersttgb", ABNORMAL),
        ("220b", "Wellens综合征心电图表现", "Wellens pattern", "wellenszhzxdtbx", ABNORMAL),
        (
            "220c",
            "aVR导联ST段抬高伴广泛ST段压低",
            "ST elevation in aVR, ST depression elsewhere",
            "avrdlstdtgbgfstdyd",
            ABNORMAL,
        ),
        ("220d", "Aslanger ST段改变", "Aslanger pattern", "aslangerstdgb", ABNORMAL),
        ("220e", "T波超急性期改变", "Hyperacute T waves", "tbcjxqgb", ABNORMAL),
        ("201", "提示急性肺栓塞", "Consider acute pulmonary embolism", "tsjxfss", ABNORMAL),
    ),
    "QT": (
        ("148", "QT间期延长", "Prolonged QT interval", "qtjqyc", ABNORMAL),
        ("149", "QT间期缩短", "Short QT interval", "qtjqsd", ABNORMAL),
    ),
    "T": (
        ("147a", "T波低平", "Low T waves", "tbdp", SUSPICIOUS),
        ("147b", "T波倒置", "Inverted T waves", "tbdz", ABNORMAL),
        ("147c", "T波高尖", "Tall peaked T waves", "tbgj", ABNORMAL),
        ("147d", "T波双向", "Biphasic T waves", "tbsx", SUSPICIOUS),
        ("147e", "非特异性T波改变", "Nonspecific T-wave change", "ftyxtbgb", SUSPICIOUS),
        ("147f", "T波电交替", "T-wave alternans", "tbdjt", ABNORMAL),
        ("147g", "微伏级T波电交替阳性", "Microvolt T-wave alternans", "wfjtbdjtyx", ABNORMAL),
        ("208", "提示高钾血症", "Consider hyperkalaemia", "tsgjxz", ABNORMAL),
        ("211", "提示低钾血症", "Consider hypokalaemia", "tsdjxz", ABNORMAL),
    ),
    "U": (
        ("150", "U波增高", "Prominent U waves", "ubzg", SUSPICIOUS),
        ("151", "U波倒置", "Inverted U waves", "ubdz", ABNORMAL),
        ("152", "TU融合", "TU fusion", "turh", SUSPICIOUS),
    ),
    "pressure": (
        ("900", "动态血压正常", "Normal ambulatory blood pressure", "dtxyzc", NORMAL),
        ("901", "24小时平均血压升高", "Raised 24-hour average blood pressure", "24xspjxysg", ABNORMAL),
        ("902", "白天平均血压升高", "Raised daytime average blood pressure", "btpjxysg", ABNORMAL),
        ("903", "夜间平均血压升高", "Raised night-time average blood pressure", "yjpjxysg", ABNORMAL),
        ("904", "单纯夜间高血压", "Isolated nocturnal hypertension", "dcyjgxy", ABNORMAL),
        ("905", "单纯白天高血压", "Isolated daytime hypertension", "dcbtgxy", ABNORMAL),
        ("906", "动态血压呈单纯收缩期高血压", "Isolated systolic ambulatory hypertension", "dtxycdcssqgxy", ABNORMAL),
        ("907", "动态血压呈单纯舒张期高血压", "Isolated diastolic ambulatory hypertension", "dtxycdcszqgxy", ABNORMAL),
        ("908", "动态血压偏高（未达高血压标准）", "Elevated ambulatory blood pressure", "dtxypgwdgxybz", BORDERLINE),
        ("909", "清晨高血压", "Morning hypertension", "qcgxy", ABNORMAL),
        ("910", "隐蔽性高血压", "Masked hypertension", "ybxgxy", ABNORMAL),
        ("911", "白大衣性高血压", "White-coat hypertension", "bdyxgxy", SUSPICIOUS),
        ("912", "白大衣效应", "White-coat effect", "bdyxy", BORDERLINE),
        ("913", "血压重度升高", "Severely raised blood pressure", "xyzdsg", ABNORMAL),
        ("914", "动态血压偏低", "Low ambulatory blood pressure", "dtxypd", SUSPICIOUS),
        ("920", "血压昼夜节律呈杓型", "Dipper", "xyzyjlcsx", NORMAL),
        ("921", "血压昼夜节律呈非杓型", "Non-dipper", "xyzyjlcfsx", SUSPICIOUS),
        ("922", "血压昼夜节律呈反杓型", "Reverse dipper", "xyzyjlcfsx", ABNORMAL),
        ("923", "血压昼夜节律呈超杓型", "Extreme dipper", "xyzyjlccsx", SUSPICIOUS),
        ("924", "血压晨峰增高", "Exaggerated morning surge", "xycfzg", SUSPICIOUS),
        ("930", "血压负荷增高", "Raised blood pressure load", "xyfhzg", BORDERLINE),
        ("931", "血压变异性增大", "Raised blood pressure variability", "xybyxzd", BORDERLINE),
        ("932", "脉压增大", "Wide pulse pressure", "myzd", BORDERLINE),
        ("933", "动态动脉硬化指数增高", "Raised ambulatory arterial stiffness index", "dtdmyhzszg", BORDERLINE),
        ("940", "有效读数未达要求，结果仅供参考", "Fewer readings than required: for orientation", "yxdswdyq", None),
        ("941", "夜间有效读数不足，未判定昼夜节律", "Too few readings at night: rhythm not judged", "yjyxdsbz", None),
        ("942", "有效读数过少，建议重新监测", "Too few readings: repeat the monitoring", "yxdsgsjycxjc", None),
        ("943", "儿童动态血压须按百分位数判定，未作分级", "Child: percentiles needed, not graded", "etdtxy", None),
    ),
    "overall": (
        ("1", "正常心电图", "Normal ECG", "zcxdt", NORMAL),
        ("2", "大致正常心电图", "Otherwise normal ECG", "dzzcxdt", BORDERLINE),
        ("228", "正常变异", "Normal variant", "zcby", BORDERLINE),
        ("2a", "可疑心电图", "Borderline ECG", "kyxdt", SUSPICIOUS),
        ("3", "异常心电图", "Abnormal ECG", "ycxdt", ABNORMAL),
        ("230", "右位心", "Dextrocardia", "ywx", ABNORMAL),
    ),
    "technical": (
        ("4", "图形质量差，无法判读", "Uninterpretable ECG", "txzlcwfpd", None),
        ("10a", "左右手导联反接", "Right and left arm electrodes reversed", "zysdlfj", None),
        ("10b", "右手左足导联反接", "Right arm and left leg electrodes reversed", "yszzdlfj", None),
        ("10c", "左手左足导联反接", "Left arm and left leg electrodes reversed", "zszzdlfj", None),
        ("11", "胸前导联位置错误", "Misplaced precordial electrodes", "xqdlwzcw", None),
        ("11a", "V1、V2电极位置可能偏高", "V1 and V2 possibly set too high", "v1v2djwzknpg", None),
        ("12", "导联缺失", "Missing lead(s)", "dlqs", None),
        ("13", "右胸导联", "Right-sided precordial electrodes", "yxdl", None),
        ("14", "伪差干扰", "Artifact", "wcgr", None),
        ("15", "图形质量欠佳", "Poor-quality data", "txzlqj", None),
        ("16", "后壁导联", "Posterior electrodes", "hbdl", None),
    ),
}


def _build() -> dict[str, StatementTerm]:
    terms: dict[str, StatementTerm] = {}
    for number, group in enumerate(GROUPS_ZH, start=1):
        for place, (code, zh, en, initials, overall) in enumerate(_ROWS[group]):
            assert code not in terms, code
            terms[code] = StatementTerm(code, zh, en, group, number * 1000 + place, overall, initials)
    return terms


TERMS: Final[dict[str, StatementTerm]] = _build()
"""All statements by code, in the order of the report."""

ACUTE_INFARCT: Final = tuple(code for code in TERMS if code.endswith(".330"))
_SINUS: Final = ("20", "21", "22", "23")
_NO_P_WAVE: Final = ("50", "50a", "50b", "50c", "50d", "51", "74", "74a", "26a")

CONTRADICTIONS: Final[tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...]] = (
    (_SINUS, ("74", "74a", "26a"), "窦性心律与心室颤动、心室扑动、心室停搏不能并存"),
    (("21",), ("22",), "窦性心动过速与窦性心动过缓不能并存"),
    (("20", "21", "22", "23"), ("50", "50a", "50b", "51"), "窦性心律与心房颤动、心房扑动不能并存"),
    (_NO_P_WAVE, ("80", "82", "83", "84", "85"), "无窦性P波时不能诊断P-R间期异常或Ⅰ、Ⅱ度房室传导阻滞"),
    (("33",), ("35", "53"), "窦房结至心房内游走心律与多源性房性心律、心动过速只写其一"),
    (("35",), ("53",), "多源性房性心律与多源性房性心动过速不能并存"),
    (("33", "35", "53"), ("50", "50a", "50b", "51"), "心房内游走、多源性房性心律与心房颤动、心房扑动不能并存"),
    (("50",), ("50e",), "持续性心房颤动与阵发性心房颤动不能并存"),
    (("51",), ("51a",), "持续性心房扑动与阵发性心房扑动不能并存"),
    (("60a",), ("60h",), "频发与偶发室性早搏不能并存"),
    (("41a",), ("41e",), "频发与偶发室上性早搏不能并存"),
    (("40c",), ("40d",), "心率变异性降低与显著降低只写其一"),
    (("50a", "40b"), ("50b", "40a"), "快速心室率与缓慢心室率不能并存"),
    (("80",), ("82",), "短P-R间期与Ⅰ度房室传导阻滞不能并存"),
    (("88",), ("82", "83", "84", "85"), "Ⅲ度房室传导阻滞与Ⅰ、Ⅱ度房室传导阻滞不能并存"),
    (("104",), ("106", "105", "101", "102", "104a"), "完全性左束支传导阻滞与右束支、分支传导阻滞不能并存"),
    (("106",), ("105",), "完全性与不完全性右束支传导阻滞不能并存"),
    (("101",), ("102", "120", "120a"), "左前分支传导阻滞与左后分支传导阻滞、电轴右偏不能并存"),
    (("120", "120a"), ("121", "121a"), "电轴右偏与电轴左偏不能并存"),
    (("129a",), ("129b",), "顺钟向转位与逆钟向转位不能并存"),
    (("148",), ("149",), "QT间期延长与QT间期缩短不能并存"),
    (("208", "147c"), ("211",), "高钾血症、T波高尖与低钾血症不能并存"),
    (("107",), ("104", "106", "108"), "室内传导阻滞与完全性束支传导阻滞、心室预激只写其一"),
    (("108",), ("104", "106"), "心室预激与完全性束支传导阻滞不能并存"),
    (("145b",), ("145c",), "ST段压低与ST段轻度改变只写其一"),
    (("155",), ("200", *ACUTE_INFARCT), "早期复极与急性心肌梗死、急性心包炎不能并存"),
    (("202",), ("202a",), "Brugada波与Brugada波待排只写其一"),
    (("125b",), ("125", "125a"), "全导联低电压与肢体导联、胸导联低电压只写其一"),
    # limb leads alone may be low beside a high chest (Goldberger's triad of 1982)
    (("142a", "142", "142b"), ("125b",), "左心室高电压与全导联低电压不能并存"),
    (
        ("900",),
        ("901", "902", "903", "904", "905", "906", "907", "908", "909", "910", "913", "914"),
        "动态血压正常与血压升高、偏低不能并存",
    ),
    (("904",), ("902", "905"), "单纯夜间高血压与白天血压升高不能并存"),
    (("905",), ("903",), "单纯白天高血压与夜间血压升高不能并存"),
    (("906",), ("907",), "单纯收缩期与单纯舒张期高血压不能并存"),
    (("910",), ("911",), "隐蔽性高血压与白大衣性高血压不能并存"),
    (("920",), ("921", "922", "923"), "昼夜节律只能有一种类型"),
    (("921",), ("922", "923"), "昼夜节律只能有一种类型"),
    (("922",), ("923",), "昼夜节律只能有一种类型"),
)
"""Pairs of sets: a code of the first cannot stand beside a code of the second, and what to tell the physician."""


def search(text: str, limit: int = 20) -> list[StatementTerm]:
    """The terms that somebody who types ``text`` may mean, likeliest first.

    Compared with the code, the pinyin initials, the Chinese and the English words. Letters may be left out as long as
    their order is kept, so that 房颤 and ``fc`` both find 心房颤动.

    >>> [term.zh for term in search("dxxl", 2)]
    ['窦性心律', '窦性心律不齐']
    >>> search("房颤", 1)[0].code
    '50'
    """
    wanted = "".join(text.lower().split())
    if not wanted or limit < 1:
        return []
    ranked = sorted((rank, term.order) for term in TERMS.values() if (rank := _rank(term, wanted)) is not None)
    by_order = {term.order: term for term in TERMS.values()}
    return [by_order[order] for _, order in ranked[:limit]]


def _rank(term: StatementTerm, wanted: str) -> tuple[int, int] | None:
    """(kind of match, letters too many), lower is better; None where nothing matches."""
    english = "".join(term.en.lower().split())
    names = (term.code.lower(), term.initials, term.zh.lower(), english)
    if wanted in names:
        return 0, 0
    for kind, found in (
        (1, [name for name in names if name.startswith(wanted)]),
        (2, [name for name in names if wanted in name]),
        (3, [name for name in names[1:3] if _is_subsequence(wanted, name)]),
    ):
        if found:
            return kind, min(len(name) for name in found) - len(wanted)
    return None


def _is_subsequence(wanted: str, name: str) -> bool:
    letters = iter(name)
    return all(letter in letters for letter in wanted)


def in_report_order(codes: Iterable[str]) -> list[str]:
    """The known codes, each once, in the order of the report.

    Raises:
        KeyError: for a code that is not in :data:`TERMS`.
    """
    return sorted(set(codes), key=lambda code: TERMS[code].order)


def overall_of(codes: Collection[str]) -> Overall | None:
    """The conclusion that these statements add up to: that of the worst of them.

    None where nothing was said of the heart (no statement, or technical ones only), so that nobody reads "normal"
    into silence.

    >>> overall_of(["20", "105"])
    <Overall.BORDERLINE: 'borderline'>
    """
    found = [overall for code in codes if (overall := TERMS[code].overall) is not None]
    return max(found, key=_SEVERITY.index, default=None)


def contradicts(codes: Collection[str]) -> list[tuple[str, str, str]]:
    """Every pair among the codes that cannot stand together: (code, code, reason in Chinese).

    >>> contradicts(["21", "22"])
    [('21', '22', '窦性心动过速与窦性心动过缓不能并存')]
    """
    present = set(codes)
    pairs: list[tuple[str, str, str]] = [
        (first, second, reason)
        for firsts, seconds, reason in CONTRADICTIONS
        for first in firsts
        if first in present
        for second in seconds
        if second in present
    ]
    heart = [
        code
        for code in present
        if TERMS[code].group != "pressure" and (overall := TERMS[code].overall) and overall is not Overall.NORMAL
    ]
    if "1" in present and heart:
        worst = max(heart, key=lambda code: _SEVERITY.index(TERMS[code].overall or Overall.NORMAL))
        pairs.append(("1", worst, "正常心电图不能与其他异常诊断并存"))
    return pairs
