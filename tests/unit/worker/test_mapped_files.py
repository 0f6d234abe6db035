"""A large file is mapped, not read: the same recording, and no memory to speak of."""

import hashlib
import io
import mmap
import signal
import subprocess
import sys
import tarfile
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from bench.formats import RATE_HZ, THREE, _ishne, _mfer, _record, _recording
from worker import mapped
from worker.formats import binary, read
from worker.formats.errors import TooLargeRecording, UnknownFormat
from worker.formats.write import write
from worker.recording import Gap, Recording

HOURS = 6.5
"""Just above what is mapped."""


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one recording of some hours in several formats."""
    folder = tmp_path_factory.mktemp("long")
    recording = _recording(THREE, int(HOURS * 3600 * RATE_HZ), float(RATE_HZ), "holter")
    _ishne(folder / "long.ecg", recording)
    _mfer(folder / "long.mwf", recording)
    write(recording, "edf", folder / "long.edf")
    write(recording, "dicom", folder / "long.dcm")
    for storage in ("16", "212"):
        _record(folder, recording, storage)
    with tarfile.open(folder / "long16.tar", "w") as archive:
        for name in ("long16.hea", "long16.dat"):
            archive.add(folder / name, name)
    np.save(folder / "digital.npy", recording.digital)
    return folder


FILES = ("long.ecg", "long.dcm", "long.mwf", "long.edf", "long16.dat", "long212.dat", "long16.tar")


@pytest.mark.parametrize("name", FILES)
def test_a_mapped_file_reads_as_its_bytes_do(long: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (long / name).stat().st_size >= mapped.MAP_FROM_BYTES or name == "long212.dat"
    from_map = read(long / name)
    monkeypatch.setattr(mapped, "MAP_FROM_BYTES", 1 << 40)
    from_bytes = read(long / name)
    assert from_map.warnings == from_bytes.warnings
    np.testing.assert_array_equal(from_map.digital, np.load(long / "digital.npy", mmap_mode="r"))
    assert from_map.signal_sha256 == from_bytes.signal_sha256


def test_bytes_a_view_and_a_mapping_are_read_alike(long: Path) -> None:
    path = long / "long.ecg"
    with path.open("rb") as stream:
        mapping = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    sums = {read(content).signal_sha256 for content in (path.read_bytes(), mapping, memoryview(mapping), path)}
    assert len(sums) == 1


def test_what_is_no_format_of_days_is_read_from_a_view_too(tmp_path: Path) -> None:
    short = _recording(("I", "II"), 1000, 500.0, "resting")
    path = write(short, "aecg", tmp_path / "short.xml")[0]
    assert read(memoryview(path.read_bytes())).signal_sha256 == short.signal_sha256
    with pytest.raises(UnknownFormat):
        read(memoryview(bytes(100)))


MEASURE = """
import resource, sys
from pathlib import Path
from worker.formats import read
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
recording = read(Path(sys.argv[1]))
recording.signal_sha256
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(
    ("name", "copies"), [("long.ecg", 0), ("long.dcm", 0), ("long16.tar", 0), ("long.edf", 1), ("long.mwf", 1)]
)
def test_reading_needs_no_memory_beyond_the_samples_that_are_laid_out_anew(long: Path, name: str, copies: int) -> None:
    words = [sys.executable, "-c", MEASURE, str(long / name)]
    grown_mb = int(subprocess.run(words, check=True, capture_output=True).stdout)
    decoded_mb = len(THREE) * HOURS * 3600 * RATE_HZ * 2 / 1024**2
    assert grown_mb < copies * decoded_mb + 24  # the hash's blocks and the readers' own modules


def test_forgotten_pages_come_again() -> None:
    room = mmap.mmap(-1, 64 * mmap.PAGESIZE, flags=mmap.MAP_SHARED)
    array = np.frombuffer(room, np.int16)
    array[:] = np.arange(array.size) % 1000
    mapped.forget(array[100:20_000])
    assert (array == np.arange(array.size) % 1000).all()
    mapped.forget(np.arange(10))  # of what is not mapped, nothing happens


def test_a_large_array_lies_in_a_file_without_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mapped, "SCRATCH_FROM_BYTES", 1000)
    array = mapped.empty((3, 1000), np.int32)
    array[:] = 7
    mapped.forget(array)
    assert (array == 7).all()
    assert array.shape == (3, 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    with pytest.raises(TooLargeRecording, match="TMPDIR"):
        binary.room((3, 1000), np.int32)


def naive_gaps(row: np.ndarray, lead: str, missing: int) -> list[Gap]:
    gaps, at = [], 0
    for absent, run in groupby((row == missing).tolist()):
        length = len(list(run))
        if absent and length >= binary.MIN_GAP_SAMPLES:
            gaps.append(Gap(at, at + length, (lead,)))
        at += length
    return gaps[: binary.MAX_GAPS_A_LEAD]


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_gaps_go_on_over_the_borders_of_blocks(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.formats.binary.in_blocks", lambda digital: mapped.in_blocks(digital, 7))
    random = np.random.default_rng(3)
    digital = np.where(random.random((3, 6000)) < share, -5, 1).astype(np.int16)
    expected = (*naive_gaps(digital[0], "I", -5), *naive_gaps(digital[2], "V1", -5))
    assert binary.value_gaps(digital, ("I", "II", "V1"), (-5, None, -5)) == expected


def test_a_view_is_a_file(long: Path) -> None:
    content = (long / "long16.hea").read_bytes()
    stream = mapped.ViewFile(memoryview(content))
    assert stream.read() == content
    assert (stream.seek(-3, io.SEEK_END), stream.read(10)) == (len(content) - 3, content[-3:])
    with pytest.raises(ValueError, match="before"):
        stream.seek(-1)


def test_the_digest_is_that_of_the_whole(long: Path) -> None:
    recording: Recording = read(long / "long.ecg")
    assert recording.signal_sha256 == hashlib.sha256(recording.int16_uv().tobytes()).hexdigest()


def test_a_mapped_file_that_is_cut_ends_the_process_that_reads_it_and_no_other(tmp_path):
    """Why a long recording is read by a process of its own, from a copy of its own (docs/adr/0009)."""
    path = tmp_path / "cut"
    path.write_bytes(bytes(mapped.MAP_FROM_BYTES))
    code = """
import os, sys
from pathlib import Path
from worker.mapped import content_of
content = content_of(Path(sys.argv[1]))
os.truncate(sys.argv[1], 4096)
print(content[0], flush=True)
print(content[1 << 20])
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.stdout == "0\n"
    assert done.returncode == -signal.SIGBUS


def test_what_was_looked_at_is_given_back_with_the_pages_around_it(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(bytes(64 * 2**20))
    code = """
import sys
from pathlib import Path
import numpy as np
from worker.mapped import content_of, forget
held = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
samples = np.frombuffer(content_of(Path(sys.argv[1])), np.int16).reshape(-1, 4).T
before = held()
for start in range(0, samples.shape[1] - 1000, 9973):
    part = samples[:, start : start + 1000]
    part.sum()
    forget(part)
print(held() - before)
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 6
