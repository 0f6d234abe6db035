"""Which wall has died, and how long ago; and which wall is dying, where electrodes were set behind and on the right?

Old infarction is read from Q waves by the table of the Fourth Universal Definition (doi:10.1016/j.jacc.2018.08.1038).
Its age is told by what follows the Q: ST on the line and an upright T are those of an old one, an inverted T or an ST
that is still raised leave it open (诊断学: 陈旧期, 亚急性期). Acute infarction of the twelve leads is in
:mod:`worker.resting.repolarisation`; here its wall is named.
"""

from typing import Final

from ecg_center.contract.findings import Statement
from worker.resting.reading import Reading
from worker.resting.say import UNIVERSAL_MI_4, evidence, say

Q_MS: Final = 30.0
Q_UV: Final = -100.0
Q_SHARE: Final = 0.25
QS_UV: Final = -100.0
R_LOST_UV: Final = 60.0
HEALED_ST_UV: Final = 100.0
UPRIGHT_T_UV: Final = 50.0

TERRITORIES: Final[tuple[tuple[str, tuple[str, ...], int], ...]] = (
    ("161", ("II", "III", "aVF"), 2),
    ("165", ("V1", "V2", "V3"), 2),
    ("160", ("V3", "V4"), 2),
    ("163", ("I", "aVL", "V5", "V6"), 2),
)
"""Wall, leads, how many of them must have the Q (Fourth Universal Definition, table of prior MI)."""

BEYOND_UV: Final = 50.0
BEYOND_YOUNG_MEN_UV: Final = 100.0
BEYOND: Final[tuple[tuple[str, tuple[str, ...], float], ...]] = (
    ("162.330", ("V7", "V8", "V9"), 40.0),
    ("174.330", ("V3R", "V4R", "V5R", "V6R"), 30.0),
)
"""Wall, leads beyond the usual twelve, and the age in years below which men have the higher limit."""


def old_infarction(reading: Reading) -> list[Statement]:
    """Infarction by its Q waves; in children, whose q waves are deep in health, none."""
    found: list[Statement] = []
    if reading.norms.of_a_child:
        return found
    for wall, leads, least in TERRITORIES:
        pathological = [lead for lead in leads if _has_infarct_q(reading, lead)]
        if wall == "161" and "aVF" not in pathological:
            continue
        if wall == "165" and not {"V2", "V3"} <= set(pathological):
            continue
        if len(pathological) >= least:
            deepest = min(waves.q_uv for lead in pathological if (waves := reading.wave(lead)))
            seen = evidence("q_mv", deepest / 1000, Q_UV / 1000, "mV", leads=pathological, source=UNIVERSAL_MI_4)
            found.append(say(f"{wall}.{_age(reading, pathological)}", seen, certainty="possible"))
    walls = {statement.code.split(".")[0] for statement in found}
    return [one for one in found if not (one.code.startswith("160.") and "165" in walls)]


def _age(reading: Reading, leads: list[str]) -> str:
    """The list's modifier: 332 old, 333 of an age that cannot be told."""
    here = [reading.waves[lead] for lead in leads]
    healed = all(abs(waves.st_j_uv) < HEALED_ST_UV and waves.t_uv >= UPRIGHT_T_UV for waves in here)
    return "332" if healed else "333"


def _has_infarct_q(reading: Reading, lead: str) -> bool:
    waves = reading.wave(lead)
    if waves is None:
        return False
    whole = waves.r_uv < R_LOST_UV and waves.q_uv < QS_UV
    if lead in ("V1", "V2", "V3"):
        return whole
    deep = waves.q_ms >= Q_MS and waves.q_uv <= Q_UV and -waves.q_uv >= Q_SHARE * waves.r_uv
    return deep or (whole and lead not in ("III", "aVR", "aVL"))


def wall_of(code: str, here: list[str], elevated: set[str]) -> str:
    """The code of an acute infarction of this group of leads, by how far it reaches.

    >>> wall_of("160.330", ["V1", "V2", "V3"], {"V1", "V2", "V3"})
    '165.330'
    >>> wall_of("160.330", ["V2", "V3", "V4"], {"V2", "V3", "V4", "V5", "V6"})
    '166.330'
    >>> wall_of("163.330", ["I", "aVL"], {"I", "aVL"})
    '163a.330'
    """
    if code == "160.330":
        if elevated >= {"V2", "V3", "V4", "V5", "V6"}:
            return "166.330"
        return "165.330" if set(here) <= {"V1", "V2", "V3"} else code
    return "163a.330" if code == "163.330" and set(here) <= {"I", "aVL"} else code


def beyond_the_twelve(reading: Reading) -> list[Statement]:
    """Acute infarction of the posterior wall or the right ventricle, where their leads were recorded."""
    found = []
    for code, leads, young_years in BEYOND:
        age = reading.person.age_years
        young_man = reading.person.female is False and age is not None and age < young_years
        limit = BEYOND_YOUNG_MEN_UV if young_man else BEYOND_UV
        raised = {lead: waves.st_j_uv for lead in leads if (waves := reading.wave(lead)) and waves.st_j_uv >= limit}
        if raised:
            seen = evidence(
                "st_j_mv", max(raised.values()) / 1000, limit / 1000, "mV", leads=raised, source=UNIVERSAL_MI_4
            )
            found.append(say(code, seen, certainty="probable" if len(raised) > 1 else "possible"))
    return found
