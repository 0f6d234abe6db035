"""How do the files of one record come in one file? ZIP (PKWARE APPNOTE 4.3) and TAR (POSIX ustar), plain or gzipped.

Members are looked up by name without their folder, in memory; nothing is written to disk. What they unpack to is
bounded before it is unpacked.
"""

import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Final

from worker.formats.errors import DamagedRecording, TooLargeRecording, TruncatedRecording, UnreadableRecording
from worker.mapped import Buffer, ViewFile

MAX_MEMBERS: Final = 20_000
MAX_UNPACKED_BYTES: Final = 144 * 1024**2
"""A day of three leads at 250 Hz in format 16 is 130 MB; unpacked members and the samples made of them share 512 MB."""
ZIP_MAGIC: Final = b"PK\x03\x04"
GZIP_MAGIC: Final = b"\x1f\x8b"
TAR_BLOCK: Final = 512
TAR_MAGIC_AT: Final = 257


def looks_like_archive(data: Buffer) -> bool:
    """Whether these bytes are a ZIP archive with a WFDB header in it, or a TAR archive, gzipped or not."""
    try:
        if data[:4] == ZIP_MAGIC:
            with zipfile.ZipFile(ViewFile(data)) as archive:
                return any(name.lower().endswith(".hea") for name in archive.namelist()[:MAX_MEMBERS])
        head = bytes(data[:TAR_BLOCK])
        if data[:2] == GZIP_MAGIC:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data[: 64 * 1024], TAR_BLOCK)
    except Exception:
        return False  # zipfile raises errors of every kind for hostile bytes
    return head[TAR_MAGIC_AT : TAR_MAGIC_AT + 5] == b"ustar"


def unpack(data: Buffer) -> dict[str, Buffer]:
    """The files in an archive by their bare names; those of a TAR are views of these bytes.

    Raises:
        UnreadableRecording: one of its family.
    """
    try:
        return _unzip(data) if data[:4] == ZIP_MAGIC else _untar(_gunzip(data))
    except (UnreadableRecording, MemoryError):
        raise
    except EOFError:
        raise TruncatedRecording("the archive ends within a file; send it again") from None
    except Exception as error:  # zipfile and tarfile raise errors of every kind for hostile bytes
        raise DamagedRecording(f"the archive cannot be unpacked ({str(error)[:100]}); send it again") from None


def _unzip(data: Buffer) -> dict[str, Buffer]:
    found: dict[str, Buffer] = {}
    left = MAX_UNPACKED_BYTES
    with zipfile.ZipFile(ViewFile(data)) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise TooLargeRecording(f"the archive holds {len(members)} files")
        for member in members:
            if member.is_dir() or member.file_size == 0:
                continue
            with archive.open(member) as stream:
                content = stream.read(left + 1)
            left -= len(content)
            if left < 0:
                raise TooLargeRecording(f"the archive unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MB")
            found.setdefault(PurePosixPath(member.filename.replace("\\", "/")).name, content)
    return found


def _gunzip(data: Buffer) -> Buffer:
    if data[:2] != GZIP_MAGIC:
        return data
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    plain = inflater.decompress(data, MAX_UNPACKED_BYTES)
    if inflater.unconsumed_tail:
        raise TooLargeRecording(f"the archive unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MB")
    if not inflater.eof:
        raise TruncatedRecording("the archive ends before its content does; send it again")
    return plain


def _untar(data: Buffer) -> dict[str, Buffer]:
    """What lies in a TAR is not packed, so that it may be as large as any file."""
    content = memoryview(data)
    found: dict[str, Buffer] = {}
    with tarfile.open(fileobj=ViewFile(content), mode="r:") as archive:
        for count, member in enumerate(archive):
            if count >= MAX_MEMBERS:
                raise TooLargeRecording(f"the archive holds more than {MAX_MEMBERS} files")
            if member.isreg() and not member.sparse:
                whole = content[member.offset_data : member.offset_data + member.size]
                if len(whole) < member.size:
                    raise EOFError
                found.setdefault(PurePosixPath(member.name).name, whole)
    return found
