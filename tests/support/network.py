"""Free ports and waiting for what a server says."""

import socket
import time
from collections.abc import Callable

import pytest

from ecg_center.embedded import ports


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that answers a port on 127.0.0.1 that nothing listens on, a new one at each call."""
    given: set[int] = set()

    def another() -> int:
        port = ports.free_port(avoid=given)
        given.add(port)
        return port

    return another


def wait_listening(port: int, timeout_s: float = 10.0) -> None:
    """Wait until something accepts connections on 127.0.0.1 at ``port``."""
    wait_for(lambda: accepts(port), f"nothing listens on port {port}", timeout_s)


def wait_for(condition: Callable[[], bool], otherwise: str, timeout_s: float = 10.0) -> None:
    """Poll ``condition`` until it holds; fail the test with ``otherwise``."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{otherwise} after {timeout_s:.0f} s")
        time.sleep(0.02)


def accepts(port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False
