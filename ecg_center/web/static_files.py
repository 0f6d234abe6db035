"""How may a browser keep the style sheets and modules for a year and still never show an old one?

One content hash names the whole tree, as a folder of the address: ``/static/<hash>/js/live.js``. A module that imports
``./clock.js`` thereby gets its neighbour of the same hash, which a query string per file would not give.
"""

import hashlib
import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_FOLDER = Path(__file__).parent / "static"
STATIC_PATH = "/static"
ONE_YEAR_S = 365 * 24 * 3600
HASH_DIGITS = 12


@cache
def tree_hash() -> str:
    """Hash of every file's name and bytes below ``static``, taken once per process."""
    digest = hashlib.sha256()
    for path in sorted(path for path in STATIC_FOLDER.rglob("*") if path.is_file()):
        digest.update(path.relative_to(STATIC_FOLDER).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:HASH_DIGITS]


def static_url(path: str) -> str:
    """Address of one static file.

    Raises:
        FileNotFoundError: for a name that does not exist, so that a typo in a template is an error, not a 404.
    """
    if not (STATIC_FOLDER / path).is_file():
        raise FileNotFoundError(f"no static file {path!r} in {STATIC_FOLDER}")
    return f"{STATIC_PATH}/{tree_hash()}/{path}"


IMPORT: Final = re.compile(r'^(?:import|export)\b[^"]*?"(\./[^"]+|\.\./[^"]+)";', re.MULTILINE)
"""A module's own static imports; what it imports only when needed, ``import(...)``, is asked for by its page."""


@cache
def modules_of(*entries: str) -> tuple[str, ...]:
    """These modules and all that they import, each once, what is imported first: a browser told of them asks at once.

    Left to itself it finds one level of imports after the other, and waits for each.

    Raises:
        FileNotFoundError: a module is not there.
    """
    found: dict[str, None] = {}

    def visit(path: str) -> None:
        if path in found:
            return
        found[path] = None
        for name in IMPORT.findall((STATIC_FOLDER / path).read_text("utf-8")):
            visit(posixpath.normpath(posixpath.join(posixpath.dirname(path), name)))

    for entry in entries:
        visit(entry)
    return tuple(static_url(path) for path in found)


class HashedStaticFiles(StaticFiles):
    """Serves ``/<hash>/<path>``: for ever where the hash is today's, unkept where it is an older page's."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC_FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with the caching that its address allows."""
        named, _, rest = path.partition("/")
        if not rest:
            raise HTTPException(404)
        response = await super().get_response(rest, scope)
        fresh = named == tree_hash()
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR_S}, immutable" if fresh else "no-cache"
        return response
