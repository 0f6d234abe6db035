"""The coefficients of :mod:`worker.signal.fibrillation`.

Multinomial logistic regression (ridge 0.001) over 4 s stretches of VFDB and CUDB (9 and 17 records, every 6 s), ten
records of MIT-BIH, six of CPSC 2021, and the first 8 s of every second or third record of LUDB, CPSC 2018 and
CinC 2017 (these with one lead and with all), and of the simulator. Each record weighs with the root of its stretches,
"neither" twice as much as the others. Left out in turn by record (five folds, 8 s windows, "neither" favoured by
1.0 where the constant here has 0.7): VFDB's VF called VF or VT 95.8 %, CUDB's 87.4 %; neither kept apart 98.8 and
96.4 %; no false call in the 12-lead records. The coefficients themselves have seen all of these records.
"""

from typing import Final

import numpy as np

CENTRE: Final = np.array([
    0.7075, 5.488, 0.5944, 3.039, 0.3502, 0.1773, 0.1077, 2.323, 1.994, 0.5782,
    0.7457, -0.371, 1.523, 0.7933, 0.1574, 0.1409, 7.127,
])  # fmt: skip
SCALE: Final = np.array([
    0.1646, 1.81, 0.2265, 1.382, 0.207, 0.1047, 0.1069, 0.7152, 0.7552, 0.268,
    0.2523, 0.1891, 0.6053, 0.2676, 0.1999, 0.05751, 0.7026,
])  # fmt: skip
"""Mean and standard deviation of the seventeen measures, in the order of ``fibrillation.measures``."""

COEFFICIENTS: Final = np.array([
    [-0.907, -0.855], [0.538, 0.842], [-0.757, -0.516], [0.891, 0.697], [0.520, 0.057], [0.192, 0.377],
    [-0.166, -0.277], [-0.208, -0.308], [0.018, -0.528], [-0.026, 0.276], [0.323, -0.102], [-1.145, -1.812],
    [-0.099, 0.022], [-1.740, -1.491], [0.532, -1.227], [0.469, 0.777], [0.534, 1.372], [0.102, 0.465],
    [-0.844, -1.011], [0.219, -0.072], [0.036, -0.287], [-0.131, 0.058], [0.070, -0.632], [0.053, -0.878],
    [0.909, 0.861], [-0.453, -0.469], [-0.978, -1.283], [0.313, -0.239], [0.129, -0.098], [-0.069, -0.132],
    [-0.004, 0.042], [-0.122, 0.310], [-0.203, 0.557], [0.065, 0.399], [-3.588, -2.620],
])  # fmt: skip
"""(35, 2): the scaled measures, their squares and a constant; for "quivers" and "races" against neither."""
