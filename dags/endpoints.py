"""Where an agency is reached: an Airflow connection becomes a connector's endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

if TYPE_CHECKING:
    from connectors.endpoint import Endpoint


def agency_endpoint(agency: str) -> Endpoint:
    """Return the endpoint in connection ``agency_<agency>``.

    The connection's host is the whole address without its secret (``https://...``, a database URL or a folder), its
    password is the secret (token or password). Of its extra, ``ca_file`` names the certificate authority file to
    trust, ``host_key`` holds the known_hosts lines of an SFTP server, and ``private_key`` takes the place of the
    password there. Raises ``AirflowNotFoundException`` when there is no such connection and ``AirflowFailException``
    when it has no host.
    """
    from connectors.endpoint import Endpoint  # noqa: PLC0415 - not while a DAG file is parsed

    connection = Connection.get(f"agency_{agency}")
    if not connection.host:
        msg = f"connection agency_{agency} has no host: put the agency's address there"
        raise AirflowFailException(msg)
    extra = connection.extra_dejson
    return Endpoint(
        url=connection.host,
        secret=extra.get("private_key") or connection.password,
        ca_file=extra.get("ca_file"),
        host_key=extra.get("host_key"),
    )


def find_agency_endpoint(agency: str) -> Endpoint | None:
    """Return the endpoint in connection ``agency_<agency>``, null where there is no such connection."""
    try:
        return agency_endpoint(agency)
    except AirflowNotFoundException:
        return None
