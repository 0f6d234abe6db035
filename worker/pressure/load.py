"""How many of the readings are too high for their time of day? The pressure load 血压负荷, in percent.

The limit of the day for readings of the day, that of the night for those of the night; a reading between the two is not
counted. The limits are the guideline's own, at or above which an average is too high.
"""

from collections.abc import Sequence

from ecg_center.contract.pressure import PeriodSummary
from worker.pressure.guideline import Tier
from worker.pressure.measured import Measured, kept


def with_load(found: PeriodSummary, readings: Sequence[Measured], tier: Tier) -> PeriodSummary:
    """The summary with the share of its readings that reach the limit of their time of day."""
    wanted = ("day", "night") if found.period == "24h" else (found.period,)
    mine = [(one, tier.limits[one.period]) for one in readings if one.period != "between" and one.period in wanted]
    if not mine:
        return found
    systolic = sum(limit.systolic_reached(one.systolic) for one, limit in mine)
    diastolic = sum(limit.diastolic_reached(one.diastolic) for one, limit in mine)
    return found.model_copy(
        update={
            "systolic_load_percent": kept(100 * systolic / len(mine)),
            "diastolic_load_percent": kept(100 * diastolic / len(mine)),
        }
    )
