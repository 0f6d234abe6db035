"""How does the heart's rhythm vary over a day? Time, frequency and non-linear measures (Task Force 1996).

Definitions are those of the Task Force of ESC and NASPE 1996, doi:10.1161/01.CIR.93.5.1043, where it gives one. With
the parameters that each module states, neurokit2 gives the same numbers; where a definition differs, the module says
so.
"""

from worker.holter.hrv.intervals import Intervals, normal_intervals
from worker.holter.hrv.windows import metrics_of, variability

__all__ = ["Intervals", "metrics_of", "normal_intervals", "variability"]
