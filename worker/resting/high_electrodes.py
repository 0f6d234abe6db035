"""Were V1 and V2 set too high?

One or two ribs above the fourth space the atria lie below the electrodes: P turns negative in V2 as well as in V1, and
an r' and a negative T appear, which look like a right bundle branch block, an infarction or Brugada's pattern
(García-Niebla et al. 2009, doi:10.1111/j.1542-474X.2009.00328.x). What differs: all three signs are asked for, in a
narrow QRS of a grown-up, for a negative P in V2 alone is found in 3 of 100 (LUDB, CPSC 2018). It is a note to the
technician, never more than possible, and changes nothing else that is said.
"""

from typing import Final

from ecg_center.contract.findings import Statement
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.say import evidence, say

SOURCE: Final = "García-Niebla 2009, doi:10.1111/j.1542-474X.2009.00328.x"
P_UV: Final = -40.0
UPRIGHT_P_UV: Final = 30.0
"""In II: a P that comes from below is negative everywhere."""
R2_UV: Final = 50.0
T_UV: Final = -30.0
NARROW_MS: Final = 110.0


def high_electrodes(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    """The note, where P, r' and T of V1 and V2 agree."""
    two, v1, v2 = (reading.wave(lead) for lead in ("II", "V1", "V2"))
    if two is None or v1 is None or v2 is None or rhythm.name != "sinus" or reading.norms.of_a_child:
        return []
    below = v1.p_uv <= P_UV and v2.p_uv <= P_UV and two.p_uv >= UPRIGHT_P_UV
    late = max(v1.r2_uv, v2.r2_uv) >= R2_UV and v2.t_uv <= T_UV
    if not below or not late or (reading.qrs_ms or 0.0) >= NARROW_MS:
        return []
    seen = evidence("p_mv", v2.p_uv / 1000, P_UV / 1000, "mV", leads=["V1", "V2"], source=SOURCE)
    return [say("11a", seen, certainty="possible")]
