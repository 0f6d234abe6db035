"""How is a sum of small decision trees evaluated, without the library that fitted it?

Gradient boosting after Friedman 2001, doi:10.1214/aos/1013203451: log odds as a constant plus what each tree's leaf
adds. Every tree here has two levels (three questions, four answers), so that the whole is three tables of numbers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.signal.filters import Floats


@dataclass(frozen=True, eq=False)
class Trees:
    """Boosted trees of two levels.

    Attributes:
        start: log odds before any tree.
        feature: (n_trees, 3) which measure the root, its left and its right question look at.
        limit: (n_trees, 3) at most this goes left.
        leaf: (n_trees, 4) what the answers left-left, left-right, right-left, right-right add.
    """

    start: float
    feature: NDArray[np.integer[Any]]
    limit: Floats
    leaf: Floats

    def log_odds(self, measures: Floats) -> Floats:
        """(n,) of (n, n_measures).

        >>> one = Trees(0.5, np.array([[0, 1, 1]]), np.array([[0.0, 5.0, 9.0]]), np.array([[1.0, 2.0, 3.0, 4.0]]))
        >>> one.log_odds(np.array([[-1.0, 5.0], [-1.0, 6.0], [1.0, 10.0]])).tolist()
        [1.5, 2.5, 4.5]
        """
        every = np.arange(len(self.feature))
        right = measures[:, self.feature[:, 0]] > self.limit[:, 0]
        second = 1 + right.astype(int)
        rows = np.arange(len(measures))[:, None]
        deep = measures[rows, self.feature[every, second]] > self.limit[every, second]
        odds: Floats = self.start + self.leaf[every, 2 * right + deep].sum(axis=1)
        return odds
