"""Which TCP port on this machine can a server of ours take?"""

import socket
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"


def free_port(avoid: Iterable[int] = ()) -> int:
    """A port on 127.0.0.1 that nothing listens on now, not one of ``avoid``."""
    taken = set(avoid)
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1 at ``port`` now."""
    with socket.socket() as probe:
        # Servers set SO_REUSEADDR too: connections of an earlier run in TIME_WAIT do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def kept_or_free(kept: int | None, avoid: Iterable[int] = ()) -> int:
    """The port of the last start where it is still free, so that addresses stay; else a new one."""
    if kept is not None and kept not in set(avoid) and is_free(kept):
        return kept
    return free_port(avoid)
