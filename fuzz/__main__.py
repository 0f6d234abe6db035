"""``python -m fuzz [FORMAT …] [--seconds N | --runs N]``: mutate recordings until the time is up or something breaks.

With atheris installed (``pip install atheris``, no part of the project's environments) the search is guided by which
branches of ``worker.formats`` an input reaches; without it inputs are mutated blindly, which needs many more of them.
Each format runs in a process of its own. Inputs that break a promise are written to ``fuzz/findings/FORMAT/``; move one
to ``tests/corpus/formats/FORMAT/`` and the tests hold it for good.
"""

import argparse
import importlib.util
import os
import subprocess
import sys

from fuzz.seeds import FINDINGS
from fuzz.target import readers


def main(arguments: list[str] | None = None) -> int:
    """Run the fuzzer over the named formats, all by default; 1 where there were findings."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help="formats to fuzz (all)")
    parser.add_argument("--seconds", type=float, default=20, help="how long for each format (20)")
    parser.add_argument("--runs", type=int, help="how many inputs for each format, instead of a time")
    parser.add_argument("--blind", action="store_true", help="do not use atheris though it is there")
    options = parser.parse_args(arguments)
    names = sorted(readers())
    unknown = set(options.formats) - set(names)
    if unknown:
        parser.error(f"no such format: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    guided = importlib.util.find_spec("atheris") is not None and not options.blind
    print("guided by coverage (atheris)" if guided else "blind; with atheris installed it is guided", flush=True)
    limits = ["--runs", str(options.runs)] if options.runs else ["--seconds", str(options.seconds)]
    module = "fuzz.guided" if guided else "fuzz.blind"
    failed = []
    for name in options.formats or names:
        command = [sys.executable, "-m", module, name, *limits]
        if subprocess.run(command, check=False, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}).returncode:
            failed.append(name)
    if failed:
        print(f"findings in {', '.join(failed)}: see {FINDINGS}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
