"""One question to an agency and its answer, asked patiently and politely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Literal, Self, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.auth import AuthBase

from connectors.descriptor import Retries, Stream
from connectors.descriptor.transports import HttpFacts
from connectors.endpoint import Endpoint
from connectors.http.answers import read_body, status_error
from connectors.transports.contract import AgencyError, AgencyRefused, AgencyUnavailable, Reason
from connectors.transports.patience import asked_patiently
from connectors.transports.politeness import wait_for_turn

T = TypeVar("T")

_TIMEOUTS: Final = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)
_BROKEN: Final = (
    requests.exceptions.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    urllib3.exceptions.HTTPError,
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: ``target`` is below the endpoint's root, or a whole URL of the same host.

    ``what`` is said in messages behind the address, e.g. ``page 3``; it holds no secret.
    """

    target: str
    what: str = ""
    method: Literal["GET", "POST"] = "GET"
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """An answer: the bytes as they came, ``kind`` is the content type, ``unchanged`` says that there are none (304).

    ``where`` names the question in messages. ``failed`` is what the status means, where the caller asked to see it.
    """

    content: bytes
    kind: str
    etag: str | None
    unchanged: bool
    url: str
    where: str
    failed: AgencyError | None = None


class HttpClient:
    """Asks one agency on behalf of one stream, with its token, timeouts, bounds, retries and rate.

    ``public`` says that there may be no token. Raises AgencyRefused for an address that is not https:// and for a
    missing token.
    """

    def __init__(self, stream: Stream, endpoint: Endpoint, facts: HttpFacts, *, public: bool = False) -> None:
        """Check the address; nothing is asked yet."""
        if not endpoint.url.startswith("https://"):
            message = f"{endpoint.shown}: only https:// is allowed for an API that is sent a token"
            raise AgencyRefused(message, Reason.ADDRESS)
        if not endpoint.secret and not public:
            message = f"{endpoint.shown}: no token is configured: set the secret of this connection"
            raise AgencyRefused(message, Reason.CREDENTIAL)
        self.endpoint: Final = endpoint
        self._facts: Final = facts
        self._retries: Final[Retries] = stream.retries
        self._rate: Final[float] = stream.rate
        self._session: Final = requests.Session()
        self._session.trust_env = False
        self._session.auth = _Bearer(endpoint.secret)

    def __enter__(self) -> Self:
        """Close the connections at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._session.close()

    def ask(self, question: Question, read: Callable[[Received], T]) -> T:
        """Return what ``read`` makes of the answer; the question is asked again while AgencyUnavailable is raised.

        ``read`` is part of an attempt: an answer that it finds cut off is asked for again.
        """
        return self.patiently(lambda: read(self.ask_once(question)))

    def patiently(self, attempt: Callable[[], T]) -> T:
        """Return what ``attempt`` returns, made again while it raises AgencyUnavailable."""
        return asked_patiently(attempt, self._retries)

    def ask_once(self, question: Question, *, see_failures: bool = False) -> Received:
        """Return the answer to a question that is asked once, when it is this host's turn.

        Raises what the status means, unless ``see_failures`` says that such an answer is read too (a SOAP fault comes
        with 500).
        """
        url = self.url_of(question.target)
        where = f"{Endpoint(url).shown} {question.what}".rstrip()
        wait_for_turn(url, self._rate)
        return self._answer(url, question, where, see_failures)

    def url_of(self, target: str) -> str:
        """Return the URL of a path below the endpoint's root, or of a whole URL; AgencyRefused for another host."""
        root = self.endpoint.url.rstrip("/")
        url = target if "://" in target else f"{root}{target}"
        if urlsplit(url)[:2] != urlsplit(root)[:2]:
            message = f"{self.endpoint.shown}: points to another host ({urlsplit(url).hostname}), which is not asked"
            raise AgencyRefused(message, Reason.ADDRESS)
        return url

    def _answer(self, url: str, question: Question, where: str, see_failures: bool) -> Received:
        facts = self._facts
        try:
            with self._session.request(
                question.method,
                url,
                params=dict(question.parameters),
                headers=dict(question.headers),
                data=question.body,
                timeout=(facts.connect_timeout, facts.read_timeout),
                verify=self.endpoint.ca_file or True,
                allow_redirects=False,
                stream=True,
            ) as answer:
                failed = status_error(answer, where)
                if failed and not see_failures:
                    raise failed
                content = read_body(answer, largest=facts.largest_page, longest=facts.longest_answer, where=where)
        except _TIMEOUTS as error:
            raise AgencyUnavailable(f"{where}: {type(error).__name__}", reason=Reason.TIMEOUT) from error
        except _BROKEN as error:
            raise _connection_error(error, where) from error
        except OSError as error:
            raise AgencyRefused(f"{where}: {error}", Reason.OTHER) from error
        return Received(
            content=content,
            kind=answer.headers.get("Content-Type", ""),
            etag=answer.headers.get("ETag"),
            unchanged=answer.status_code == 304,
            url=url,
            where=where,
            failed=failed,
        )


class _Bearer(AuthBase):
    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _connection_error(error: Exception, where: str) -> AgencyError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return AgencyRefused(f"{where}: the certificate is not trusted: check the CA file", Reason.TRUST)
    if "Read timed out" in str(error):
        return AgencyUnavailable(f"{where}: {type(error).__name__}", reason=Reason.TIMEOUT)
    return AgencyUnavailable(f"{where}: {type(error).__name__}", reason=Reason.CONNECTION)
