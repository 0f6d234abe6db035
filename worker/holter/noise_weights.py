"""The coefficients of :mod:`worker.holter.noise`.

Two logistic regressions over windows of 1.5 s, judged with three more on both sides. The first (:data:`BEATS`) says
where the detector errs in more than a fifth of the beats: de Chazal's DS1 half of MIT-BIH, clean and with NSTDB's
electrode motion at 6, 0 and −6 dB, one lead and two. The second (:data:`SHAPE`) sees only where the first doubts, and
tells noise (the same mixes, mixes with made muscle noise, CinC 2017's noisy strips, VFDB's marked noise) from what is
none however strange it looks (VFDB's and CUDB's fibrillation, flutter and tachycardia, CinC 2017's other strips); every
group weighs with the root of its windows. Left out in turn by record (five folds), of all windows at log odds 1: clean
DS1 0.00 %, VFDB's malignant rhythms 0.5 %, CUDB's 15 %; of those in which the detector errs, in electrode motion at
−6 dB 82 %, in muscle noise at −6 dB 81 %; of CinC 2017's noisy strips 43 %.
"""

from typing import Final

import numpy as np

BEATS: Final = (-0.554, -0.635, -2.071, 7.536, 0.828, 0.515, 3.589)
"""Of log noise, mean log odds of the beats' looks, their lower fifth, irregularity of RR, noise × mean, mean², one."""

CENTRE: Final = np.array([
    0.681, 6.933, 0.439, 2.875, 0.305, 0.146, 0.204, 1.822, 1.635, 0.503, 0.854, -0.392, 2.897, -1.788,
])  # fmt: skip
SCALE: Final = np.array([
    0.156, 3.494, 0.152, 1.422, 0.197, 0.084, 0.268, 0.575, 0.490, 0.239, 0.263, 0.166, 1.268, 0.477,
])  # fmt: skip
"""Mean and standard deviation of the twelve of ``fibrillation.measures``, of the first regression's log odds, and of
the log noise."""

SHAPE: Final = np.array([
    0.734, 0.295, -0.713, -1.387, -1.315, -0.296, 0.124, 1.074, 0.150, 0.511, 0.128, 0.459, 0.848, 0.260,
    0.159, -0.472, -0.143, 0.438, 0.229, -0.113, 0.434, -0.330, -0.034, 0.198, -0.166, -0.150, -0.089, 0.050, 0.728,
])  # fmt: skip
"""Of the fourteen in units of SCALE from CENTRE, of their squares, and one."""
