"""Where an agency is reached: an Airflow connection becomes a connector's endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from connectors.endpoint import Endpoint


def agency_endpoint(agency: str) -> Endpoint:
    """Return the endpoint in connection ``agency_<agency>``.

    The connection's host is the whole address without its secret (``https://...``, a database URL or a folder), its
    password is the secret (token or database password), and ``ca_file`` in its extra names the certificate authority
    file to trust. Raises ``AirflowNotFoundException`` when there is no such connection and ``AirflowFailException``
    when it has no host.
    """
    from connectors.endpoint import Endpoint  # noqa: PLC0415 - not while a DAG file is parsed

    connection = Connection.get(f"agency_{agency}")
    if not connection.host:
        msg = f"connection agency_{agency} has no host: put the agency's address there"
        raise AirflowFailException(msg)
    return Endpoint(
        url=connection.host,
        secret=connection.password,
        ca_file=connection.extra_dejson.get("ca_file"),
    )
