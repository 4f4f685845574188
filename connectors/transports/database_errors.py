"""What a database driver's error means for a pull, by its code and without the statement that it stands beside."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from connectors.transports.contract import AgencyError, AgencyRefused, AgencyUnavailable, Reason

_LOGIN: Final = "user or password is wrong: renew the secret of this connection"
_RIGHT: Final = "the reader may not read this: have the agency grant SELECT on the table"
_ADDRESS: Final = "there is no such database: check the address of this connection"

_REFUSED: Final[dict[str | int, tuple[str, Reason]]] = {
    # SQLSTATE of PostgreSQL (appendix A of its manual)
    "28000": (_LOGIN, Reason.CREDENTIAL),
    "28P01": (_LOGIN, Reason.CREDENTIAL),
    "3D000": (_ADDRESS, Reason.ADDRESS),
    "42501": (_RIGHT, Reason.RIGHT),
    # error numbers of MariaDB and MySQL
    1044: (_RIGHT, Reason.RIGHT),
    1045: (_LOGIN, Reason.CREDENTIAL),
    1049: (_ADDRESS, Reason.ADDRESS),
    1142: (_RIGHT, Reason.RIGHT),
    1143: (_RIGHT, Reason.RIGHT),
    1698: (_LOGIN, Reason.CREDENTIAL),
}
_TEXTS: Final = {
    "authentication failed": _REFUSED["28P01"],
    'database "': _REFUSED["3D000"],
    "certificate verify failed": ("its certificate is not trusted: check ca_file", Reason.TRUST),
}
"""What PostgreSQL says before a session exists, when there is no SQLSTATE yet."""

_BUSY: Final = ("53300", "55P03", 1040, 1205, 1213)
_TIMEOUT: Final = ("57014", 1969, 3024)


def agency_error(error: sa.exc.SQLAlchemyError, shown: str) -> AgencyError:
    """Return the error to raise for a driver's; ``shown`` is the address without its secret."""
    cause = getattr(error, "orig", None)
    what = f"{shown}: {type(cause or error).__name__}"
    code = _code(cause)
    refused = _REFUSED.get(code) or next((said for text, said in _TEXTS.items() if text in str(cause)), None)
    if refused:
        words, reason = refused
        return AgencyRefused(f"{what}: {words}", reason)
    if isinstance(error, sa.exc.ProgrammingError):
        words = "the query was refused: check the descriptor and the rights of the reader"
        return AgencyRefused(f"{what}: {words}", Reason.INTERFACE)
    reason = Reason.BUSY if code in _BUSY else Reason.TIMEOUT if code in _TIMEOUT else Reason.CONNECTION
    return AgencyUnavailable(what, reason=reason)


def _code(cause: object) -> str | int:
    arguments = getattr(cause, "args", ())
    if arguments and isinstance(arguments[0], int):
        return arguments[0]
    sqlstate = getattr(cause, "sqlstate", None)
    return sqlstate if isinstance(sqlstate, str) else ""
