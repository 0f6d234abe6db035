"""How is a statement made, with its evidence, in one line?"""

from collections.abc import Iterable
from typing import Final

from ecg_center.contract.findings import Certainty, Evidence, Statement

AHA_2009_CONDUCTION: Final = "AHA/ACCF/HRS 2009 part III, doi:10.1016/j.jacc.2008.12.013"
AHA_2009_ST_QT: Final = "AHA/ACCF/HRS 2009 part IV, doi:10.1016/j.jacc.2008.12.014"
AHA_2009_HYPERTROPHY: Final = "AHA/ACCF/HRS 2009 part V, doi:10.1016/j.jacc.2008.12.015"
UNIVERSAL_MI_4: Final = "Fourth Universal Definition of MI 2018, doi:10.1016/j.jacc.2018.08.1038"
ACC_2018_BRADYCARDIA: Final = "ACC/AHA/HRS 2018 bradycardia, doi:10.1016/j.jacc.2018.10.044"
ESC_2020_AF: Final = "ESC 2020 atrial fibrillation, doi:10.1093/eurheartj/ehaa612"
ESC_2019_SVT: Final = "ESC 2019 supraventricular tachycardia, doi:10.1093/eurheartj/ehz467"
AHA_2017_VA: Final = "AHA/ACC/HRS 2017 ventricular arrhythmias, doi:10.1016/j.jacc.2017.10.054"
TEXTBOOK: Final = "诊断学 (第9版) 心电图"


def evidence(
    quantity: str = "",
    value: float | None = None,
    threshold: float | None = None,
    unit: str = "",
    *,
    leads: Iterable[str] = (),
    start_s: float | None = None,
    end_s: float | None = None,
    source: str = "",
) -> Evidence:
    """One piece of evidence; numbers are rounded to what a person reads."""
    return Evidence(
        leads=list(leads),
        start_s=None if start_s is None else round(float(start_s), 3),
        end_s=None if end_s is None else round(float(end_s), 3),
        quantity=quantity,
        value=None if value is None else round(float(value), 3),
        threshold=threshold,
        unit=unit,
        source=source,
    )


def say(code: str, *found: Evidence, certainty: Certainty = "definite") -> Statement:
    """One statement."""
    return Statement(code=code, certainty=certainty, evidence=list(found))
