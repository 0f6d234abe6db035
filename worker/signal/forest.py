"""How is the mean of many decision trees evaluated, without the library that fitted them, and kept in little text?

Extremely randomised trees (Geurts 2006, doi:10.1007/s10994-006-6226-1): each tree says a share, and their mean is the
answer. The nodes of a tree stand level by level, so that the children of its k-th question are its nodes 2k + 1 and
2k + 2 and need not be kept; limits and answers are kept as half floats, and a fit is judged as it is kept.
"""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from worker.signal.filters import Floats

LEAF: Final = -1
SURE: Final = 0.002
"""No share is taken for nearer to 0 or 1 than this."""
LINE: Final = 110


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees, one after the other.

    Attributes:
        roots: (n_trees,) the first node of each tree.
        feature: (n_nodes,) which measure a question looks at; :data:`LEAF` where the tree ends.
        value: (n_nodes,) at most this goes to the first child; of a leaf, what it answers, 0 to 1.
        child: (n_nodes,) the first child, the second one stands behind it; of a leaf, nothing.
    """

    roots: NDArray[np.int_]
    feature: NDArray[np.int_]
    value: Floats
    child: NDArray[np.int_]

    @classmethod
    def of(cls, roots: NDArray[np.int_], feature: NDArray[np.int_], value: Floats) -> Self:
        """From its nodes; the values become half floats, and the children's places follow from the order."""
        asks = feature != LEAF
        before = np.cumsum(asks) - asks
        tree = np.repeat(roots, np.diff(np.append(roots, len(feature))))
        child = np.where(asks, tree + 2 * (before - before[tree]) + 1, 0)
        return cls(roots, feature, value.astype(np.float16).astype(float), child)

    def share(self, measures: Floats) -> float:
        """The mean answer to (n_measures,).

        >>> nodes = np.array([1, -1, 0, -1, -1, -1]), np.array([0.5, 0.25, 2.0, 1.0, 0.0, 0.75])
        >>> two = Forest.of(np.array([0, 5]), *nodes)
        >>> [two.share(np.array(measures)) for measures in ([0.0, 0.0], [0.0, 1.0], [3.0, 1.0])]
        [0.5, 0.875, 0.375]
        """
        at = self.roots
        while True:
            asked = self.feature[at]
            asking = asked != LEAF
            if not asking.any():
                return float(self.value[at].mean())
            at = np.where(asking, self.child[at] + (measures[asked] > self.value[at]), at)

    def log_odds(self, measures: Floats) -> float:
        """The same as log odds, which stay finite."""
        share = min(max(self.share(measures), SURE), 1 - SURE)
        return float(np.log(share / (1 - share)))


def packed(forest: Forest) -> list[str]:
    """The forest as lines of text: numbers of nodes and trees, then features, values and roots, compressed."""
    head = np.array([len(forest.feature), len(forest.roots)], "<u4").tobytes()
    body = forest.feature.astype("<i1").tobytes() + forest.value.astype("<f2").tobytes()
    text = base64.b64encode(zlib.compress(head + body + forest.roots.astype("<u4").tobytes(), 9)).decode()
    return [text[start : start + LINE] for start in range(0, len(text), LINE)]


def unpacked(text: str | Sequence[str]) -> Forest:
    """What :func:`packed` wrote.

    >>> one = Forest.of(np.array([0]), np.array([3, -1, -1]), np.array([0.5, 0.0, 1.0]))
    >>> same = unpacked(packed(one))
    >>> same.feature.tolist(), same.value.tolist(), same.child.tolist()
    ([3, -1, -1], [0.5, 0.0, 1.0], [1, 0, 0])
    """
    data = zlib.decompress(base64.b64decode("".join(text)))
    nodes, trees = np.frombuffer(data, "<u4", 2).tolist()
    feature = np.frombuffer(data, "<i1", nodes, 8).astype(int)
    value = np.frombuffer(data, "<f2", nodes, 8 + nodes).astype(float)
    return Forest.of(np.frombuffer(data, "<u4", trees, 8 + 3 * nodes).astype(int), feature, value)
