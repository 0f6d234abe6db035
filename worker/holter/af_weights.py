"""The coefficients of :mod:`worker.holter.af`, as ``python -m bench.accuracy.fit_af_episodes ECG_DATA`` prints them.

Fitted on the RR series of AFDB (7 records), MIT-BIH (22), CPSC 2021 (6) and CinC 2017 (126 strips), and on series made
from them. Left out in turn, the AFDB records with more than ten minutes of fibrillation give, by duration: 04936 Se 54
%, +P 100 % (atrial flutter with changing conduction for much of it); 06426 99/99; 07859 99/100; 08219 99/87 (patterns
of early beats all day); 08455 100/100. The coefficients themselves have seen all of them.
"""

from typing import Final

import numpy as np

CENTRE: Final = np.array([
    -2.417, 0.6142, 0.4645, 0.3433, 0.2249, -3.3347, 0.5705, -0.3517, 0.0467, -0.3565, -2.7815, -2.2878, 0.6093,
    1.3853, 0.8806, -1.7642, 1.5049, -2.3231, 0.6206, 0.4673, 0.3444, 0.2257, -3.2167, 0.5769, -0.3951, 0.0658,
    -0.3192, -2.4518, -2.055, 0.5476, 1.7757, 0.8059, -1.8242, 1.5483,
])  # fmt: skip
SCALE: Final = np.array([
    1.0975, 0.3236, 0.3536, 0.3207, 0.2533, 1.0257, 0.1877, 0.3211, 0.2708, 0.6983, 0.9401, 0.9796, 0.2644, 0.6196,
    0.1652, 0.9548, 0.9744, 0.9762, 0.2956, 0.3304, 0.2955, 0.2261, 0.9176, 0.1367, 0.242, 0.1955, 0.4983, 0.8238,
    0.8309, 0.2591, 0.7116, 0.1935, 0.834, 0.9264,
])  # fmt: skip
"""(34,) mean and standard deviation of the measures, in the order of ``af.measures``."""

COEFFICIENTS: Final = np.array([
    0.0037, -0.0986, 0.3599, 0.3352, -0.0958, 0.439, 0.0834, 0.0039, 0.0279, -1.502, 0.5463, -0.5724, 0.4863, 0.0312,
    -0.404, 0.2571, 0.0101, -0.161, -0.2895, 1.1712, 1.252, -0.8134, 1.7671, 0.0366, -0.5627, -0.3882, -1.4612,
    0.5518, -3.1472, 0.6095, 0.8414, -1.4676, 0.5309, 0.8688, 0.0472, 0.1926, -0.0667, -0.2905, 0.0969, -0.1753,
    0.118, -0.171, 0.0116, -0.7888, -0.3024, -0.3058, 0.218, -0.3665, 0.0206, 0.0044, -0.0307, -0.2817, -0.3649,
    -0.001, -0.2868, -0.198, -0.7337, 0.0792, -0.5755, -0.3024, -1.4605, 1.1914, -2.1806, 0.3854, 0.9287, 0.033,
    -0.0218, 0.0501, -0.1385,
])  # fmt: skip
"""(69,) of the scaled measures, of their squares, and a constant."""
