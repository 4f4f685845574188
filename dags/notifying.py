"""How a digest leaves Airflow: by mail through the SMTP provider's notifier, by web hook through one of our own.

A channel is there when its connection is: ``disclosure_mail`` (an SMTP connection; of its extra ``office`` names the
stewards' addresses, joined by commas, and ``to_agencies`` allows mail to the agencies' contacts) and
``disclosure_webhook`` (host: the whole https address; password: a bearer token, if it wants one; extra ``ca_file``).

Notifiers are called by ``notify``: what they raise fails the task, and no text is rendered as a template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import BaseNotifier, Connection
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.digests import Digest, Senders

MAIL: Final = "disclosure_mail"
WEBHOOK: Final = "disclosure_webhook"
_PATIENCE: Final = 20


class WebhookNotifier(BaseNotifier):
    """Post a message as JSON to the address of a connection; any answer but 2xx raises ``requests.HTTPError``."""

    def __init__(self, message: dict[str, Any], conn_id: str = WEBHOOK) -> None:
        """Take the message."""
        super().__init__()
        self.message = message
        self.conn_id = conn_id

    def notify(self, context: Any) -> None:  # noqa: ARG002 (as the base class has it)
        """Post the message once."""
        import requests  # noqa: PLC0415 - not while a DAG file is parsed

        connection = Connection.get(self.conn_id)
        if not (connection.host or "").startswith(("https://", "http://127.0.0.1:")):
            msg = f"connection {self.conn_id} needs an https address as its host"
            raise AirflowFailException(msg)
        headers = {"Authorization": f"Bearer {connection.password}"} if connection.password else {}
        answer = requests.post(
            connection.host, json=self.message, headers=headers, timeout=_PATIENCE, allow_redirects=False,
            verify=connection.extra_dejson.get("ca_file") or True,
        )  # fmt: skip
        answer.raise_for_status()
        if answer.is_redirect:
            msg = f"connection {self.conn_id} leads elsewhere: put the final address there"
            raise AirflowFailException(msg)


def senders(context: Any) -> Senders:
    """Return how a digest goes out by each channel whose connection exists."""
    found: dict[Any, Callable[[Digest], None]] = {}
    if (mail := _connection(MAIL)) is not None:
        found["mail"] = _by_mail(mail, context)
    if _connection(WEBHOOK) is not None:
        found["webhook"] = lambda digest: WebhookNotifier(digest.as_json()).notify(context)
    return found


def _by_mail(connection: Any, context: Any) -> Callable[[Digest], None]:
    office = tuple(each.strip() for each in str(connection.extra_dejson.get("office", "")).split(",") if each.strip())
    to_agencies = connection.extra_dejson.get("to_agencies") is True

    def send(digest: Digest) -> None:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier  # noqa: PLC0415 - not while parsing

        to = digest.addresses if to_agencies else ()
        if not digest.addresses:
            to = office
        if to:
            SmtpNotifier(to=list(to), subject=digest.subject, html_content=digest.html(), smtp_conn_id=MAIL).notify(
                context
            )

    return send


def _connection(conn_id: str) -> Any | None:
    try:
        return Connection.get(conn_id)
    except AirflowNotFoundException:
        return None
