"""A kept day that was damaged is refused by its one error, or read as a whole day; it never brings the worker down."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.holter_days import day

from worker.formats.wfdb_annotations import read_annotations
from worker.holter.measured import Label
from worker.holter.stored import StoredError, as_atr, from_bytes, to_bytes

KEPT = to_bytes(day("NNVNSNFPQ" * 30, template=[0, 0, 1, 0, 0, 0, 2, 3, -1] * 30))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(KEPT) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_bytes(changes):
    data = bytearray(KEPT)
    for at, value in changes:
        data[at] = value
    try:
        found = from_bytes(bytes(data))
    except StoredError:
        return
    assert len(found.beats.sample) == len(found.beats.label)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(KEPT) - 1), st.binary(max_size=40))
def test_cut_and_grown_bytes(at, more):
    try:
        found = from_bytes(KEPT[:at] + more)
    except StoredError:
        return
    assert len(found.beats) == 270


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 200_000), min_size=1, max_size=60),
    st.data(),
)
def test_the_annotation_file_keeps_every_beat_at_its_sample(steps, data):

    at_s = np.cumsum(steps) / 250
    labels = data.draw(st.text("NSVFPQ", min_size=len(steps), max_size=len(steps)))
    marks, warnings = read_annotations(as_atr(day(labels, at_s=at_s).beats), 250.0)
    assert warnings == ()
    assert [round(mark.start_s * 250) for mark in marks] == np.cumsum(steps).tolist()
    assert [mark.label for mark in marks] == ["/" if letter == Label.P.name else letter for letter in labels]
