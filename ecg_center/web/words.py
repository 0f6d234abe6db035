"""Which word, mark and colour stands on screen for a state, a grade or a role?

Colour is never alone: every badge has its word, every mark its sign. Texts are message ids, translated in templates.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from ecg_center.domain.authority import Principal, Role
from ecg_center.domain.deadlines import DeadlineKind
from ecg_center.domain.statements import TERMS, Overall
from ecg_center.domain.workflow import State
from ecg_center.release.document.labels import age
from ecg_center.web.i18n import CLINIC_TIME, N_, Language

Tone = Literal["neutral", "info", "ok", "warn", "danger"]


@dataclass(frozen=True)
class Badge:
    """One word on screen: ``text`` is a message id, ``icon`` a symbol of ``components/icons.html``."""

    text: str
    tone: Tone
    icon: str = ""


STATES: dict[str, Badge] = {
    State.REGISTERED: Badge(N_("Registered"), "neutral", "order"),
    State.RECEIVED: Badge(N_("Received"), "info", "inbox"),
    State.PREREAD: Badge(N_("To be read"), "info", "wave"),
    State.WRITING: Badge(N_("Being written"), "info", "pen"),
    State.WRITTEN: Badge(N_("To be reviewed"), "info", "check"),
    State.REVIEWING: Badge(N_("Being reviewed"), "info", "eye"),
    State.RELEASED: Badge(N_("Released"), "ok", "seal"),
    State.DELIVERED: Badge(N_("Delivered"), "ok", "printer"),
    State.CANCELLED: Badge(N_("Cancelled"), "neutral", "cross"),
}

MARKS: dict[str, Badge] = {
    "chest-pain": Badge(N_("Chest pain"), "danger", "heart"),
    "urgent": Badge(N_("Urgent"), "danger", "alert"),
    "critical": Badge(N_("Critical value"), "danger", "siren"),
    "major": Badge(N_("Major finding"), "warn", "alert"),
    "unconfirmed": Badge(N_("Unconfirmed"), "neutral", "info"),
}

DEADLINES: dict[str, str] = {
    DeadlineKind.OPINION: N_("Opinion"),
    DeadlineKind.WRITTEN: N_("Report"),
    DeadlineKind.REVIEWED: N_("Review"),
}

GRADES: dict[str, Badge] = {
    "critical": Badge(N_("Critical value"), "danger", "siren"),
    "major": Badge(N_("Major finding"), "warn", "alert"),
    "abnormal": Badge(N_("Abnormal"), "neutral", "wave"),
    "normal": Badge(N_("Normal"), "ok", "check"),
}

CONCLUSIONS: dict[str, str] = {
    Overall.NORMAL: N_("Normal ECG"),
    Overall.BORDERLINE: N_("Essentially normal ECG"),
    Overall.SUSPICIOUS: N_("Suspicious ECG"),
    Overall.ABNORMAL: N_("Abnormal ECG"),
}

PRESSURE_CONCLUSIONS: dict[str, str] = {
    Overall.NORMAL: N_("Normal"),
    Overall.BORDERLINE: N_("Essentially normal"),
    Overall.SUSPICIOUS: N_("Suspicious"),
    Overall.ABNORMAL: N_("Abnormal"),
}

KINDS: dict[str, str] = {
    "resting": N_("Resting ECG"),
    "holter": N_("Holter"),
    "abpm": N_("Ambulatory blood pressure"),
}

SEXES: dict[str, str] = {"M": N_("Male"), "F": N_("Female"), "O": N_("Other")}

ROLES: dict[str, str] = {
    Role.TECHNICIAN: N_("Technician"),
    Role.REPORTING: N_("Reporting physician"),
    Role.REVIEWING: N_("Reviewing physician"),
    Role.DIRECTOR: N_("Centre director"),
    Role.QC: N_("Quality lead"),
    Role.ADMIN: N_("Administrator"),
}

WEEKDAYS: dict[str, str] = {
    "1": N_("Monday"),
    "2": N_("Tuesday"),
    "3": N_("Wednesday"),
    "4": N_("Thursday"),
    "5": N_("Friday"),
    "6": N_("Saturday"),
    "7": N_("Sunday"),
}

SOURCES: dict[str, str] = {
    "outpatient": N_("Outpatient"),
    "inpatient": N_("Inpatient"),
    "emergency": N_("Emergency"),
    "checkup": N_("Health check"),
}

MEASUREMENTS: tuple[tuple[str, str, str], ...] = (
    ("heart_rate_bpm", N_("Heart rate"), "/min"),
    ("p_ms", N_("P duration"), "ms"),
    ("pr_ms", N_("PR interval"), "ms"),
    ("qrs_ms", N_("QRS duration"), "ms"),
    ("qt_ms", N_("QT"), "ms"),
    ("qtc_ms", N_("QTc"), "ms"),
    ("qrs_axis_deg", N_("QRS axis"), "°"),
    ("rv5_mv", N_("RV5"), "mV"),
    ("sv1_mv", N_("SV1"), "mV"),
)
"""The measurements of the report's page, in its order (DESIGN.md section 5): field, message id, unit."""

FURTHER_MEASUREMENTS: tuple[tuple[str, str, str], ...] = (
    ("atrial_rate_bpm", N_("Atrial rate"), "/min"),
    ("rr_mean_ms", N_("Mean RR"), "ms"),
    ("rr_max_ms", N_("Longest RR"), "ms"),
    ("p_axis_deg", N_("P axis"), "°"),
    ("t_axis_deg", N_("T axis"), "°"),
    ("qt_dispersion_ms", N_("QT dispersion"), "ms"),
    ("rv5_sv1_mv", "RV5+SV1", "mV"),
    ("sokolow_lyon_mv", N_("Sokolow-Lyon voltage"), "mV"),
    ("cornell_mv", N_("Cornell voltage"), "mV"),
    ("cornell_product_mv_ms", N_("Cornell product"), "mV·ms"),
    ("lewis_mv", N_("Lewis index"), "mV"),
    ("peguero_mv", N_("Peguero–Lo Presti voltage"), "mV"),
    ("romhilt_estes_points", N_("Romhilt–Estes points"), ""),
    ("selvester_points", N_("Selvester points"), ""),
    ("v1_p_terminal_mv_ms", N_("terminal force of P in V1"), "mV·ms"),
)
"""What else the machine measures, for whoever unfolds it: field of ``Measurements``, message id, unit."""

LEAD_MEASUREMENTS: tuple[tuple[str, str], ...] = (
    ("p_mv", "P"), ("q_mv", "Q"), ("r_mv", "R"), ("s_mv", "S"), ("r2_mv", "R′"), ("t_mv", "T"), ("u_mv", "U"),
    ("st_j_mv", "J"), ("st20_mv", "J+20"), ("st40_mv", "J+40"), ("st60_mv", "J+60"), ("st80_mv", "J+80"),
    ("st_slope_mv_s", "ST mV/s"),
    ("q_ms", "Q ms"), ("r_ms", "R ms"), ("s_ms", "S ms"),
)  # fmt: skip
"""Of one lead: field of ``LeadMeasurements`` and its head."""

QTC_FORMULAS: dict[str, str] = {
    "bazett": "Bazett", "fridericia": "Fridericia", "framingham": "Framingham", "hodges": "Hodges",
}  # fmt: skip

QUANTITIES: dict[str, str] = {
    **{field: text for field, text, _ in MEASUREMENTS},
    "analysed_share": N_("analysed share"),
    "area_mvms": N_("Area"),
    "basic_rate_bpm": N_("rate of the basic rhythm"),
    "beside_axis_shifts": N_("of them beside a shift of the QRS axis"),
    "diastolic_24h_mmhg": N_("24-hour diastolic"),
    "diastolic_day_mmhg": N_("daytime diastolic"),
    "diastolic_highest_mmhg": N_("its diastolic"),
    "diastolic_night_mmhg": N_("night-time diastolic"),
    "dip_systolic_percent": N_("systolic fall at night"),
    "first_hour_max_diastolic_mmhg": N_("highest diastolic of the first hour"),
    "first_hour_max_systolic_mmhg": N_("highest systolic of the first hour"),
    "morning_diastolic_mmhg": N_("morning diastolic"),
    "morning_systolic_mmhg": N_("morning systolic"),
    "office_diastolic_mmhg": N_("office diastolic"),
    "office_systolic_mmhg": N_("office systolic"),
    "readings_day": N_("readings by day"),
    "readings_night": N_("readings by night"),
    "readings_share_percent": N_("share of readings"),
    "severe_readings": N_("readings as high as that"),
    "surge_mmhg": N_("rise at waking"),
    "aasi": N_("arterial stiffness index"),
    "pulse_pressure_24h_mmhg": N_("24-hour pulse pressure"),
    "systolic_load_percent": N_("systolic load"),
    "diastolic_load_percent": N_("diastolic load"),
    "systolic_night_sd_mmhg": N_("SD of the night-time systolic"),
    "systolic_24h_mmhg": N_("24-hour systolic"),
    "systolic_day_mmhg": N_("daytime systolic"),
    "systolic_highest_mmhg": N_("highest systolic"),
    "systolic_night_mmhg": N_("night-time systolic"),
    "atrial_rate_bpm": N_("Atrial rate"),
    "beats": N_("Beats"),
    "beats_an_hour": N_("beats an hour"),
    "before_t_summit_ms": N_("before the top of T"),
    "blocked_p": N_("P waves without QRS"),
    "spike_mv": N_("height of the pacing pulse"),
    "cornell_mv": N_("Cornell voltage"),
    "cornell_product_mv_ms": N_("Cornell product"),
    "lewis_mv": N_("Lewis index"),
    "p_axis_deg": N_("P axis"),
    "peguero_mv": N_("Peguero–Lo Presti voltage"),
    "r_peak_ms": N_("R peak time"),
    "romhilt_estes_points": N_("Romhilt–Estes points"),
    "rr_to_usual": N_("interval over the usual one"),
    "v1_p_terminal_mv_ms": N_("terminal force of P in V1"),
    "early_beats": N_("Early beats"),
    "fusion_beats": N_("Fusion beats"),
    "episodes": N_("episodes"),
    "forms": N_("QRS forms"),
    "leakage": N_("leakage"),
    "log_odds": N_("log odds"),
    "most_in_an_hour": N_("most in an hour"),
    "p_clarity": N_("clearness of P"),
    "p_forms": N_("P forms"),
    "p_mv": N_("P amplitude"),
    "p_share": N_("beats with a P wave"),
    "pairs": N_("couplets"),
    "pauses": N_("pauses"),
    "pauses_over_3_0_s": N_("pauses of 3.0 s or longer"),
    "pr_growth_ms": N_("growth of PR"),
    "pr_segment_mv": N_("PR segment"),
    "pr_spread_ms": N_("spread of PR"),
    "ratio": N_("atrial waves to one QRS"),
    "ratio_least": N_("fewest atrial waves to one QRS"),
    "ratio_most": N_("most atrial waves to one QRS"),
    "j_wave_mv": N_("J wave"),
    "q_ms": N_("Q duration"),
    "q_mv": N_("Q amplitude"),
    "qrs_step_mv": N_("Step of the QRS size"),
    "qrs_alternans_mv": N_("QRS alternans"),
    "qrs_scatter_ms": N_("spread of the QRS duration"),
    "qrs_span_mv": N_("QRS amplitude"),
    "qtc_mean_ms": N_("mean QTc"),
    "r_mv": N_("R amplitude"),
    "rate_hz": N_("rate"),
    "rate_max_bpm": N_("fastest rate"),
    "rate_min_bpm": N_("slowest rate"),
    "regularity": N_("regularity"),
    "rr_difference_ms": N_("difference of RR"),
    "rr_irregularity": N_("irregularity of RR"),
    "rr_max_ms": N_("Longest RR"),
    "rr_mean_ms": N_("Mean RR"),
    "rr_min_ms": N_("Shortest RR"),
    "rr_ms": N_("RR"),
    "run_beats": N_("beats of the run"),
    "run_rate_bpm": N_("rate of the run"),
    "run_s": N_("length of the run"),
    "run_share": N_("share of the run"),
    "s_mv": N_("S amplitude"),
    "sdnn_ms": "SDNN",
    "share": N_("share"),
    "sokolow_lyon_mv": N_("Sokolow-Lyon voltage"),
    "span_mv": N_("Amplitude"),
    "spikes": N_("pacing spikes"),
    "st60_mv": N_("ST 60 ms after J"),
    "st_to_t": N_("ST to T"),
    "st_deviation_mv": N_("ST deviation"),
    "st_j_mv": N_("ST at J"),
    "t_alternans_uv": N_("T-wave alternans"),
    "t_mv": N_("T amplitude"),
    "t_to_r": N_("T to R"),
    "terminal_mv": N_("end of QRS in V1"),
    "turned_share": N_("share of the waves turned over"),
    "tu_dip": N_("level between T and U, of the lower one"),
    "u_mv": N_("U amplitude"),
    "ventricular_rate_bpm": N_("Ventricular rate"),
}
"""What an evidence's ``quantity`` is called; one that is not listed is shown by its own name."""

DELIVERIES: dict[str, Badge] = {
    "waiting": Badge(N_("Waiting for the printer"), "info", "clock"),
    "printing": Badge(N_("Printing"), "info", "printer"),
    "printed": Badge(N_("Printed"), "ok", "printer"),
    "failed": Badge(N_("Not printed"), "danger", "alert"),
    "superseded": Badge(N_("Withdrawn"), "neutral", "back"),
}

REPORTS: dict[str, Badge] = {
    "draft": Badge(N_("Draft"), "neutral", "pen"),
    "written": Badge(N_("Signed by its writer"), "info", "check"),
    "released": Badge(N_("Released"), "ok", "seal"),
    "superseded": Badge(N_("Replaced by a newer version"), "neutral", "back"),
}

RECORDINGS: dict[str, Badge] = {
    "stored": Badge(N_("Being read by the machine"), "info", "inbox"),
    "decoded": Badge(N_("Readable"), "ok", "check"),
    "quarantined": Badge(N_("Unreadable"), "danger", "alert"),
    "dismissed": Badge(N_("Set aside"), "neutral", "cross"),
}

CERTAINTIES: dict[str, str] = {
    "definite": "",
    "probable": N_("probable"),
    "possible": N_("possible"),
}

QUALITY: dict[str, Badge] = {
    "usable": Badge(N_("Good recording"), "ok", "check"),
    "limited": Badge(N_("Recording of limited quality"), "warn", "alert"),
    "repeat": Badge(N_("Record again if possible"), "danger", "again"),
}


@dataclass(frozen=True)
class Line:
    """How one kind of timeline line reads; ``tone`` colours its dot."""

    text: str
    tone: Tone = "neutral"


STAGES: dict[str, str] = {
    "waiting": N_("waiting for its turn"),
    "decode": N_("decoding"),
    "beats": N_("looking for beats"),
    "classes": N_("naming beats"),
    "minutes": N_("measuring ST and QT"),
    "conclude": N_("drawing conclusions"),
    "store": N_("keeping the trace"),
}
"""What the pre-read of a long recording is at; one that is not listed is shown by its own name."""

EVENTS: dict[str, Line] = {
    "register": Line(N_("Exam registered")),
    "safe": Line(N_("Recording safe with the gateway")),
    "receive": Line(N_("Recording stored at the centre")),
    "preread": Line(N_("Pre-read by the machine")),
    "regraded": Line(N_("Graded anew after a change of the beats")),
    "quarantine": Line(N_("Recording unreadable, set aside"), "danger"),
    "dismiss": Line(N_("Unreadable recording dismissed"), "warn"),
    "match": Line(N_("Recording matched to its order")),
    "contradiction": Line(N_("The recording names another patient than its order"), "danger"),
    "claim": Line(N_("Taken")),
    "let_go": Line(N_("Given back")),
    "choose_recording": Line(N_("Another recording of this exam chosen for the report")),
    "sign": Line(N_("Report signed by its writer")),
    "return": Line(N_("Returned to its writer"), "warn"),
    "release": Line(N_("Reviewed, signed and released")),
    "document": Line(N_("Report document signed and stored")),
    "preread_again": Line(N_("Pre-read asked for again")),
    "document_again": Line(N_("Report document asked for again")),
    "printing": Line(N_("Printing at the clinic")),
    "printed": Line(N_("Printed at the clinic")),
    "deliver": Line(N_("Printed at the clinic")),
    "failed": Line(N_("Printing failed"), "danger"),
    "print_again": Line(N_("Print asked for again")),
    "amend": Line(N_("Amendment begun"), "warn"),
    "cancel": Line(N_("Cancelled"), "warn"),
    "opinion": Line(N_("Opinion given and signed")),
    "chest_pain": Line(N_("Chest-pain mark"), "danger"),
    "urgent": Line(N_("Urgent mark"), "danger"),
    "deadline_warned": Line(N_("Due time is near"), "warn"),
    "deadline_breached": Line(N_("Due time missed"), "danger"),
}


PERIODS: dict[str, str] = {
    "24h": N_("24 hours"),
    "day": N_("Daytime"),
    "night": N_("Night"),
    "between": N_("between day and night"),
}

PRESSURE_LEVELS: dict[str, str] = {
    "elevated": N_("elevated"),
    "hypertension": N_("in the range of hypertension"),
    "stage_1": N_("hypertension, stage 1"),
    "stage_2": N_("hypertension, stage 2"),
}
"""A guideline's own name of the highest level that an average reaches; one of a centre's own stands as it is."""

DIPPING: dict[str, Badge] = {
    "dipper": Badge(N_("Dipper"), "ok", "check"),
    "non_dipper": Badge(N_("Non-dipper"), "warn", "alert"),
    "reverse": Badge(N_("Reverse dipper"), "danger", "alert"),
    "extreme": Badge(N_("Extreme dipper"), "warn", "alert"),
}

VALIDITY: dict[str, Badge] = {
    "valid": Badge(N_("Enough readings"), "ok", "check"),
    "limited": Badge(N_("Fewer readings than required"), "warn", "alert"),
    "insufficient": Badge(N_("Too few readings"), "danger", "again"),
}

NIGHT_BY: dict[str, str] = {
    "diary": N_("night by the diary"),
    "device": N_("night by the recorder"),
    "clock": N_("night by fixed hours"),
}
NIGHT_SOURCES: dict[str, str] = {"diary": N_("diary"), "device": N_("recorder"), "clock": N_("fixed hours")}
NIGHT_FILLED = N_("a night that was not noted by fixed hours")

READINGS: dict[str, str] = {
    "used": "",
    "failed": N_("Failed"),
    "device": N_("Taken out by the recorder"),
    "outlier": N_("Implausible"),
    "physician": N_("Taken out by a physician"),
}

OUTLIERS: dict[str, str] = {
    "systolic": N_("systolic beyond what is plausible"),
    "diastolic": N_("diastolic beyond what is plausible"),
    "pulse_pressure": N_("pulse pressure beyond what is plausible"),
    "pulse": N_("pulse beyond what is plausible"),
}

EXCLUSIONS: tuple[str, ...] = (N_("Artefact"), N_("Movement"), N_("Cuff displaced"), N_("Other reason"))
"""Why a physician takes a reading out; the first is the one that is offered."""


def conclusions_of(kind: str) -> dict[str, str]:
    """The words of the conclusion for this kind of study."""
    return PRESSURE_CONCLUSIONS if kind == "abpm" else CONCLUSIONS


def event(what: str) -> Line:
    """How a timeline line reads; an unknown one by its own name, so that nothing is hidden."""
    return EVENTS.get(what, Line(what))


def term(code: str, language: Language) -> str:
    """A coded statement in words."""
    found = TERMS.get(code)
    if found is None:
        return code
    return found.en if language == "en" else found.zh


def age_of(birth_date: date | None, language: Language) -> str:
    """The age today, empty where the birth date is not known."""
    return age(birth_date, datetime.now(UTC).astimezone(CLINIC_TIME).date(), language) if birth_date else ""


def roles_of(person: Principal) -> list[str]:
    """The roles of a person, each once, in the order of the list above."""
    held = {grant.role for grant in person.grants}
    return [role for role in ROLES if role in held]
