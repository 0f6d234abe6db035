"""``python -m fuzz.guided FORMAT --seconds N``: atheris, guided by the branches of worker.formats. Started by fuzz."""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import atheris

with atheris.instrument_imports(include=["worker.formats"]):
    import worker.formats  # noqa: F401

from fuzz.seeds import FINDINGS, seeds
from fuzz.target import check, readers

MAX_INPUT_BYTES = 8 * 1024
"""Small inputs run fast; what is large about a recording is more of the same."""
RESIDENT_MB = 512 + 256
"""512 MB for the input, 256 for Python, numpy, scipy and the instrumented readers themselves."""


def main() -> None:
    """Run libFuzzer; it ends the process itself."""
    name, limit, value = sys.argv[1:4]
    read = readers()[name]
    folder = FINDINGS / name
    folder.mkdir(parents=True, exist_ok=True)
    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    for number, seed in enumerate(seeds(name)):
        if len(seed) <= MAX_INPUT_BYTES:
            (corpus / str(number)).write_bytes(seed)
    end = f"-runs={value}" if limit == "--runs" else f"-max_total_time={int(float(value))}"

    def one(data: bytes) -> None:
        check(read, data)

    arguments = [
        sys.argv[0], str(corpus), end, f"-max_len={MAX_INPUT_BYTES}", "-timeout=5", f"-rss_limit_mb={RESIDENT_MB}",
        f"-artifact_prefix={folder}/", "-print_final_stats=1", "-verbosity=0",
    ]  # fmt: skip
    atheris.Setup(arguments, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
