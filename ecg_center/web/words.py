"""Which word, mark and colour stands on screen for a state, a grade or a role?

Colour is never alone: every badge has its word, every mark its sign. Texts are message ids, translated in templates.
"""

from dataclasses import dataclass
from typing import Literal

from ecg_center.domain.authority import Role
from ecg_center.domain.deadlines import DeadlineKind
from ecg_center.domain.statements import Overall
from ecg_center.domain.workflow import State
from ecg_center.web.i18n import N_

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
