"""What leads the heart, and all that is said of it: the form in which the rules of rhythm hand over."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.findings import Statement
from worker.resting.av_block import Type

Name = Literal[
    "none", "standstill", "vf", "vt", "paced", "flutter", "af", "complete_block", "sinus", "atrial", "multifocal",
    "junctional", "svt", "ventricular", "wide_tachycardia",
]  # fmt: skip


@dataclass(eq=False)
class Rhythm:
    """The leading rhythm and all statements about rhythm and rate."""

    name: Name
    statements: list[Statement] = field(default_factory=list)
    kinds: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, "U1"))
    ventricular_bpm: float | None = None
    atrial_bpm: float | None = None
    rr_max_s: float | None = None
    av_block: Type | None = None
    """The second-degree block, if there is one."""
