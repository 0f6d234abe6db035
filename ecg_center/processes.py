"""How is a process of ours tied to its parent, told from a stranger, and cleared away?

Standard library only: the helpers below run in small processes that must start at once.

``python -m ecg_center.processes become …`` becomes another program, as another user, dying with its parent.
``python -m ecg_center.processes undertaker`` waits at a pipe from its parent and, when the parent is gone,
ends every process group that the parent had named. A supervisor that was killed with ``kill -9`` can run no
code; the undertaker is the part of it that still can, on Linux and on macOS alike.
"""

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that this process gets when the thread that made it ends."""

_POLL_S = 0.05
_LIBC = ctypes.CDLL(None, use_errno=True) if LINUX else None


def die_with_parent(sent: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """A function for the child, between fork and exec: when the caller's thread ends, the child gets ``sent``.

    Linux only; elsewhere it does nothing and the undertaker alone clears up.
    """
    parent = os.getpid()

    def tie() -> None:
        _tie_to(parent, sent)

    return tie


def _tie_to(parent: int, sent: signal.Signals) -> None:
    if _LIBC is None:
        return
    _LIBC.prctl(PR_SET_PDEATHSIG, int(sent), 0, 0, 0)
    if os.getppid() != parent:  # it died before the word was given: nobody will tell us
        os._exit(1)


def is_running(pid: int) -> bool:
    """Whether the process exists and has not ended (a zombie that nobody reaps has ended)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    if not LINUX:
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] in {"Z", "X"}


def command_line(pid: int) -> str:
    """The command line of a process, empty where it is gone or hidden."""
    if LINUX:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            return ""
    answer = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, check=False)
    return answer.stdout.decode("utf-8", "replace").strip()


def wait_gone(pids: Sequence[int], timeout_s: float) -> list[int]:
    """Wait until none of the processes runs; the ones that still do after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    left = [pid for pid in pids if is_running(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        left = [pid for pid in left if is_running(pid)]
    return left


def signal_group(group: int, sent: int) -> bool:
    """Send a signal (0: none, only ask) to a process group; False where nothing of it is left."""
    try:
        os.killpg(group, sent)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return False
    return True


@dataclass(frozen=True)
class _Charge:
    group: int
    stop_signal: signal.Signals
    stop_timeout_s: float


def _undertake() -> None:
    """Read ``add GROUP SIGNAL SECONDS`` and ``del GROUP`` until the parent's end of the pipe closes."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # it ends with the pipe, and only then
        signal.signal(ignored, signal.SIG_IGN)
    charges: dict[int, _Charge] = {}
    for line in sys.stdin:
        word, group, *rest = line.split()
        if word == "add":
            charges[int(group)] = _Charge(int(group), signal.Signals(int(rest[0])), float(rest[1]))
        else:
            charges.pop(int(group), None)
    if not charges:
        return
    for charge in charges.values():
        # The leader first and alone, as the supervisor does: it knows how to stop its own children.
        try:
            os.kill(charge.group, charge.stop_signal)
        except (ProcessLookupError, PermissionError):
            continue
    wait_gone(list(charges), max(charge.stop_timeout_s for charge in charges.values()))
    for group in charges:
        signal_group(group, signal.SIGKILL)


def _become(arguments: argparse.Namespace) -> None:
    parent = os.getppid()
    if arguments.user is not None:
        uid, gid = (int(part) for part in arguments.user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # Changing the user clears the tie, so it is made (again) after it; exec keeps it.
    _tie_to(parent, signal.Signals[arguments.parent_death])
    os.chdir(arguments.folder)
    os.umask(0o077)
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    os.execve(arguments.program[0], arguments.program, environment)  # noqa: S606 - becoming it is the purpose


def main(words: Sequence[str] | None = None) -> None:
    """The two small processes of the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m ecg_center.processes", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("undertaker")
    become = kinds.add_parser("become")
    become.add_argument("--user", help="UID:GID to run as (root only)")
    become.add_argument("--parent-death", default="SIGTERM", help="signal to get when the parent dies")
    become.add_argument("--folder", default="/", help="working folder")
    become.add_argument("program", nargs="+", help="the program and its arguments, after --")
    arguments = parser.parse_args(words)
    if arguments.kind == "become":
        _become(arguments)
    else:
        _undertake()


if __name__ == "__main__":
    main()
