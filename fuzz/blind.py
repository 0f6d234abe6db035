"""``python -m fuzz.blind FORMAT --seconds N``: mutation without coverage. Started by fuzz."""

import argparse
import collections
import hashlib
import random
import re
import sys
import time
from pathlib import Path

from fuzz.mutate import mutate, mutate_text
from fuzz.seeds import FINDINGS, seeds
from fuzz.target import Finding, check, limit_memory, readers


def main() -> int:
    """Mutate until the time or the number of inputs is up; 1 where there were findings."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.blind")
    parser.add_argument("format")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--runs", type=int, default=sys.maxsize)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    options = parser.parse_args()
    name: str = options.format
    read, start = readers()[name], seeds(name)
    if not start:
        print(f"{name:13} no seeds: put files into tests/corpus/formats/{name}")
        return 0
    rng = random.Random(options.seed)  # noqa: S311 - a repeatable sequence is wanted
    change = mutate, mutate_text
    seen: collections.Counter[str] = collections.Counter()
    found: set[str] = set()
    limit_memory()
    end = time.monotonic() + options.seconds
    slowest = 0.0
    for number in range(options.runs):
        if time.monotonic() > end:
            break
        data = start[number] if number < len(start) else change[number % 2](rng.choice(start), start, rng)
        before = time.perf_counter()
        try:
            seen[check(read, data)] += 1
        except Finding as finding:
            kind = re.sub(r"\d+", "#", str(finding))[:80]
            if kind not in found:
                found.add(kind)
                print(f"{name:13} FINDING {_keep(name, data)}: {str(finding)[:160]}", flush=True)
        slowest = max(slowest, time.perf_counter() - before)
    what = ", ".join(f"{count} {outcome}" for outcome, count in seen.most_common())
    print(f"{name:13} {sum(seen.values())} inputs, slowest {slowest * 1e3:.0f} ms: {what}", flush=True)
    return 1 if found else 0


def _keep(name: str, data: bytes) -> Path:
    folder = FINDINGS / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(data).hexdigest()[:16]
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    sys.exit(main())
