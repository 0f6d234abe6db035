"""The file in which a measured day is kept, and the annotation file for research tools."""

import io
import json
import zipfile
from dataclasses import fields, replace
from datetime import UTC, datetime

import numpy as np
import pytest
import wfdb
from support.holter_days import day

from worker.formats.wfdb_annotations import read_annotations
from worker.holter.measured import Label, Stretch, Template
from worker.holter.stored import StoredError, as_atr, from_bytes, to_bytes
from worker.recording import Annotation


def full_day():
    rng = np.random.default_rng(4)
    letters = "".join(rng.choice(list("NSVFPQ"), 500))
    measured = day(letters, rr_s=0.83, template=rng.integers(-1, 3, 500))
    wave = rng.integers(-900, 900, (2, 70)).astype(np.int16)
    return replace(
        measured,
        started_at=datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
        templates=(Template(0, Label.N, 300, wave, 250.0, 25), Template(2, Label.V, 9, wave[:, :40] // 2, 125.0, 12)),
        unreadable=(Stretch(10, 900, (), "muscle"),),
        lead_noise=(Stretch(2000, 2500, ("V5",), "lead_off"),),
        rhythms=(Stretch(5000, 6000, (), "vf"),),
        flutter=(Stretch(7000, 9000),),
        marks=(Annotation("胸闷", 12.5), Annotation("walk", 20.0, 60.0)),
        warnings=("the clock was set",),
    )


def same(left, right):
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
    if hasattr(left, "__dataclass_fields__"):
        return all(same(getattr(left, f.name), getattr(right, f.name)) for f in fields(left))
    if isinstance(left, tuple):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return left == right


def test_a_day_comes_back_as_it_was():
    before = full_day()
    assert same(from_bytes(to_bytes(before)), before)


def test_an_empty_day_comes_back():
    before = day("", duration_s=60)
    assert same(from_bytes(to_bytes(before)), before)


def test_the_same_day_gives_the_same_bytes():
    assert to_bytes(full_day()) == to_bytes(full_day())


def test_numpy_opens_it_without_pickle():
    with np.load(io.BytesIO(to_bytes(full_day())), allow_pickle=False) as archive:
        assert np.array_equal(np.cumsum(archive["beats.step"]), full_day().beats.sample)
        assert json.loads(archive["about"].tobytes())["version"] == 2


def changed(**about):
    """The file with another ``about``."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(to_bytes(full_day()))) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "about.npy":
                text = json.loads(np.load(io.BytesIO(content)).tobytes()) | about
                part = io.BytesIO()
                np.save(part, np.frombuffer(json.dumps(text).encode(), "|u1"))
                content = part.getvalue()
            new.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no kept day"),
        (b"PK\x03\x04 no archive", "no kept day"),
        (to_bytes(full_day())[:-40], "no kept day"),
        (changed(version=3), "version 3; this worker reads version 2"),
        (changed(n_samples=10), "outside of the recording"),
        (changed(leads=["II"]), "do not fit their numbers"),
        (changed(leads=["II"], templates=[]), "do not fit|has shape"),
        (changed(unreadable=[[5, 1, [], ""]]), "a stretch lies outside"),
        (changed(templates=[]), "do not fit their numbers"),
        (changed(sampling_hz=0), "at 0.0 Hz"),
    ],
)
def test_what_is_no_kept_day_is_refused(data, reason):
    with pytest.raises(StoredError, match=reason):
        from_bytes(data)


def test_a_bomb_is_refused_unopened():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("about.npy", "w") as member:
        for _ in range(1025):
            member.write(bytes(2**20))
    with pytest.raises(StoredError, match="bytes unpacked"):
        from_bytes(out.getvalue())


def test_beats_out_of_order_are_refused():
    measured = full_day()
    measured.beats.sample[3] = measured.beats.sample[2]
    with pytest.raises(StoredError, match="in order of time"):
        from_bytes(to_bytes(measured))


def test_the_beats_are_read_by_wfdb_as_they_were_written(tmp_path):
    measured = full_day()
    (tmp_path / "day.atr").write_bytes(as_atr(measured.beats, [(300, "(N"), (50_000, "(AFIB")]))
    found = wfdb.rdann(str(tmp_path / "day"), "atr")
    beats = [(at, symbol) for at, symbol in zip(found.sample, found.symbol, strict=True) if symbol != "+"]
    letters = {"P": "/"}
    assert beats == [
        (at, letters.get(Label(label).name, Label(label).name))
        for at, label in zip(measured.beats.sample.tolist(), measured.beats.label.tolist(), strict=True)
    ]
    rhythms = [(at, text) for at, text in zip(found.sample, found.aux_note, strict=True) if text]
    assert rhythms == [(300, "(N"), (50_000, "(AFIB")]


def test_our_own_reader_reads_a_day_long_pause():
    marks, warnings = read_annotations(as_atr(day("NV", at_s=[1.0, 90_000.0]).beats), 250.0)
    assert [(mark.label, mark.start_s) for mark in marks] == [("N", 1.0), ("V", 90_000.0)]
    assert warnings == ()
