"""What does a physician's list of edits make of the machine's result?

The list is append-only and replayed from the machine's result each time, so the same list always gives the same day and
an undo restores exactly what was there. Later edits win over earlier ones. Beats are named by their R peak; an edit
that names a beat which is not there, or that says two things at once, is refused with its position in the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.holter import MAX_EDITS, Edit
from ecg_center.store.edits import EditError, check_form, standing
from worker.holter.measured import NOT_MEASURED, Beats, Label, Measured, Stretch, Template

__all__ = ["EXCLUDED", "EditError", "apply", "standing"]

NEAR_S: Final = 0.020
"""How far a named R peak may lie from the beat that is meant: the page knows it to the millisecond."""
MIN_RR_S: Final = 0.10
"""Two beats stand at least this far apart: the ventricles of an adult are refractory for longer (ERP 0.2 s)."""
EXCLUDED: Final = "excluded"
"""The reason of a stretch that a physician left out."""


@dataclass(eq=False)
class _Sheet:
    """The beats while edits are replayed: every beat that ever stands, and which of them stand now."""

    sample: NDArray[np.int64]
    label: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    template: NDArray[np.int32]
    qrs_ms: NDArray[np.int16]
    p_wave: NDArray[np.float32]
    stands: NDArray[np.bool_]
    named: dict[int, Label]
    """Template → what the physician called it."""
    left_out: list[Stretch]
    ruled: list[Stretch]


def apply(measured: Measured, edits: Sequence[Edit]) -> Measured:
    """The day as the physician sees it: the machine's result with the edits replayed over it.

    Raises:
        EditError: an edit names what is not there, lies outside of the recording, or fills the wrong fields.
    """
    if len(edits) > MAX_EDITS:
        raise EditError(MAX_EDITS, f"there are more than {MAX_EDITS} edits; join several of them into one")
    if not edits:
        return measured
    holding = standing(edits)
    for position, edit in enumerate(edits):
        check_form(position, edit, measured.duration_s)
    sheet = _sheet(measured, [edit for edit, holds in zip(edits, holding, strict=True) if holds])
    for position, (edit, holds) in enumerate(zip(edits, holding, strict=True)):
        if holds and edit.action != "undo":
            _replay(sheet, position, edit, measured)
    return _result(measured, sheet)


def _sheet(measured: Measured, edits: Sequence[Edit]) -> _Sheet:
    """The machine's beats and, not yet standing, all that are inserted some time."""
    beats = measured.beats
    last = max(0, measured.n_samples - 1)
    added = [
        min(round(at * measured.sampling_hz), last)
        for edit in edits
        if edit.action == "insert_beats"
        for at in edit.at_s
    ]
    new = np.array(sorted(set(added)), np.int64)
    new = new[~np.isin(new, beats.sample, assume_unique=True)] if new.size else new
    before = np.searchsorted(beats.sample, new)
    return _Sheet(
        sample=np.insert(beats.sample, before, new),
        label=np.insert(beats.label, before, Label.Q),
        confidence=np.insert(beats.confidence, before, 0.0),
        template=np.insert(beats.template, before, -1),
        qrs_ms=np.insert(beats.qrs_ms, before, NOT_MEASURED),
        p_wave=np.insert(beats.p_wave, before, np.nan),
        stands=np.insert(np.ones(len(beats), bool), before, False),
        named={},
        left_out=list(measured.unreadable),
        ruled=list(measured.ruled),
    )


def _replay(sheet: _Sheet, position: int, edit: Edit, measured: Measured) -> None:
    if edit.action in ("exclude", "include"):
        reason = EXCLUDED if edit.action == "exclude" else None
        sheet.left_out = _laid_over(sheet.left_out, edit, reason, measured)
        return
    if edit.action == "rhythm":
        sheet.ruled = _laid_over(sheet.ruled, edit, edit.rhythm, measured)
        return
    if edit.action == "insert_beats":
        _insert(sheet, position, edit, measured)
        return
    chosen = _chosen(sheet, position, edit, measured)
    if edit.action == "delete_beats":
        sheet.stands[chosen] = False
        return
    assert edit.label is not None
    label = Label[edit.label]
    sheet.label[chosen] = label
    sheet.confidence[chosen] = 1.0
    if edit.action == "relabel_template" and edit.start_s is None and edit.template is not None:
        sheet.named[edit.template] = label


def _chosen(sheet: _Sheet, position: int, edit: Edit, measured: Measured) -> NDArray[np.intp]:
    """The rows that an edit speaks of."""
    hz = measured.sampling_hz
    if edit.at_s:
        return _nearest(sheet, position, edit.at_s, hz)
    rows = slice(0, len(sheet.sample))
    if edit.start_s is not None and edit.end_s is not None:
        ends = np.searchsorted(
            sheet.sample, [np.ceil(edit.start_s * hz), np.ceil(min(edit.end_s, measured.duration_s) * hz)]
        )
        rows = slice(int(ends[0]), int(ends[1]))
    meant = sheet.stands[rows]
    if edit.template is not None:
        meant = meant & (sheet.template[rows] == edit.template)
    if not meant.any():
        where = "" if edit.start_s is None else f" between {edit.start_s:g} s and {edit.end_s:g} s"
        what = "no beat stands" if edit.template is None else f"no beat of shape {edit.template} stands"
        raise EditError(position, f"{what}{where}")
    return np.flatnonzero(meant) + rows.start


def _nearest(sheet: _Sheet, position: int, at_s: Sequence[float], hz: float) -> NDArray[np.intp]:
    """The standing beat at each of these times."""
    alive = np.flatnonzero(sheet.stands)
    at = np.asarray(at_s, float) * hz
    if alive.size:
        samples = sheet.sample[alive]
        right = np.clip(np.searchsorted(samples, at), 0, alive.size - 1)
        left = np.maximum(right - 1, 0)
        near = np.where(np.abs(samples[left] - at) <= np.abs(samples[right] - at), left, right)
        far = np.abs(samples[near] - at) > max(1.0, NEAR_S * hz)
    if not alive.size or far.any():
        lost = at_s[0] if not alive.size else at_s[int(np.argmax(far))]
        raise EditError(position, f"no beat stands at {lost:.3f} s; insert one there first")
    if len(np.unique(near)) < len(near):
        raise EditError(position, "one beat is named twice")
    return alive[near]


def _insert(sheet: _Sheet, position: int, edit: Edit, measured: Measured) -> None:
    assert edit.label is not None
    hz, last = measured.sampling_hz, max(0, measured.n_samples - 1)
    gap = round(MIN_RR_S * hz)
    for at_s in sorted(edit.at_s):
        at = min(round(at_s * hz), last)
        row = int(np.searchsorted(sheet.sample, at))
        near = slice(
            int(np.searchsorted(sheet.sample, at - gap, "right")), int(np.searchsorted(sheet.sample, at + gap))
        )
        if sheet.stands[near].any():
            there = float(sheet.sample[near][sheet.stands[near]][0]) / hz
            raise EditError(position, f"a beat stands at {there:.3f} s already; relabel that one, or delete it first")
        sheet.stands[row] = True
        sheet.label[row] = Label[edit.label]
        sheet.confidence[row] = 1.0


def _laid_over(stretches: list[Stretch], edit: Edit, reason: str | None, measured: Measured) -> list[Stretch]:
    """The stretches in order of time with the edit's cut out of them and, where it has a reason, put in its place."""
    assert edit.start_s is not None
    assert edit.end_s is not None
    start = round(edit.start_s * measured.sampling_hz)
    stop = round(min(edit.end_s, measured.duration_s) * measured.sampling_hz)
    kept = [part for stretch in stretches for part in _without(stretch, start, stop)]
    if reason is not None and stop > start:
        kept.append(Stretch(start, stop, (), reason))
    return sorted(kept, key=lambda stretch: stretch.start)


def _without(stretch: Stretch, start: int, stop: int) -> list[Stretch]:
    """What is left of a stretch when start to stop is cut out of it."""
    if stop <= stretch.start or start >= stretch.stop:
        return [stretch]
    parts = ((stretch.start, start), (stop, stretch.stop))
    return [replace(stretch, start=first, stop=last) for first, last in parts if last > first]


def _result(measured: Measured, sheet: _Sheet) -> Measured:
    rows = slice(None) if sheet.stands.all() else sheet.stands
    beats = Beats(
        sheet.sample[rows],
        sheet.label[rows],
        sheet.confidence[rows],
        sheet.template[rows],
        sheet.qrs_ms[rows],
        sheet.p_wave[rows],
    )
    return replace(
        measured,
        beats=beats,
        templates=_templates(measured.templates, beats, sheet.named),
        unreadable=tuple(sheet.left_out),
        ruled=tuple(sheet.ruled),
        rhythms=_rhythms(measured.rhythms, sheet.ruled),
    )


def _rhythms(rhythms: tuple[Stretch, ...], ruled: list[Stretch]) -> tuple[Stretch, ...]:
    """Ventricular fibrillation and standstill where nobody said that the heart beats."""
    for said in ruled:
        rhythms = tuple(part for stretch in rhythms for part in _without(stretch, said.start, said.stop))
    return rhythms


def _templates(templates: tuple[Template, ...], beats: Beats, named: dict[int, Label]) -> tuple[Template, ...]:
    """The shapes with the number of beats that now have them, and the names that they were given last."""
    # a bin for "no shape" in front; what is beyond the shapes that are there is counted in the last
    highest = max((template.id for template in templates), default=-1)
    counts = np.bincount(np.clip(beats.template, -1, highest + 1) + 1, minlength=highest + 3)
    return tuple(
        replace(template, label=named.get(template.id, template.label), beats=int(counts[template.id + 1]))
        for template in templates
    )
