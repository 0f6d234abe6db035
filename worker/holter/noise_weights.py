"""The coefficients of :mod:`worker.holter.noise`.

Two logistic regressions over windows of 1.5 s, judged with three more on both sides. The first (:data:`BEATS`) says
where the detector errs in more than a fifth of the beats: de Chazal's DS1 half of MIT-BIH, clean and with NSTDB's
electrode motion at 6, 0 and −6 dB, one lead and two. The second (:data:`SHAPE`) sees only where the first doubts, and
tells noise (the same mixes, mixes with made muscle noise, CinC 2017's noisy strips, VFDB's marked noise) from what is
none however strange it looks (VFDB's and CUDB's fibrillation, flutter and tachycardia, CinC 2017's other strips); every
group weighs with the root of its windows. Left out in turn by record (five folds), of all windows at log odds 1: clean
DS1 0.00 %, VFDB's malignant rhythms 0.5 %, CUDB's 16 %; of those in which the detector errs, in electrode motion at
−6 dB 80 %, in muscle noise at −6 dB 78 %; of CinC 2017's noisy strips 41 %.
"""

from typing import Final

import numpy as np

BEATS: Final = (-0.554, -0.635, -2.071, 7.536, 0.828, 0.515, 3.589)
"""Of log noise, mean log odds of the beats' looks, their lower fifth, irregularity of RR, noise × mean, mean², one."""

CENTRE: Final = np.array([
    0.682, 6.868, 0.440, 2.860, 0.315, 0.157, 0.190, 1.816, 1.630, 0.512, 0.853, -0.390, 2.912, -1.796,
])  # fmt: skip
SCALE: Final = np.array([
    0.148, 3.491, 0.152, 1.383, 0.194, 0.089, 0.259, 0.575, 0.489, 0.238, 0.263, 0.165, 1.265, 0.475,
])  # fmt: skip
"""Mean and standard deviation of the twelve of ``fibrillation.measures``, of the first regression's log odds, and of
the log noise."""

SHAPE: Final = np.array([
    0.807, 0.510, -0.818, -1.370, -1.246, -0.284, 0.052, 1.030, 0.303, 0.593, 0.101, 0.354, 0.947, 0.115,
    -0.069, -0.490, -0.168, 0.416, 0.214, -0.114, 0.430, -0.299, -0.048, 0.198, -0.164, -0.106, 0.009, 0.018, 0.762,
])  # fmt: skip
"""Of the fourteen in units of SCALE from CENTRE, of their squares, and one."""
