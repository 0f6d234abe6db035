"""What is too high for this child? Below 13 years: the lower of the adolescents' limits and the 95th percentile.

Flynn et al. 2022, doi:10.1161/HYP.0000000000000215; the percentiles are of Wühl et al. 2002,
doi:10.1097/00004872-200210000-00019, by sex and height (``percentiles_wuhl_2002.toml``). Between two heights of the
table the percentile is on the straight line; a limit is the lowest whole mmHg that reaches it. Children taller or
shorter than the table are not judged.
"""

import math
import tomllib
from bisect import bisect_right
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from worker.pressure.guideline import Guideline, Limit, Name, Tier
from worker.resting.patient import Person

SOURCE: Final = "Wühl et al. 2002, doi:10.1097/00004872-200210000-00019"
TABLE: Final = Path(__file__).with_name("percentiles_wuhl_2002.toml")


def for_child(rules: Guideline, person: Person | None, height_cm: float | None) -> Guideline | None:
    """The set with this child's own limits; None where sex or height is unknown or outside the table."""
    if person is None or person.female is None or height_cm is None:
        return None
    heights = _table()["girls" if person.female else "boys"]["height_cm"]
    if not heights[0] <= height_cm <= heights[-1]:
        return None
    sex_zh, sex_en = ("女", "girls") if person.female else ("男", "boys")
    return replace(
        rules,
        title_zh=f"{rules.title_zh}，{sex_zh}童身高{height_cm:g} cm第95百分位",
        title_en=f"{rules.title_en}, 95th percentile of {sex_en} of {height_cm:g} cm",
        source=f"{rules.source}; {SOURCE}",
        tiers=tuple(_lowered(tier, person.female, height_cm) for tier in rules.tiers),
    )


def percentile_95(female: bool, period: Name, pressure: str, height_cm: float) -> float:
    """The 95th percentile, mmHg, of ``systolic`` or ``diastolic`` at a height within the table.

    >>> percentile_95(False, "24h", "systolic", 127.5)
    118.35
    """
    table = _table()["girls" if female else "boys"]
    return _between(table["height_cm"], table[period][pressure], height_cm)


def _lowered(tier: Tier, female: bool, height_cm: float) -> Tier:
    limits = {
        name: Limit(
            *(
                min(fixed, math.ceil(percentile_95(female, name, pressure, height_cm)))
                for fixed, pressure in ((limit.systolic, "systolic"), (limit.diastolic, "diastolic"))
                if fixed is not None
            )
        )
        for name, limit in tier.limits.items()
    }
    return replace(tier, limits=limits)


def _between(heights: list[float], values: list[float], height_cm: float) -> float:
    at = min(bisect_right(heights, height_cm), len(heights) - 1)
    low, high = heights[at - 1], heights[at]
    share = (height_cm - low) / (high - low)
    return round(values[at - 1] + share * (values[at] - values[at - 1]), 2)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text("utf-8"))
