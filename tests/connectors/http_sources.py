"""Sources over HTTPS for tests: one simulated server each, with the stream that reads it and its endpoint."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import trustme

from connectors.descriptor import Retries, Stream, load_agency
from connectors.descriptor.transports import Transport
from simulator.servers.https import HttpsServer

TOKEN = "a-token-that-nobody-may-see"
QUICK = Retries(attempts=3, first_wait=0.01, longest_wait=2.0)


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def ca_file(folder: Path) -> str:
    path = folder / "ca.pem"
    authority().cert_pem.write_to_path(path)
    return str(path)


@contextmanager
def serving(kind: type[HttpsServer], token: str = TOKEN, **options: object) -> Iterator[HttpsServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1").configure_cert(tls)
    with kind(token, tls, **options) as server:
        yield server


def stream_of(transport: Transport, retries: Retries = QUICK) -> Stream:
    shipped = load_agency("aic").stream("licence")
    return shipped.model_copy(update={"rate": 10_000.0, "retries": retries, "transport": transport})
