"""A simulated SFTP server on loopback: one account, one folder that it cannot leave, read only, a fault switch."""

from __future__ import annotations

import errno
import hmac
import io
import os
import socket
import time
from collections import deque
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_FAILURE, SFTP_NO_SUCH_FILE, SFTP_PERMISSION_DENIED

from simulator.faults import Fault, FaultKind
from simulator.servers.dated_files import FOLDER_FAULTS, DropFolder, Row, Writer, as_csv
from simulator.servers.served import Served

USER: Final = "reader"
_AT_LOGIN: Final = (FaultKind.UNAUTHORIZED,)
_AT_CONNECT: Final = (FaultKind.WRONG_HOST_KEY,)
_AT_LISTING: Final = (FaultKind.STALE_LISTING, FaultKind.FORBIDDEN)
_AT_FILE: Final = (FaultKind.RESET, FaultKind.SLOW, FaultKind.FORBIDDEN)
_SIDE_FILES: Final = (".manifest.json", ".done")


def new_key() -> tuple[paramiko.PKey, str]:
    """Make an Ed25519 key; return it and its private half as OpenSSH text."""
    made = Ed25519PrivateKey.generate()
    text = made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return paramiko.Ed25519Key.from_private_key(io.StringIO(text)), text


class SftpServer(Served):
    """A server of the shape that :mod:`simulator.servers` describes.

    Logs ``reader`` in with ``password`` or, where one is given, with the private half of ``client_key``. Faults of
    the folder (:class:`DropFolder`) befall what is published. Of the server: ``WRONG_HOST_KEY`` at connecting,
    ``UNAUTHORIZED`` at login, ``STALE_LISTING`` at listing (what was listed before is listed again), and of the data
    file number ``page`` (by name, from 1; a listing is page 0) ``FORBIDDEN``, ``RESET`` in the middle of it and
    ``SLOW``. ``requests`` holds LIST, OPEN and, with the offset, the first READ of each opened file.
    """

    def __init__(self, folder: Path, password: str, *, port: int = 0, client_key: paramiko.PKey | None = None) -> None:
        """Bind to a port of loopback (0: any free one); nothing is answered before start."""
        self.drop: Final = DropFolder(folder)
        self.faults: Final = self.drop.faults
        self.requests: Final[deque[str]] = deque(maxlen=10_000)
        self._password = password
        self._client_key = client_key
        self._key, _ = new_key()
        self._other_key, _ = new_key()
        self._socket = socket.create_server(("127.0.0.1", port))
        self._socket.settimeout(0.05)
        self._port = int(self._socket.getsockname()[1])
        self._stopped = Event()
        self._thread = Thread(target=self._serve, daemon=True)
        self._transports: list[paramiko.Transport] = []
        self._listed: set[str] | None = None

    @property
    def able(self) -> frozenset[FaultKind]:
        """The faults that the server can show."""
        return frozenset((*FOLDER_FAULTS, *_AT_LOGIN, *_AT_CONNECT, *_AT_LISTING, *_AT_FILE))

    @property
    def url(self) -> str:
        """Address, fit for an endpoint."""
        return f"sftp://{USER}@127.0.0.1:{self._port}/"

    @property
    def host_key(self) -> str:
        """The known_hosts line, fit for an endpoint."""
        return f"[127.0.0.1]:{self._port} {self._key.get_name()} {self._key.get_base64()}"

    def start(self) -> None:
        """Answer from now on, in threads of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody and free the port."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()
        for transport in self._transports:
            transport.close()
            transport.join(5)

    def publish(
        self, path: str, day: date, rows: Sequence[Row], *, writer: Writer = as_csv, full_set: bool = False
    ) -> Path:
        """Write the file of a day; ``path`` is the pattern of the descriptor's transport."""
        return self.drop.publish(path, day, rows, writer=writer, full_set=full_set)

    def list_names(self) -> set[str]:
        """Return the names that a listing shows now."""
        fault = self.faults.strike(0, _AT_LISTING)
        if fault and fault.kind is FaultKind.FORBIDDEN:
            raise PermissionError(errno.EACCES, "Permission denied")
        if fault is None or self._listed is None:
            self._listed = {entry.name for entry in self.drop.folder.iterdir()}
        return self._listed

    def fault_of(self, name: str) -> Fault | None:
        """Return the fault that befalls the reading of a file."""
        if name.endswith(_SIDE_FILES):
            return None
        data = sorted(entry.name for entry in self.drop.folder.iterdir() if not entry.name.endswith(_SIDE_FILES))
        return self.faults.strike(data.index(name) + 1 if name in data else 0, _AT_FILE)

    def admits(self, *, password: str | None = None, key: paramiko.PKey | None = None) -> bool:
        """Say whether a secret opens the account."""
        if self.faults.strike(0, _AT_LOGIN):
            return False
        if key is not None:
            return key == self._client_key
        return hmac.compare_digest((password or "").encode(), self._password.encode())

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        self._transports.append(transport)
        transport.add_server_key(self._other_key if self.faults.strike(0, _AT_CONNECT) else self._key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _ReadOnlyFolder, server_of=self)
        try:
            transport.start_server(server=_Account(self, transport))
        except (paramiko.SSHException, EOFError, OSError):
            transport.close()


class _Account(paramiko.ServerInterface):
    """The one account: password or key, sessions for SFTP only."""

    def __init__(self, server: SftpServer, transport: paramiko.Transport) -> None:
        self._server = server
        self.transport = transport

    def check_auth_password(self, username: str, password: str) -> int:
        sound = username == USER and self._server.admits(password=password)
        return AUTH_SUCCESSFUL if sound else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        sound = username == USER and self._server.admits(key=key)
        return AUTH_SUCCESSFUL if sound else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        session = kind == "session"
        return OPEN_SUCCEEDED if session else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


class _ReadOnlyFolder(paramiko.SFTPServerInterface):
    """The folder as its root; no path leads out of it."""

    def __init__(self, server: _Account, *, server_of: SftpServer, **_: Any) -> None:
        super().__init__(server)
        self._transport = server.transport
        self._server = server_of

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        self._server.requests.append(f"LIST {self.canonicalize(path)}")
        try:
            if not self._local(path).is_dir():
                return SFTP_NO_SUCH_FILE
            return [self._attributes(name) for name in sorted(self._server.list_names())]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            local = self._local(path)
            return paramiko.SFTPAttributes.from_stat(local.stat(), local.name)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    lstat = stat

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:  # noqa: ARG002
        self._server.requests.append(f"OPEN {self.canonicalize(path)}")
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return SFTP_PERMISSION_DENIED
        local = self._local(path)
        fault = self._server.fault_of(local.name)
        if fault and fault.kind is FaultKind.FORBIDDEN:
            return SFTP_PERMISSION_DENIED
        try:
            return _File(local, fault, self._transport, self._server.requests)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def _attributes(self, name: str) -> paramiko.SFTPAttributes:
        attributes = self.stat(name)
        if isinstance(attributes, int):
            attributes = paramiko.SFTPAttributes()
            attributes.filename = name
        return attributes

    def _local(self, path: str) -> Path:
        return self._server.drop.folder / self.canonicalize(path).lstrip("/")


class _File(paramiko.SFTPHandle):
    """An open file, perhaps one that will not be read to its end."""

    def __init__(self, path: Path, fault: Fault | None, transport: paramiko.Transport, requests: deque[str]) -> None:
        super().__init__(os.O_RDONLY)
        self.readfile = path.open("rb")
        self._half = path.stat().st_size // 2
        self._fault = fault
        self._transport = transport
        self._name = path.name
        self._requests = requests
        self._begun = False

    def read(self, offset: int, length: int) -> bytes | int:
        if not self._begun:
            self._requests.append(f"READ /{self._name} from {offset}")
            self._begun = True
        if self._fault and self._fault.kind is FaultKind.SLOW:
            time.sleep(self._fault.seconds)
        if self._fault and self._fault.kind is FaultKind.RESET and offset + length > self._half:
            if offset >= self._half:
                self._transport.close()
                return SFTP_FAILURE
            length = self._half - offset
        return super().read(offset, length)
