"""How does a simulated recorder keep a recording until the gateway has it for good?

One folder with two files a recording: ``<id>.recording`` (the bytes) and ``<id>.json`` (what goes into the first MQTT
message). The second is written last and removed first, so that a recording is there exactly when its JSON is; a kill -9
at any moment leaves either a whole recording or a leftover that the next start clears.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ecg_center.contract.upload import RecordingIdentity
from gateway import files

MAX_KEPT: Final = 1000
"""A recorder's memory is finite; beyond this it must be emptied by hand, which is what its screen says."""


class OutboxFullError(Exception):
    """The recorder's memory is full: connect it to its gateway, or clear the folder."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One recording in the outbox."""

    file_id: str
    path: Path
    size: int
    sha256: str
    media_type: str
    name: str
    identity: RecordingIdentity

    def init(self) -> dict[str, Any]:
        """The first message of the upload."""
        return {
            "size": self.size,
            "sha256": self.sha256,
            "media_type": self.media_type,
            "name": self.name,
            "identity": self.identity.model_dump(mode="json", exclude_none=True),
        }


class Outbox:
    """A folder of recordings that are not known to be safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._clear_leftovers()

    def keep(self, content: bytes, identity: RecordingIdentity, *, media_type: str, name: str) -> Kept:
        """Write a recording durably; keeping the same bytes again changes nothing.

        Raises:
            OutboxFullError: with :data:`MAX_KEPT` recordings inside.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        file_id = sha256[:32]
        note, recording = self.folder / f"{file_id}.json", self.folder / f"{file_id}.recording"
        kept = Kept(file_id, recording, len(content), sha256, media_type, name, identity)
        if note.exists():
            return self.read(file_id)
        if len(self.pending()) >= MAX_KEPT:
            raise OutboxFullError(f"{self.folder} holds {MAX_KEPT} recordings that no gateway took; see its log")
        files.replace(recording, content)
        files.replace(note, json.dumps(kept.init(), ensure_ascii=False).encode())
        return kept

    def pending(self) -> list[str]:
        """The ids of all recordings inside, oldest first."""
        notes = sorted(self.folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [note.stem for note in notes]

    def read(self, file_id: str) -> Kept:
        """One recording of the outbox."""
        note = json.loads((self.folder / f"{file_id}.json").read_text("utf-8"))
        return Kept(
            file_id,
            self.folder / f"{file_id}.recording",
            note["size"],
            note["sha256"],
            note["media_type"],
            note["name"],
            RecordingIdentity.model_validate(note["identity"]),
        )

    def release(self, file_id: str) -> None:
        """Let go of a recording; only after the gateway's ``safe``."""
        (self.folder / f"{file_id}.json").unlink(missing_ok=True)
        files.sync_folder(self.folder)
        (self.folder / f"{file_id}.recording").unlink(missing_ok=True)

    def _clear_leftovers(self) -> None:
        for path in self.folder.glob("*.recording"):
            if not path.with_suffix(".json").exists():
                path.unlink()
