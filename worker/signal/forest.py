"""How is the mean of many decision trees evaluated, without the library that fitted them, and kept in little text?

Extremely randomised trees (Geurts 2006, doi:10.1007/s10994-006-6226-1): each tree says a share, and their mean is the
answer. The nodes of a tree stand level by level, so that the children of its k-th question are its nodes 2k + 1 and
2k + 2 and need not be kept; limits and answers are kept as half floats, and a fit is judged as it is kept. The boosted
trees of the day's beat classes (:mod:`worker.holter.classify`) are kept in the same text, with single floats.
"""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from worker.signal.filters import Floats

Integers = NDArray[np.integer[Any]]
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
        return cls(roots, feature, value.astype(np.float16).astype(float), first_children(roots, feature))

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


def first_children(roots: Integers, feature: Integers) -> NDArray[np.int_]:
    """(n_nodes,) the first child of each question, 0 for leaves, of trees whose nodes stand level by level.

    >>> first_children(np.array([0, 5]), np.array([1, -1, 0, -1, -1, -1])).tolist()
    [1, 0, 3, 0, 0, 0]
    """
    asks = feature != LEAF
    before = np.cumsum(asks) - asks
    tree = np.repeat(roots, np.diff(np.append(roots, len(feature))))
    return np.where(asks, tree + 2 * (before - before[tree]) + 1, 0)


def packed_nodes(roots: Integers, feature: Integers, value: NDArray[np.float16] | NDArray[np.float32]) -> list[str]:
    """Nodes as lines of text: how many nodes and trees, then features, values as they are, and roots, compressed."""
    head = np.array([len(feature), len(roots)], "<u4").tobytes()
    body = feature.astype("<i1").tobytes() + value.astype(value.dtype.newbyteorder("<")).tobytes()
    text = base64.b64encode(zlib.compress(head + body + roots.astype("<u4").tobytes(), 9)).decode()
    return [text[start : start + LINE] for start in range(0, len(text), LINE)]


def unpacked_nodes(
    text: str | Sequence[str],
) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.float16] | NDArray[np.float32]]:
    """(roots, feature, value) of what :func:`packed_nodes` wrote; the length tells how wide the values are.

    >>> lines = packed_nodes(np.array([0]), np.array([3, -1, -1]), np.array([0.1, 0, 1], np.float32))
    >>> [part.tolist() for part in unpacked_nodes(lines)]
    [[0], [3, -1, -1], [0.10000000149011612, 0.0, 1.0]]
    """
    data = zlib.decompress(base64.b64decode("".join(text)))
    nodes, trees = np.frombuffer(data, "<u4", 2).tolist()
    width = (len(data) - 8 - 4 * trees) // nodes - 1
    feature = np.frombuffer(data, "<i1", nodes, 8).astype(int)
    value = np.frombuffer(data, f"<f{width}", nodes, 8 + nodes)
    return np.frombuffer(data, "<u4", trees, 8 + (1 + width) * nodes).astype(int), feature, value


def packed(forest: Forest) -> list[str]:
    """The forest as lines of text, its values as half floats."""
    return packed_nodes(forest.roots, forest.feature, forest.value.astype(np.float16))


def unpacked(text: str | Sequence[str]) -> Forest:
    """What :func:`packed` wrote.

    >>> one = Forest.of(np.array([0]), np.array([3, -1, -1]), np.array([0.5, 0.0, 1.0]))
    >>> same = unpacked(packed(one))
    >>> same.feature.tolist(), same.value.tolist(), same.child.tolist()
    ([3, -1, -1], [0.5, 0.0, 1.0], [1, 0, 0])
    """
    roots, feature, value = unpacked_nodes(text)
    return Forest.of(roots, feature, value.astype(float))
