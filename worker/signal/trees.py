"""How is a sum of small decision trees evaluated, without the library that fitted it?

Gradient boosting after Friedman 2001, doi:10.1214/aos/1013203451: log odds as a constant plus what each tree's leaf
adds. Every tree here has two levels (three questions, four answers), so that the whole is three tables of numbers.
"""

from dataclasses import dataclass
from functools import cached_property
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
        above = measures.take(self._asked, axis=1) > self._limits
        root, left, right = above.reshape(len(measures), 3, -1).transpose(1, 0, 2)
        odds: Floats = self.start + self._leaves.take(self._first + 2 * root + np.where(root, right, left)).sum(axis=1)
        return odds

    # the tables in the order in which they are asked, laid out once

    @cached_property
    def _asked(self) -> NDArray[np.intp]:
        return self.feature.T.ravel().astype(np.intp)

    @cached_property
    def _limits(self) -> Floats:
        return np.ascontiguousarray(self.limit.T.ravel(), np.float64)

    @cached_property
    def _leaves(self) -> Floats:
        return np.ascontiguousarray(self.leaf.ravel(), np.float64)

    @cached_property
    def _first(self) -> NDArray[np.intp]:
        return 4 * np.arange(len(self.leaf))
