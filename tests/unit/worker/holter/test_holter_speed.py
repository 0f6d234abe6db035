"""That a day takes seconds, flat memory, and costs no other process anything (docs/adr/0007)."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.holter_day import make
from worker.formats import read
from worker.holter.day import Day
from worker.holter.detect import find_beats

REPOSITORY = Path(__file__).parents[4]


def python(code, **environment):
    """What a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("module", ["worker.resting", "worker.cli", "ecg_center.app", "gateway.cli"])
def test_nothing_but_the_holter_imports_numba(module):
    assert python(f"import sys, {module}; print('numba' in sys.modules)").strip() == "False"


SHORT = """
import numpy as np
from gateway.simulate.generator import generate
from worker.holter.day import Day
from worker.holter.measure import search
from worker.recording import Recording
uv = generate("ventricular-premature", seed=3, duration_s={seconds}, sampling_hz=250).samples_uv[[1, 6]].copy()
uv[0, 900:1400] = 0
found = search(Day(Recording("", "holter", ("II", "V1"), uv, np.ones(2), np.zeros(2), 250.0)))
print(found.at.tolist(), [(s.start, s.stop) for s in found.noise.leads])
"""


def test_plain_python_finds_the_same_and_no_index_leaves_its_array():
    compiled = python(SHORT.format(seconds=8))
    assert len(compiled) > 30
    assert python(SHORT.format(seconds=8), NUMBA_DISABLE_JIT="1") == compiled


def test_an_unwritable_cache_is_no_obstacle(tmp_path):
    code = """
import numba
real = numba.njit
def njit(function, **options):
    if options.get("cache"):
        raise RuntimeError("cannot cache function: no locator available")
    return real(function, **options)
numba.njit = njit
from worker.signal.compiled import compiled
print(compiled(lambda x: x + 1)(2))
"""
    assert python(code).strip() == "3"


def test_what_is_kept_is_made_anew_when_the_shared_file_changes(tmp_path):
    (tmp_path / "part.py").write_text(
        "from worker.signal.compiled import compiled\n\n\n@compiled\ndef twice(n):\n    return 2 * n\n"
    )
    (tmp_path / "shared.py").write_text("1\n")
    code = f"""
import sys
from pathlib import Path
import worker.signal.compiled as compiled
sys.path.insert(0, {str(tmp_path)!r})
compiled.SHARED = Path({str(tmp_path)!r}, "shared.py")
import part
part.twice(3)
print("taken" if part.twice.stats.cache_hits else "made")
"""
    assert [python(code, NUMBA_CACHE_DIR=str(tmp_path)).strip() for _ in range(2)] == ["made", "taken"]
    (tmp_path / "shared.py").write_text("12\n")
    assert python(code, NUMBA_CACHE_DIR=str(tmp_path)).strip() == "made"


def test_an_hour_of_qrs_takes_no_time_and_no_memory(tmp_path):
    day = Day(read(make(tmp_path, 1, 250, 1)))
    find_beats(day)
    started = time.process_time()
    beats = find_beats(day)
    spent = time.process_time() - started
    assert 2000 < len(beats) < 10_000
    assert spent < 0.2  # 0.01 s on a quiet machine; numpy would take 0.4 s


def test_memory_does_not_grow_with_the_day(tmp_path):
    code = """
import json, resource, sys
from pathlib import Path
from worker.formats import read
from worker.holter.day import Day
from worker.holter.measure import search
peak = []
for name in sys.argv[1:]:
    search(Day(read(Path(name))))
    peak.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(json.dumps(peak))
"""
    files = [str(make(tmp_path, 3, 250, hours)) for hours in (1, 12)]
    done = subprocess.run(
        [sys.executable, "-c", code, *files], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    short, long = json.loads(done.stdout)
    assert long - short < 40  # the file has 65 MB, as float64 it would be 260 MB
