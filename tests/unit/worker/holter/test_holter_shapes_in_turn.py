"""A strip is read for a fast run only where two shapes may take turns in it, or where nothing else tells what it is."""

import numpy as np
import pytest

from worker.holter.measured import Beats
from worker.holter.wide import _may_take_turns, _Run


def beats_of(shapes: str) -> Beats:
    n = len(shapes)
    return Beats(
        np.arange(n, dtype=np.int64) * 100,
        np.zeros(n, np.uint8),
        np.ones(n, np.float32),
        np.array([ord(shape) for shape in shapes], np.int32),
        np.full(n, 140, np.int16),
        np.zeros(n, np.float32),
    )


@pytest.mark.parametrize(
    ("shapes", "asked"),
    [
        ("ababababab", True),
        ("aaaaababababaaaaaa", True),
        ("ababacabab", True),  # one beat of another shape, as noise makes it
        ("aaaaaaaaaa", False),
        ("aabbaabbaabb", False),
        ("abcabcabcabc", False),
        ("aaaaabaaaaaaaaabaaaa", False),
    ],
)
def test_only_a_run_in_which_two_shapes_may_take_turns_is_asked(shapes: str, asked: bool) -> None:
    assert _may_take_turns(beats_of(shapes), _Run(0, len(shapes) - 1)) is asked
