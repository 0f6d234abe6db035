"""``python -m fuzz.guided FORMAT --seconds N``: atheris, guided by the branches of worker.formats. Started by fuzz.

A third of the inputs are libFuzzer's own mutations, a third are :func:`fuzz.mutate.mutate`'s, a third change words of a
text and leave its form: an XML whose brackets do not match tells nothing about the reader of its elements. What
reached something new is kept in ``fuzz/findings/corpus/FORMAT``, so that the next run goes on from there.
"""

import os
import random
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import atheris

with atheris.instrument_imports(include=["worker.formats"]):
    import worker.formats
    import worker.formats.pressure
    import worker.formats.pressure_xml  # noqa: F401

from fuzz.mutate import mutate, mutate_text
from fuzz.seeds import FINDINGS, seeds
from fuzz.target import check, readers

MAX_INPUT_BYTES = 4 * 1024
"""Small inputs run fast; what is large about a recording is more of the same."""
RESIDENT_MB = 512 + 256
"""512 MB for the input, 256 for Python, numpy, scipy and the instrumented readers themselves."""


def main() -> None:
    """Run libFuzzer; it ends the process itself."""
    name, limit, value = sys.argv[1:4]
    read = readers()[name]
    folder = FINDINGS / name
    folder.mkdir(parents=True, exist_ok=True)
    corpus = FINDINGS / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    start = [seed for seed in seeds(name) if len(seed) <= MAX_INPUT_BYTES]
    for number, seed in enumerate(start):
        (corpus / f"seed-{number}").write_bytes(seed)
    end = f"-runs={value}" if limit == "--runs" else f"-max_total_time={int(float(value))}"

    def one(data: bytes) -> None:
        check(read, data)

    def change(data: bytearray, max_size: int, seed: int) -> bytes:
        rng = random.Random(seed)  # noqa: S311 - a repeatable sequence is wanted
        kind = seed % 3
        if kind == 0 or not data:
            return atheris.Mutate(bytes(data), max_size)  # type: ignore[no-any-return]
        by_word = kind == 1 and data.count(0) <= len(data) // 2  # UTF-16 has a zero in every other byte
        return (mutate_text if by_word else mutate)(bytes(data), start, rng)[:max_size]

    arguments = [
        sys.argv[0], str(corpus), end, f"-max_len={MAX_INPUT_BYTES}", "-timeout=5", f"-rss_limit_mb={RESIDENT_MB}",
        f"-artifact_prefix={folder}/", "-print_final_stats=1", "-verbosity=0",
    ]  # fmt: skip
    atheris.Setup(arguments, one, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
