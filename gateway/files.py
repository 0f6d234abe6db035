"""How does a file become durable: there after a power cut, whole or not at all?

The order is always the same: write to a new name, fsync the file, rename, fsync the folder that holds the name.
"""

import errno
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterable
from io import FileIO
from pathlib import Path

READ_BYTES = 1024 * 1024
"""Read size for checksums; a mebibyte keeps the system calls below the cost of hashing."""

FULL_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The system's ways to say that no more can be written: disk, quota, largest file."""

_FULL_FSYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)

Bytes = bytes | bytearray | memoryview


def sync_file(descriptor: int) -> None:
    """Return only when the file's bytes are on the medium (macOS needs its own call for that)."""
    if _FULL_FSYNC is not None:
        fcntl.fcntl(descriptor, _FULL_FSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Return only when the folder's names are on the medium."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, parts: Iterable[Bytes]) -> tuple[str, int]:
    """Write a file that must not exist yet, durably; its name still needs ``sync_folder``.

    Returns:
        The SHA-256 in hex and the size in bytes.
    """
    digest = hashlib.sha256()
    size = 0
    with path.open("xb") as file:
        for part in parts:
            file.write(part)
            digest.update(part)
            size += len(part)
        file.flush()
        sync_file(file.fileno())
    return digest.hexdigest(), size


def append_all(file: FileIO, data: Bytes) -> None:
    """Append all of it to an unbuffered file; on an error what was written is a true beginning of ``data``."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` in place of the file, atomically and durably; of two at once the later wins whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    temporary.unlink(missing_ok=True)
    try:
        write_new(temporary, [data])
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def hash_file(path: Path) -> "hashlib._Hash":
    """The running SHA-256 over the whole file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest


def free_bytes(folder: Path) -> int:
    """Space that an ordinary user may still write on the folder's disk."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
