"""Where an agency is reached and with which secret: kept out of descriptors, logs and error texts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field


class EndpointError(Exception):
    """No address is configured for an agency; the message names the variable to set."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Address of an agency: an HTTPS root, a folder (path or ``file://``), an ``sftp://`` or a SQLAlchemy URL.

    ``secret`` is the bearer token, the password or the text of a private key. ``ca_file`` is a PEM file of the
    authority that signed the agency's certificate; without it the system's authorities are trusted. ``host_key`` is
    the known_hosts lines of an SFTP server: without a matching one it is not talked to.
    """

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    host_key: str | None = None

    @property
    def shown(self) -> str:
        """The address without user and password, fit for logs and errors."""
        return re.sub(r"//[^/@]*@", "//", self.url.partition("?")[0])


def endpoint_from_environment(agency_id: str, environment: Mapping[str, str] | None = None) -> Endpoint:
    """Build an endpoint from ``DISCLOSURE_<AGENCY>_URL``, ``_SECRET``, ``_CA_FILE`` and ``_HOST_KEY``.

    Raises EndpointError without URL.
    """
    values = os.environ if environment is None else environment
    prefix = f"DISCLOSURE_{agency_id.upper()}"
    url = values.get(f"{prefix}_URL")
    if not url:
        raise EndpointError(f"agency {agency_id}: set {prefix}_URL to where it is reached")
    secret, ca_file, host_key = (values.get(f"{prefix}_{name}") or None for name in ("SECRET", "CA_FILE", "HOST_KEY"))
    return Endpoint(url, secret, ca_file, host_key)


def find_endpoint(agency_id: str) -> Endpoint | None:
    """Return the endpoint of the environment, null where no address is set."""
    try:
        return endpoint_from_environment(agency_id)
    except EndpointError:
        return None
