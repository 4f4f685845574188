"""Dated files in a folder of an agency's SFTP server; what counts as a file is said in ``dated_files``.

The endpoint is ``sftp://user@host[:port][/folder]``; its secret is the password, or the whole text of a private key
(OpenSSH or PEM, without passphrase). ``host_key`` holds the server's known_hosts lines as the agency handed them over
by another channel (RFC 4253, 4.1: a key that is not verified protects from nothing). A key that is not among them is
refused before any secret is sent; nothing is ever added by itself.

A connection that breaks is made again, and a file goes on behind the last byte that came; only attempts that bring
no new byte are counted. Files are fetched one by one into a temporary folder and removed when they have been kept.
"""

from __future__ import annotations

import contextlib
import io
import logging
import stat
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import unquote, urlsplit

import paramiko
from paramiko.hostkeys import HostKeyEntry

from connectors.descriptor import Sftp, Stream
from connectors.endpoint import Endpoint
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, Cursor, Piece, Reason
from connectors.transports.dated_files import pull_dated_files
from connectors.transports.patience import asked_patiently

_PORT: Final = 22
_PIECE_BYTES: Final = 1 << 15
"""What one request may ask for at most by every server (SFTP draft 3, section 3)."""
_KEY_TYPES: Final[tuple[type[paramiko.PKey], ...]] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_OF_ONE_FILE: Final = (FileNotFoundError, PermissionError)

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # what goes wrong is raised; it need not be told twice

T = TypeVar("T")


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield each finished file dated up to ``as_of`` that was not handed over before, by date and name."""
    options = stream.transport
    if not isinstance(options, Sftp):
        raise TypeError(f"stream {stream.id} is not read from an SFTP server")
    with (
        tempfile.TemporaryDirectory(prefix="disclosure-sftp-") as spool,
        contextlib.closing(_RemoteFolder(endpoint, stream, options, Path(spool))) as folder,
    ):
        yield from pull_dated_files(folder, options.pattern, cursor=cursor, as_of=as_of)


class _RemoteFolder:
    """The folder of an endpoint, with a connection that is made when it is needed and made again when it breaks."""

    def __init__(self, endpoint: Endpoint, stream: Stream, options: Sftp, spool: Path) -> None:
        self._login = _Login(endpoint, options)
        self._retries = stream.retries
        self._spool = spool
        path = unquote(urlsplit(endpoint.url).path).rstrip("/")
        self._root = "/".join(filter(None, (path, options.folder))) or "."
        self._client: paramiko.SSHClient | None = None
        self._sftp: paramiko.SFTPClient | None = None

    def close(self) -> None:
        """Hang up."""
        if self._client:
            self._client.close()
        self._client = self._sftp = None

    def names(self) -> set[str]:
        try:
            listed = self._asked(lambda sftp: sftp.listdir_attr(self._root))
        except _OF_ONE_FILE as error:
            raise AgencyRefused(
                f"{self._login.shown}: folder {self._root} cannot be listed ({error.strerror}): have the agency check"
                " that it exists and that this account may read it",
                Reason.RIGHT if isinstance(error, PermissionError) else Reason.ADDRESS,
            ) from error
        return {entry.filename for entry in listed if not stat.S_ISDIR(entry.st_mode or 0)}

    def read(self, name: str, most: int) -> bytes:
        def read(sftp: paramiko.SFTPClient) -> bytes:
            with sftp.open(self._path(name), "rb") as file:
                return file.read(most)

        return self._asked(read)

    def size(self, name: str) -> int:
        return self._asked(lambda sftp: sftp.stat(self._path(name)).st_size or 0)

    def fetch(self, name: str, size: int) -> Path:
        part = self._spool / "part"
        part.write_bytes(b"")

        def read_on(sftp: paramiko.SFTPClient) -> None:
            with sftp.open(self._path(name), "rb") as remote, part.open("ab") as local:
                remote.seek(local.tell())
                remote.prefetch(size, max_concurrent_requests=64)
                while (missing := size - local.tell()) and (piece := remote.read(min(missing, _PIECE_BYTES))):
                    local.write(piece)

        def got_to_the_end() -> bool:
            before = part.stat().st_size
            try:
                self._once(read_on)
            except AgencyUnavailable:
                if part.stat().st_size == before:
                    raise
                return False
            return True

        while not asked_patiently(got_to_the_end, self._retries):
            pass  # the connection broke, but it brought some bytes: only attempts that bring none are counted
        whole = Path(tempfile.mkdtemp(dir=self._spool)) / "file"
        return part.rename(whole)

    def release(self, path: Path) -> None:
        path.unlink()
        path.parent.rmdir()

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _asked(self, work: Callable[[paramiko.SFTPClient], T]) -> T:
        """Do something over the connection, after a break over a new one."""
        return asked_patiently(lambda: self._once(work), self._retries)

    def _once(self, work: Callable[[paramiko.SFTPClient], T]) -> T:
        try:
            if self._sftp is None:
                self._client, self._sftp = self._login.connect()
            return work(self._sftp)
        except _OF_ONE_FILE:
            raise
        except (paramiko.SSHException, EOFError, OSError) as error:
            self.close()
            reason = Reason.TIMEOUT if isinstance(error, TimeoutError) else Reason.CONNECTION
            what = f"{self._login.shown}: the connection broke ({type(error).__name__})"
            raise AgencyUnavailable(what, reason=reason) from error


class _UnknownHostKeyError(Exception):
    """The server shows a key for which the endpoint holds no line."""

    def __init__(self, key: paramiko.PKey) -> None:
        super().__init__(key.fingerprint)
        self.key = key


class _Refuse(paramiko.MissingHostKeyPolicy):
    """Never talk on with a server that is not known."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:  # noqa: ARG002
        raise _UnknownHostKeyError(key)


class _Login:
    """Who logs in where, with which secret, and by which key the server is known."""

    def __init__(self, endpoint: Endpoint, options: Sftp) -> None:
        address = urlsplit(endpoint.url)
        try:
            port = address.port or _PORT
        except ValueError:
            port = 0
        if address.scheme != "sftp" or not address.hostname or not address.username or not port or address.password:
            raise AgencyRefused(
                "the address must be sftp://user@host[:port][/folder], the password its secret", Reason.ADDRESS
            )
        if not endpoint.secret:
            what = f"{endpoint.shown}: no password or private key: set the secret of this connection"
            raise AgencyRefused(what, Reason.CREDENTIAL)
        self.shown = endpoint.shown
        self._host, self._port, self._user = address.hostname, port, unquote(address.username)
        self._options = options
        self._key = _private_key(endpoint) if "PRIVATE KEY-----" in endpoint.secret else None
        self._password = None if self._key else endpoint.secret
        self._known = _known_keys(endpoint, self._host if port == _PORT else f"[{self._host}]:{port}")

    def connect(self) -> tuple[paramiko.SSHClient, paramiko.SFTPClient]:
        """Log in. Raises AgencyRefused where the host key, the user or the secret is wrong."""
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(_Refuse())
        known = client.get_host_keys()
        for entry in self._known:
            for name in entry.hostnames or ():
                known.add(name, entry.key.get_name(), entry.key)
        timeout = self._options.connect_timeout
        try:
            client.connect(
                self._host,
                self._port,
                self._user,
                password=self._password,
                pkey=self._key,
                allow_agent=False,
                look_for_keys=False,
                timeout=timeout,
                banner_timeout=timeout,
                auth_timeout=timeout,
                channel_timeout=timeout,
            )
            sftp = client.open_sftp()
            if channel := sftp.get_channel():
                channel.settimeout(self._options.read_timeout)
        except BaseException as error:
            client.close()
            raise self._refusal(error) or error from error
        return client, sftp

    def _refusal(self, error: BaseException) -> AgencyRefused | None:
        match error:
            case _UnknownHostKeyError():
                return self._other_key(error.key, "the endpoint holds no key for this host")
            case paramiko.BadHostKeyException():
                expected = error.expected_key
                return self._other_key(error.key, f"the endpoint holds {expected.get_name()} {expected.fingerprint}")
            case paramiko.AuthenticationException():
                kind = "private key" if self._key else "password"
                what = f"{self.shown}: user or {kind} is refused: renew the secret of this connection"
                return AgencyRefused(what, Reason.CREDENTIAL)
        return None

    def _other_key(self, shown: paramiko.PKey, held: str) -> AgencyRefused:
        return AgencyRefused(
            f"{self.shown}: the server shows host key {shown.get_name()} {shown.fingerprint}, {held}: compare with the"
            " fingerprint that the agency gives by telephone or letter; only if it is the one shown, put its"
            " known_hosts line into host_key of this connection, else somebody else answers in its place",
            Reason.TRUST,
        )


def _known_keys(endpoint: Endpoint, host: str) -> list[HostKeyEntry]:
    entries = []
    for number, line in enumerate((endpoint.host_key or "").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith(("ssh-", "ecdsa-")):
            text = f"{host} {text}"
        try:
            entry = HostKeyEntry.from_line(text)
        except (paramiko.SSHException, ValueError):
            entry = None
        if entry is None or not entry.key:
            what = f"{endpoint.shown}: line {number} of host_key is no known_hosts line (host, type, base64)"
            raise AgencyRefused(what, Reason.TRUST)
        entries.append(entry)
    return entries


def _private_key(endpoint: Endpoint) -> paramiko.PKey:
    for kind in _KEY_TYPES:
        try:
            return kind.from_private_key(io.StringIO(endpoint.secret))
        except (paramiko.SSHException, ValueError):
            continue
    what = f"{endpoint.shown}: the private key cannot be read: it must be Ed25519, ECDSA or RSA, without passphrase"
    raise AgencyRefused(what, Reason.CREDENTIAL)
