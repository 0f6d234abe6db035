"""How stiff are the arteries? The ambulatory arterial stiffness index: 1 - the slope of diastolic on systolic pressure.

Li et al. 2006, doi:10.1161/01.HYP.0000200695.34024.4c. The slope is that of least squares over all readings used. The
symmetric index takes the line that treats both pressures alike, slope SD(diastolic) / SD(systolic), and so does not
grow where the two agree badly (Gavish et al., J Hypertens 2008;26:199-209).

The limit is the upper boundary of the 95 % prediction interval of normotensive people in that study, 0.53 at 20 and
0.72 at 80 years, taken as a straight line between.
"""

import math
import statistics
from collections.abc import Sequence
from typing import Final

from ecg_center.contract.pressure import Stiffness
from worker.pressure.measured import Measured

LEAST_READINGS: Final = 20
"""A slope through fewer readings says little; a valid recording has more by day alone."""
YOUNG_YEARS: Final = 20.0
YOUNG_LIMIT: Final = 0.53
OLD_YEARS: Final = 80.0
OLD_LIMIT: Final = 0.72
DECIMALS: Final = 3


def stiffness(readings: Sequence[Measured], age_years: float | None) -> Stiffness | None:
    """Both indices; None with too few readings, or where one of the pressures never moved."""
    if len(readings) < LEAST_READINGS:
        return None
    systolic, diastolic = [one.systolic for one in readings], [one.diastolic for one in readings]
    if len(set(systolic)) < 2 or len(set(diastolic)) < 2:
        return None
    slope = statistics.linear_regression(systolic, diastolic).slope
    correlation = statistics.correlation(systolic, diastolic)
    symmetric = 1 - statistics.stdev(diastolic) / statistics.stdev(systolic) if correlation > 0 else None
    return Stiffness(
        readings=len(readings),
        aasi=round(1 - slope, DECIMALS),
        symmetric_aasi=None if symmetric is None else round(symmetric, DECIMALS),
        correlation=round(correlation, DECIMALS),
        aasi_limit=limit_at(age_years),
    )


def limit_at(age_years: float | None) -> float | None:
    """The upper limit of the index at an age; None where it is unknown or below 20 years.

    >>> limit_at(20), limit_at(50), limit_at(90), limit_at(19)
    (0.53, 0.625, 0.72, None)
    """
    if age_years is None or math.floor(age_years) < YOUNG_YEARS:
        return None
    years = min(age_years, OLD_YEARS)
    share = (years - YOUNG_YEARS) / (OLD_YEARS - YOUNG_YEARS)
    return round(YOUNG_LIMIT + share * (OLD_LIMIT - YOUNG_LIMIT), DECIMALS)
