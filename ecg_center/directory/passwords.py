"""How are passwords and tokens kept?"""

import hashlib
import secrets

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

MIN_PASSWORD = 8
MAX_PASSWORD = 128
"""argon2 takes any length; a limit keeps a request from costing memory."""

_hasher = PasswordHash((Argon2Hasher(),))
_NOBODY = _hasher.hash(secrets.token_hex(16))
"""Verified where the login is unknown, so that the answer takes as long."""


def hash_password(password: str) -> str:
    """An argon2id hash with its salt and parameters; takes tens of milliseconds, call it in a thread."""
    return _hasher.hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is right; takes the same time where there is no such person."""
    return _hasher.verify(password[:MAX_PASSWORD], password_hash or _NOBODY) and password_hash is not None


def new_token() -> str:
    """An unguessable token for a session or a gateway."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """What is stored of a token: with 256 random bits a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
