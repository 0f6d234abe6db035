"""Measurements."""

import os

# One core is measured. OpenBLAS reads this when numpy is loaded, so it stands before any bench.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
