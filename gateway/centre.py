"""How does the gateway speak to the centre?

One HTTP client with the gateway's token for uplink, orders, printing and heartbeat, and one family of errors:

    CentreError
    ├── CentreUnreachableError   no answer: cut network, time-out, TLS; the same for every request
    └── CentreRefusalError       an answer that is no success, with the centre's Problem where it sent one
"""

import ssl
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version

import httpx

from ecg_center.contract.base import Message
from ecg_center.contract.upload import Problem
from gateway.retry import is_final
from gateway.settings import GatewaySettings

CONNECT_S = 10.0
"""TCP and TLS over a bad 4G link take up to three seconds; more than ten means that there is no link."""

ANSWER_S = 30.0
"""The centre answers an upload chunk after its own fsync; half a minute without a byte is a dead connection."""

MAX_CONNECTIONS = 16


class CentreError(Exception):
    """The centre did not do what was asked."""


class CentreUnreachableError(CentreError):
    """No answer came from the centre."""


class CentreRefusalError(CentreError):
    """The centre answered, but not with success."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.problem = _problem(response)
        self.retry_after_s = _retry_after_s(response)
        said = self.problem.detail if self.problem else response.text[:200]
        super().__init__(f"{response.request.method} {response.request.url.path}: HTTP {self.status} {said}".rstrip())

    @property
    def final(self) -> bool:
        """Whether only a person can help."""
        return is_final(self.status, self.problem)


class Centre:
    """The centre's API."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._client = httpx.AsyncClient(
            base_url=settings.centre_url,
            headers={
                "Authorization": f"Bearer {settings.token.get_secret_value()}",
                "User-Agent": f"ecg-gateway/{gateway_version()}",
            },
            verify=tls_context(settings),
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, keepalive_expiry=60),
            trust_env=False,
        )

    async def close(self) -> None:
        """End the connections."""
        await self._client.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Message | None = None,
        content: bytes | None = None,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        answer_s: float = ANSWER_S,
    ) -> httpx.Response:
        """The answer, a success or 304.

        Raises:
            CentreUnreachableError, CentreRefusalError
        """
        sent = dict(headers or {})
        if body is not None:
            content = body.model_dump_json().encode()
            sent["Content-Type"] = "application/json"
        timeout = httpx.Timeout(answer_s, connect=CONNECT_S)
        try:
            response = await self._client.request(
                method, path, content=content, params=params, headers=sent, timeout=timeout
            )
        except httpx.HTTPError as error:
            raise CentreUnreachableError(f"{method} {path}: {type(error).__name__} {error}".rstrip()) from error
        if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
            return response
        raise CentreRefusalError(response)


def gateway_version() -> str:
    """The version of this program."""
    try:
        return version("ecg-center")
    except PackageNotFoundError:
        return "0"


def tls_context(settings: GatewaySettings) -> ssl.SSLContext:
    """How the centre's certificate is checked: always, by the public CAs or by the one configured."""
    return ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)


def _problem(response: httpx.Response) -> Problem | None:
    try:
        return Problem.model_validate_json(response.content)
    except ValueError:
        return None


def _retry_after_s(response: httpx.Response) -> float | None:
    """``Retry-After`` in seconds, whether it came as a number or as a date (RFC 9110 section 10.2.3)."""
    said = response.headers.get("Retry-After", "").strip()
    if not said:
        return None
    if said.isdigit():
        return float(said)
    try:
        until, now = parsedate_to_datetime(said), parsedate_to_datetime(response.headers["Date"])
    except (ValueError, KeyError, TypeError):
        return None
    return max(0.0, (until - now).total_seconds())
