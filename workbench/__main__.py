"""``python -m workbench``: serve the workbench of the office that the environment names.

Requests are not logged: their addresses hold what somebody searched for.
"""

from __future__ import annotations

import argparse

import uvicorn

from pipeline.office import open_office
from workbench.app import create_app


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m workbench")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8070)
    given = parser.parse_args()
    # https is what the proxy says, where it is one of FORWARDED_ALLOW_IPS (default: this machine)
    uvicorn.run(
        create_app(open_office()), host=given.host, port=given.port, access_log=False, log_level="warning",
        server_header=False, proxy_headers=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
