"""How does a loop over millions of samples run at the machine's speed? numba, behind one typed decorator.

Only the Holter imports this: it costs 0.3 s and 60 MB, which the resting pre-read and the web have no use for (see
docs/adr/0007). What is compiled is kept in ``__pycache__`` beside its source, or, where that may not be written, in
``NUMBA_CACHE_DIR`` or the user's cache; where neither may be written it is compiled anew in each process.

numba notices a change of the file that holds a compiled function, not of another file that it takes functions or
constants from. A compiled function therefore calls only such of its own file, and of :data:`SHARED`, of which a change
is noticed here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

FAST: Final = {"contract", "reassoc", "arcp", "nsz"}
"""Sums may be taken in another order, which lets them run in parallel lanes; nan and infinity keep their meaning."""
FINITE: Final = FAST | {"nnan", "ninf"}
"""Maxima too: only where no value can be nan."""
SHARED: Final = Path(__file__).with_name("ranks.py")
"""The file whose compiled functions others may call."""


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, compiled at its first call and kept; it holds no lock while it runs.

    >>> @compiled
    ... def squares(n: int) -> int:
    ...     total = 0
    ...     for i in range(n):
    ...         total += i * i
    ...     return total
    >>> squares(10)
    285
    """
    return _compiled(function, FAST)


def compiled_finite(function: Callable[P, R]) -> Callable[P, R]:
    """As :func:`compiled`, for functions that never see nan or infinity, such as filters of whole numbers."""
    return _compiled(function, FINITE)


def _compiled(function: Callable[P, R], fast: set[str]) -> Callable[P, R]:
    try:
        kept = numba.njit(function, cache=True, nogil=True, fastmath=fast, error_model="numpy")
        _made_anew_with_shared(kept)
    except RuntimeError:  # nowhere to keep it
        kept = numba.njit(function, nogil=True, fastmath=fast, error_model="numpy")
    return cast("Callable[P, R]", kept)


def _made_anew_with_shared(kept: Any) -> None:
    """What is kept of a function is worth nothing any more once :data:`SHARED` has changed, as with its own file."""
    file = getattr(getattr(kept, "_cache", None), "_cache_file", None)
    if file is not None:  # none under NUMBA_DISABLE_JIT
        shared = SHARED.stat()
        file._source_stamp = (file._source_stamp, shared.st_mtime, shared.st_size)
