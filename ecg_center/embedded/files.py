"""How are secrets and choices kept between two starts?

In small JSON files that only their owner reads, replaced in one step, so that a kill in the middle leaves
the old content or the new, never half of it.
"""

import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

PASSWORD_BYTES = 24
"""192 bits as 32 URL-safe characters: no escaping needed in a connection URL or a TOML file."""


class EmbeddedError(Exception):
    """A server of our own cannot be had; the message says why and what to do."""


class StateFileError(EmbeddedError):
    """A file of the state folder cannot be read; the message names it and says what to do."""


def new_password() -> str:
    """A random password that needs no quoting in URLs, SQL or TOML."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def folder_of_ones_own(name: str) -> Path:
    """A new temporary folder whose name tells whose it is; root's PostgreSQL, which runs as nobody, may enter it."""
    folder = Path(tempfile.mkdtemp(prefix=f"ecg-{name}-"))
    folder.chmod(0o755)
    return folder


def write_private(path: Path, text: str, owner: tuple[int, int] | None = None) -> None:
    """Write ``text`` to ``path`` with mode 0600, durably and in one step."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if owner is not None:
            os.chown(temporary, *owner)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any]:
    """The object kept in ``path``, empty where there is none yet.

    Raises:
        StateFileError: when the file exists and is not a JSON object, or may not be read.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except PermissionError:
        raise StateFileError(
            f"{path} belongs to another user; run as that user, or choose another state folder"
        ) from None
    except ValueError as error:
        raise StateFileError(f"{path} is damaged ({error}); restore it from a backup") from None
    if not isinstance(content, dict):
        raise StateFileError(f"{path} is damaged (no JSON object); restore it from a backup")
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Keep ``content`` in ``path`` for its owner only."""
    write_private(path, json.dumps(content, indent=2) + "\n")
