"""Whatever the bytes are, a reader gives a Recording or a named error. The long search is ``python -m fuzz``."""

import random
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.mutate import mutate
from fuzz.seeds import CORPUS, seeds
from fuzz.target import MAX_SECONDS, check, readers
from worker.formats import UnreadableRecording, read

READERS = readers()
SEEDS = {name: seeds(name) for name in READERS}
BINARY = ("scp", "ishne", "edf", "mfer", "wfdb", "wfdb-archive")
KEPT = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_file_that_is_kept_holds_the_promise(path):
    check(READERS[path.parent.name], path.read_bytes())


@pytest.mark.parametrize("name", BINARY)
def test_every_kept_seed_is_recognised_by_its_own_reader_alone(name):
    for path in sorted((CORPUS / name).glob("[!f]*")):  # found-… were made by a fuzzer
        if name == "wfdb":
            continue
        module = next(module for module in _formats() if module.recognises(path.read_bytes()))
        assert name.partition("-")[0] == module.NAME, path.name


def _formats():
    from worker.formats import FORMATS

    return FORMATS


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.integers(0, 10_000), number=st.integers(0, 2**32))
def test_mutated_files_hold_the_promise(name, place, number):
    start = [seed for seed in SEEDS[name] if len(seed) < 40_000]
    data = mutate(start[place % len(start)], start, random.Random(number))
    began = time.perf_counter()
    check(READERS[name], data)
    assert time.perf_counter() - began < MAX_SECONDS


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 1))
def test_cut_files_hold_the_promise(name, share):
    for seed in SEEDS[name][:12]:
        check(READERS[name], seed[: int(len(seed) * share)])


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=2000))
def test_random_bytes_are_refused_by_name(data):
    with suppress(UnreadableRecording):
        assert read(data).n_samples > 0


def test_the_fuzzer_runs_and_finds_nothing_in_a_moment():
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "fuzz", "ishne", "--runs", "300", "--blind"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "300 inputs" in done.stdout
