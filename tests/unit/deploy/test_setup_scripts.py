"""The set-up scripts, in machines made of a PATH with only what a case has."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SETUP = ROOT / "deploy" / "setup"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of programs that is all of PATH: a bare POSIX shell."""
    for name in ("sh", "id", "mktemp", "tail", "rm", "cat", "ls", "sed", "sort", "head", "env"):
        found = next(path for base in ("/bin", "/usr/bin") if (path := Path(base) / name).exists())
        (tmp_path / name).symlink_to(found)
    return tmp_path


def script(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def become(machine: Path, uid: int) -> None:
    (machine / "id").unlink()
    script(machine, "id", f"echo {uid}")


def run(machine: Path, name: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(SETUP / name), *words],
        env={"PATH": str(machine), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_python_is_found_under_any_of_its_names(machine: Path) -> None:
    script(machine, "python3", "exit 1")  # too old
    (machine / "python3.12").symlink_to(sys.executable)
    answer = run(machine, "python")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == str(machine / "python3.12")


def test_a_named_python_comes_first(machine: Path) -> None:
    script(machine, "python3", "exit 1")
    assert run(machine, "python", PYTHON=sys.executable).stdout.strip() == sys.executable


def test_too_old_a_python_is_said_with_the_way_out(machine: Path) -> None:
    script(machine, "python3", 'test "$1" = --version && echo Python 3.9.2; exit 1')
    answer = run(machine, "python")
    assert answer.returncode == 1
    assert "needs Python 3.11 or newer; found: Python 3.9.2" in answer.stderr
    assert "apt-get install python3 python3-venv" in answer.stderr


def test_a_missing_venv_module_is_said_to_who_cannot_install_it(machine: Path) -> None:
    become(machine, 1000)
    body = f'case "$2" in *ensurepip*) exit 1 ;; *) exec {sys.executable} "$@" ;; esac'
    script(machine, "python3", body)
    answer = run(machine, "python")
    assert answer.returncode == 1
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert f"lacks the module venv. As root: apt-get install {version}" in answer.stderr


def test_a_missing_venv_module_is_installed_by_root(machine: Path) -> None:
    become(machine, 0)
    done = machine / "installed"
    script(machine, "apt-get", f'echo "$@" >> {done}')
    body = f'case "$2" in *ensurepip*) test -e {done}; exit ;; *) exec {sys.executable} "$@" ;; esac'
    script(machine, "python3", body)
    answer = run(machine, "python")
    assert answer.returncode == 0, answer.stderr
    assert "-venv" in done.read_text()
    assert answer.stdout.strip() == str(machine / "python3")  # apt's own words stay out of the answer


def test_what_is_missing_is_said_and_does_not_stop_the_work(machine: Path) -> None:
    become(machine, 1000)
    script(machine, "apt-get", "exit 1")
    answer = run(machine, "system-packages", "test")
    assert answer.returncode == 0, answer.stderr
    assert "not installed: chromium (" in answer.stdout
    assert "to have all: sudo apt-get install " in answer.stdout
    assert run(machine, "system-packages", "test", "--strict").returncode == 1


def test_root_on_debian_has_it_installed(machine: Path) -> None:
    become(machine, 0)
    made = f'for name in node npm; do printf "#!/bin/sh\\n" > {machine}/$name; /bin/chmod +x {machine}/$name; done'
    script(machine, "apt-get", f'test "$1" = update || {{ {made}; }}; echo noise')
    first = run(machine, "system-packages", "check", "--strict")
    assert (first.returncode, first.stdout) == (0, "installing nodejs npm\n")
    second = run(machine, "system-packages", "check", "--strict")
    assert (second.returncode, second.stdout) == (0, "")
