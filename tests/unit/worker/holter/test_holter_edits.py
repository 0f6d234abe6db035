"""A physician's edits over the machine's result."""

import time

import numpy as np
import pytest
from support.holter_days import day

from ecg_center.contract.holter import Edit
from worker.holter.edits import EditError, apply, standing
from worker.holter.measured import NOT_MEASURED, Label, Stretch


def edit(action, **fields):
    return Edit(action=action, **fields)


def labels(measured):
    return "".join(Label(label).name for label in measured.beats.label)


def test_one_beat_is_relabelled_and_believed_wholly():
    before = day("NNNNN")
    after = apply(before, [edit("relabel_beats", at_s=[2.0], label="V")])
    assert labels(after) == "NVNNN"
    assert after.beats.confidence[1] == 1.0
    assert labels(before) == "NNNNN"


def test_all_beats_of_a_stretch_are_relabelled():
    assert labels(apply(day("NNNNN"), [edit("relabel_beats", start_s=2.0, end_s=4.0, label="S")])) == "NSSNN"


def test_a_beat_is_found_within_20_ms():
    assert labels(apply(day("NNN"), [edit("relabel_beats", at_s=[2.019], label="V")])) == "NVN"
    with pytest.raises(EditError, match=r"edit 0: no beat stands at 2\.025 s"):
        apply(day("NNN"), [edit("relabel_beats", at_s=[2.025], label="V")])


def test_a_template_names_thousands_at_once_in_milliseconds():
    n = 100_000
    before = day("N" * n, template=np.arange(n) % 3)
    began = time.process_time()
    after = apply(before, [edit("relabel_template", template=1, label="V")])
    took = time.process_time() - began
    assert np.array_equal(after.beats.label == Label.V, before.beats.template == 1)
    assert [template.label for template in after.templates] == [Label.N, Label.V, Label.N]
    assert took < 0.1


def test_a_template_in_a_stretch_keeps_its_name():
    before = day("NNNN", template=[0, 1, 1, 0])
    after = apply(before, [edit("relabel_template", template=1, label="F", start_s=0.0, end_s=2.5)])
    assert labels(after) == "NFNN"
    assert after.templates[1].label == Label.N


def test_later_edits_win():
    first, second = edit("relabel_beats", at_s=[2.0], label="S"), edit("relabel_template", template=0, label="V")
    assert labels(apply(day("NNN"), [first, second])) == "VVV"
    assert labels(apply(day("NNN"), [second, first])) == "VSV"


def test_a_deleted_beat_is_gone_and_its_shape_has_one_less():
    after = apply(day("NNN"), [edit("delete_beats", at_s=[2.0])])
    assert after.beats.sample.tolist() == [250, 750]
    assert after.templates[0].beats == 2


def test_a_template_of_artefacts_is_deleted_whole():
    after = apply(day("NNNN", template=[0, 1, 0, 1]), [edit("delete_beats", template=1)])
    assert after.beats.sample.tolist() == [250, 750]
    assert [template.beats for template in after.templates] == [2, 0]


def test_an_inserted_beat_has_nothing_measured():
    after = apply(day("NN"), [edit("insert_beats", at_s=[1.5], label="V")])
    assert labels(after) == "NVN"
    assert after.beats.template[1] == -1
    assert after.beats.qrs_ms[1] == NOT_MEASURED
    assert np.isnan(after.beats.p_wave[1])


def test_an_inserted_beat_can_be_edited_in_turn():
    inserted = edit("insert_beats", at_s=[1.5], label="V")
    assert labels(apply(day("NN"), [inserted, edit("relabel_beats", at_s=[1.5], label="S")])) == "NSN"
    assert labels(apply(day("NN"), [inserted, edit("delete_beats", at_s=[1.5])])) == "NN"


def test_a_beat_is_not_inserted_on_another():
    with pytest.raises(EditError, match=r"a beat stands at 2\.000 s already"):
        apply(day("NNN"), [edit("insert_beats", at_s=[2.05], label="V")])


def test_a_stretch_is_left_out_and_taken_in_again():
    before = day("N" * 60, unreadable=[Stretch(2500, 5000, (), "muscle")])
    out = apply(before, [edit("exclude", start_s=15.0, end_s=30.0)])
    assert [(s.start, s.stop, s.reason) for s in out.unreadable] == [(2500, 3750, "muscle"), (3750, 7500, "excluded")]
    back = apply(before, [edit("include", start_s=12.0, end_s=18.0)])
    assert [(s.start, s.stop) for s in back.unreadable] == [(2500, 3000), (4500, 5000)]


def test_undo_and_undo_of_undo():
    moves = [edit("relabel_beats", at_s=[2.0], label="V"), edit("undo", undoes=0), edit("undo", undoes=1)]
    assert labels(apply(day("NNN"), moves[:2])) == "NNN"
    assert labels(apply(day("NNN"), moves)) == "NVN"


def test_an_edit_undone_by_two_needs_both_lifted():
    moves = [
        edit("exclude", start_s=0, end_s=1),
        edit("undo", undoes=0),
        edit("undo", undoes=1),
        edit("undo", undoes=0),
        edit("undo", undoes=2),
    ]
    assert standing(moves) == [False, True, False, True, True]
    assert standing([*moves, edit("undo", undoes=3)])[0] is False


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (edit("relabel_beats", at_s=[2.0]), "takes at_s.label or end_s.label.start_s, not at_s"),
        (edit("relabel_beats", at_s=[2.0], start_s=0, end_s=3, label="V"), "relabel_beats takes"),
        (edit("relabel_template", template=7, label="V"), "no beat of shape 7 stands"),
        (edit("delete_beats"), "not nothing"),
        (edit("delete_beats", start_s=3, end_s=2), "begins before it ends"),
        (edit("exclude", start_s=9000, end_s=9001), "after the recording's"),
        (edit("insert_beats", at_s=[9000.0], label="N"), "outside of the recording's"),
        (edit("undo", undoes=0), "undo names an earlier edit"),
        (edit("undo"), "undo takes undoes|undo names an earlier edit"),
        (edit("delete_beats", at_s=[2.0, 2.004]), "one beat is named twice"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_position(wrong, reason):
    with pytest.raises(EditError, match=f"edit 0: .*({reason})") as caught:
        apply(day("NNN"), [wrong])
    assert caught.value.position == 0


def test_an_edit_of_what_an_undo_took_away_is_refused():
    moves = [
        edit("insert_beats", at_s=[1.5], label="V"),
        edit("relabel_beats", at_s=[1.5], label="S"),
        edit("undo", undoes=0),
    ]
    with pytest.raises(EditError, match=r"edit 1: no beat stands at 1\.500 s"):
        apply(day("NN"), moves)


def test_undoing_twice_is_refused():
    moves = [edit("relabel_beats", at_s=[2.0], label="V"), edit("undo", undoes=0), edit("undo", undoes=0)]
    with pytest.raises(EditError, match="edit 2: edit 0 is undone already"):
        apply(day("NNN"), moves)
