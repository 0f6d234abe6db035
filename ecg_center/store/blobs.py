"""Where do the bytes lie, and when are they safe?

Recordings and reports are content-addressed: the key of the original is its SHA-256, so the same bytes are stored
once and never overwritten. A folder by default, S3 in production, both through obstore. In a folder a write is on the
disk (fsync of file and folders) before the call returns, because the gateway lets go of its copy on our word.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

READ_AHEAD = 128 * 1024
"""Ten seconds of FLAC lie in 10 kB; a seek in it reads a dozen places."""


class BlobMissingError(Exception):
    """The store has no object of this key: restore it from the backup or from the gateway's delivered folder."""


class BlobStoreError(Exception):
    """The store did not take the bytes: its disk is full or it is out of reach. Nothing half-written is seen."""


class Blobs:
    """The object store of the centre."""

    def __init__(self, location: str) -> None:
        """``location`` is a folder or an ``s3://`` address."""
        self._folder: Path | None = None
        self._store: ObjectStore
        if "://" in location:
            self._store = from_url(location)
        else:
            self._folder = Path(location).resolve()
            self._folder.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(self._folder)

    async def put(self, key: str, content: bytes | Path) -> bool:
        """Store the bytes durably under a key that is never overwritten; False where it was there already.

        Raises:
            BlobStoreError: the store did not take them; try again later.
        """
        try:
            await obstore.put_async(self._store, key, content, mode="create")
            created = True
        except AlreadyExistsError:
            created = False
        except BaseError as error:
            raise BlobStoreError(f"{key} could not be stored: {str(error).splitlines()[0]}") from error
        if self._folder is not None:
            _fsync_path(self._folder / key, self._folder)
        return created

    async def get(self, key: str) -> bytes:
        """All bytes of one object.

        Raises:
            BlobMissingError: there is no such object.
        """
        try:
            result = await obstore.get_async(self._store, key)
            return bytes(await result.bytes_async())
        except FileNotFoundError as error:
            raise BlobMissingError(f"{key} is not in the blob store") from error

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """The object's bytes in chunks."""
        try:
            result = await obstore.get_async(self._store, key)
        except FileNotFoundError as error:
            raise BlobMissingError(f"{key} is not in the blob store") from error
        async for chunk in result.stream():
            yield bytes(chunk)

    async def save(self, key: str, path: Path) -> str:
        """Write the object into a file, chunk by chunk; returns the SHA-256 of what was written.

        Raises:
            BlobMissingError: there is no such object.
        """
        digest = hashlib.sha256()

        def take(file: BinaryIO, chunk: bytes) -> None:
            digest.update(chunk)
            file.write(chunk)

        with path.open("wb") as file:
            async for chunk in self.stream(key):
                await asyncio.to_thread(take, file, chunk)
        return digest.hexdigest()

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        """``length`` bytes of one object from ``start`` on; fewer where it ends before.

        Raises:
            BlobMissingError: there is no such object.
        """
        if self._folder is not None:
            return await asyncio.to_thread(_read_range, self._folder / key, start, length)
        try:
            return bytes(await obstore.get_range_async(self._store, key, start=start, length=length))
        except FileNotFoundError as error:
            raise BlobMissingError(f"{key} is not in the blob store") from error

    def source(self, key: str) -> Path | BinaryIO:
        """Where the object lies, or it, open and able to seek: for readers that read only parts of it, in a thread.

        Raises:
            BlobMissingError: there is no such object.
        """
        if self._folder is not None:
            if not (self._folder / key).is_file():
                raise BlobMissingError(f"{key} is not in the blob store")
            return self._folder / key
        try:
            return cast("BinaryIO", obstore.open_reader(self._store, key, buffer_size=READ_AHEAD))
        except FileNotFoundError as error:
            raise BlobMissingError(f"{key} is not in the blob store") from error

    async def exists(self, key: str) -> bool:
        """Whether the object is there."""
        try:
            await obstore.head_async(self._store, key)
        except FileNotFoundError:
            return False
        return True


def original_key(sha256: str) -> str:
    """The key of bytes as received."""
    return f"original/{sha256[:2]}/{sha256}"


def waveform_key(sha256: str, suffix: str) -> str:
    """The key of a decoded waveform's file; ``suffix`` as the WFDB writer names it."""
    return f"waveform/{sha256[:2]}/{sha256}{suffix}"


def report_key(sha256: str) -> str:
    """The key of a released report's PDF."""
    return f"report/{sha256[:2]}/{sha256}.pdf"


def _read_range(path: Path, start: int, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(length)
    except FileNotFoundError as error:
        raise BlobMissingError(f"{path.name} is not in the blob store") from error


def _fsync_path(path: Path, root: Path) -> None:
    """Flush a file and the folders from it up to the root: a new name is durable only with its folder."""
    for target in (path, *path.parents):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if target == root:
            return
