"""The coefficients of :mod:`worker.holter.noise`.

Two logistic regressions over windows of 1.5 s, judged with three more on both sides. The first (:data:`BEATS`) says
where the detector errs in more than a fifth of the beats: de Chazal's DS1 half of MIT-BIH, clean and with NSTDB's
electrode motion at 6, 0 and −6 dB, one lead and two. The second (:data:`SHAPE`) sees only where the first doubts, and
tells noise (the same mixes, CinC 2017's noisy strips, VFDB's marked noise) from what is none however strange it looks
(VFDB's and CUDB's fibrillation, flutter and tachycardia, CinC 2017's other strips); every group weighs with the root
of its windows. Left out in turn by record (five folds), of all windows at log odds 1: clean DS1 0.1 %, VFDB's
malignant rhythms 0.7 %, CUDB's 11 %, electrode motion at −6 dB 80 %, CinC 2017's noisy strips 53 %.
"""

from typing import Final

import numpy as np

BEATS: Final = (-0.554, -0.635, -2.071, 7.536, 0.828, 0.515, 3.589)
"""Of log noise, mean log odds of the beats' looks, their lower fifth, irregularity of RR, noise × mean, mean², one."""

CENTRE: Final = np.array([
    0.673, 4.489, 0.390, 2.442, 0.401, 0.164, 0.045, 1.997, 1.487, 0.612, 0.886, -0.432, 2.803, -1.935,
])  # fmt: skip
SCALE: Final = np.array([
    0.147, 0.974, 0.126, 0.920, 0.166, 0.093, 0.040, 0.551, 0.421, 0.207, 0.272, 0.162, 1.245, 0.429,
])  # fmt: skip
"""Mean and standard deviation of the twelve of ``fibrillation.measures``, of the first regression's log odds, and of
the log noise."""

SHAPE: Final = np.array([
    1.217, 0.209, -0.448, -0.801, -0.767, -0.201, 0.058, 1.036, 0.166, 0.697, -0.380, 0.445, 0.362, 0.179,
    -0.056, 0.142, -0.129, 0.177, 0.203, -0.114, -0.181, -0.420, 0.035, 0.113, -0.363, -0.168, -0.257, -0.086, 1.161,
])  # fmt: skip
"""Of the fourteen in units of SCALE from CENTRE, of their squares, and one."""
