"""``disclosure workbench``: serve the stewards' workbench, and say who may use it."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pipeline.commands.console import WRONG_USAGE, Json, answer, fail, out, table
from store.accounts import Role

app = typer.Typer(no_args_is_help=True, help="The stewards' workbench (数据员工作台).")
user_app = typer.Typer(no_args_is_help=True, help="Who may use the workbench, and as what.")
app.add_typer(user_app, name="user")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The person's name: decisions are entered under it.")]
Ask = Annotated[bool, typer.Option("--ask", help="Ask for a password instead of making one.")]


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 8070,
) -> None:
    """Serve the workbench until it is stopped. TLS is ended in front of it."""
    arguments = ["-m", "workbench", "--host", host, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 (own module; signals reach it)


@user_app.command("add")
def add(  # noqa: PLR0917 (Typer reads the parameters)
    name: Name,
    role: Annotated[Role, typer.Option("--role", help="What the person may do.")],
    agency: Annotated[str | None, typer.Option("--agency", help="The agency of an agency steward.")] = None,
    airflow_user: Annotated[
        str | None, typer.Option("--airflow-user", help="Name by which Airflow knows the person.")
    ] = None,
    ask: Ask = False,
    json_: Json = False,
) -> None:
    """Enter a person. Without --ask a password is made and shown once; exit 2 when the account is refused."""
    from connectors.descriptor import DescriptorError
    from pipeline import accounts
    from pipeline.office import open_office

    password = _asked() if ask else accounts.new_password()
    try:
        accounts.add_account(
            open_office(), name, role=role, agency=agency, password=password, airflow_user=airflow_user
        )
    except (accounts.AccountRefused, DescriptorError) as error:
        fail(error, WRONG_USAGE)
    _tell(name, None if ask else password, json_)


@user_app.command("password")
def password(name: Name, ask: Ask = False, json_: Json = False) -> None:
    """Give a person another password, unlock the account, end its sessions."""
    from pipeline import accounts
    from pipeline.office import open_office

    given = _asked() if ask else accounts.new_password()
    try:
        accounts.change_password(open_office(), name, given)
    except accounts.AccountRefused as error:
        fail(error, WRONG_USAGE)
    _tell(name, None if ask else given, json_)


@user_app.command("disable")
def disable(name: Name) -> None:
    """Close an account and end its sessions; what the person decided stays."""
    _set_disabled(name, disabled=True)


@user_app.command("enable")
def enable(name: Name) -> None:
    """Open a closed account again."""
    _set_disabled(name, disabled=False)


@user_app.command("list")
def list_(json_: Json = False) -> None:
    """List the accounts."""
    from pipeline import accounts
    from pipeline.office import open_office

    found = [
        {
            "name": each.person, "role": each.role.value, "agency": each.agency, "airflow_user": each.airflow_user,
            "password": each.password is not None, "locked_until": each.locked_until, "disabled": each.disabled,
        }
        for each in accounts.list_accounts(open_office())
    ]  # fmt: skip
    header = ["name", "role", "agency", "airflow user", "password", "locked until", "disabled"]
    answer(json_, found, lambda: table("accounts", header, [list(each.values()) for each in found]))


def _asked() -> str:
    return str(typer.prompt("password", hide_input=True, confirmation_prompt=True))


def _tell(name: str, made: str | None, as_json: bool) -> None:
    def show() -> None:
        out.print(f"{name}: " + ("password set" if made is None else f"password {made} (shown this once)"))

    answer(as_json, {"name": name} | ({} if made is None else {"password": made}), show)


def _set_disabled(name: str, *, disabled: bool) -> None:
    from pipeline import accounts
    from pipeline.office import open_office

    try:
        accounts.set_disabled(open_office(), name, disabled=disabled)
    except accounts.AccountRefused as error:
        fail(error, WRONG_USAGE)
    out.print(f"{name}: {'disabled' if disabled else 'enabled'}")
