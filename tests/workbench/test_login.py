"""Passwords, sessions and lock-out: who comes in, and for how long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from browsing import PASSWORD, Browser, Clock
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pipeline import accounts
from pipeline.accounts import IDLE, LOCKED, LONGEST, TRIES, AccountRefused
from pipeline.office import Office
from store.accounts import Role
from workbench.door import COOKIE

Enter = Callable[..., Browser]


def attempt(browser: Browser, name: str, password: str, **more: str) -> int:
    return browser.client.post("/login", data={"name": name, "password": password} | more).status_code


def test_each_password_is_kept_with_a_salt_of_its_own_and_never_as_it_is(kept_password: str) -> None:
    again = accounts.hash_password(PASSWORD)
    assert again != kept_password and PASSWORD not in again
    assert accounts.password_fits(PASSWORD, again) and accounts.password_fits(PASSWORD, kept_password)
    assert not accounts.password_fits(PASSWORD + " ", again)


def test_a_short_password_and_an_account_that_nobody_could_use_are_refused(office: Office) -> None:
    for refused in (
        {"role": Role.PLATFORM, "password": "too short"},
        {"role": Role.PLATFORM, "agency": "aic", "password": PASSWORD},
        {"role": Role.AGENCY, "password": PASSWORD},
        {"role": Role.PLATFORM},
    ):
        with pytest.raises(AccountRefused):
            accounts.add_account(office, "王某", **refused)  # type: ignore[arg-type]


def test_one_person_has_one_account_however_the_name_is_spelt(office: Office, platform: Browser) -> None:
    with pytest.raises(AccountRefused, match="already"):
        accounts.add_account(office, " 王平台 ", role=Role.APPROVER, airflow_user="wang")


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(anonymous: Browser, platform: Browser) -> None:
    answer = anonymous.client.post("/login", data={"name": "王平台", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "secure" not in cookie


def test_behind_tls_the_cookie_never_travels_without_it(app: FastAPI, platform: Browser) -> None:
    client = TestClient(app, base_url="https://workbench.invalid", follow_redirects=False)
    answer = client.post("/login", data={"name": "王平台", "password": PASSWORD})
    assert "secure" in answer.headers["set-cookie"].lower()


def test_the_database_holds_no_token(office: Office, platform: Browser) -> None:
    token = platform.client.cookies[COOKIE]
    with office.engine.connect() as connection:
        [kept] = connection.scalars(sa.text("SELECT token_sha256 FROM web_session"))
    assert kept != token and len(kept) == 64


def test_an_unknown_name_and_a_wrong_password_are_answered_alike(anonymous: Browser, platform: Browser) -> None:
    wrong, unknown = (
        anonymous.client.post("/login", data={"name": name, "password": "not the password"})
        for name in ("王平台", "没有此人")
    )
    assert (wrong.status_code, wrong.text) == (unknown.status_code, unknown.text)
    assert wrong.status_code == 401


def test_after_too_many_wrong_passwords_the_right_one_has_to_wait(
    anonymous: Browser, platform: Browser, clock: Clock
) -> None:
    assert {attempt(anonymous, "王平台", "wrong") for _ in range(TRIES)} == {401}
    assert attempt(anonymous, "王平台", PASSWORD) == 401
    clock.pass_(LOCKED)
    assert attempt(anonymous, "王平台", PASSWORD) == 303


def test_a_right_password_forgets_the_wrong_ones_before_it(anonymous: Browser, platform: Browser) -> None:
    for _ in range(2):
        assert {attempt(anonymous, "王平台", "wrong") for _ in range(TRIES - 1)} == {401}
        assert attempt(anonymous, "王平台", PASSWORD) == 303


def test_a_session_ends_when_it_is_not_used_and_after_a_working_day(platform: Browser, clock: Clock) -> None:
    for _ in range(LONGEST // IDLE):
        assert platform.get("/").status_code == 200
        clock.pass_(IDLE)
    assert platform.get("/").status_code == 200
    clock.pass_(IDLE * 0.5)
    assert platform.get("/").headers["location"].startswith("/login")


def test_an_unused_session_ends(platform: Browser, clock: Clock) -> None:
    clock.pass_(IDLE * 1.01)
    assert platform.get("/").status_code == 303


def test_logging_out_ends_the_session_for_whoever_has_the_token(app: FastAPI, platform: Browser) -> None:
    thief = Browser(TestClient(app, follow_redirects=False, cookies={COOKIE: platform.client.cookies[COOKIE]}))
    assert thief.get("/").status_code == 200
    assert platform.post("/logout").headers["location"] == "/login"
    assert thief.get("/").status_code == 303


def test_a_new_password_and_a_closed_account_end_every_session(office: Office, log_in: Enter) -> None:
    one, other = log_in("甲", Role.AUDITOR), log_in("乙", Role.AUDITOR)
    accounts.change_password(office, "甲", "another long password")
    accounts.set_disabled(office, "乙", disabled=True)
    assert one.get("/").status_code == other.get("/").status_code == 303
    assert attempt(one, "甲", "another long password") == 303
    assert attempt(other, "乙", PASSWORD) == 401


@pytest.mark.parametrize(
    ("wanted", "goal"),
    [
        ("/holds?state=open", "/holds?state=open"),
        ("", "/"),
        ("//elsewhere.invalid/", "/"),
        ("/\\elsewhere.invalid", "/"),
        ("https://elsewhere.invalid", "/"),
    ],
)
def test_a_login_leads_back_but_never_to_another_host(
    anonymous: Browser, platform: Browser, wanted: str, goal: str
) -> None:
    answer = anonymous.client.post("/login", data={"name": "王平台", "password": PASSWORD, "next": wanted})
    assert answer.headers["location"] == goal


def test_a_page_without_a_session_asks_to_log_in_and_remembers_the_way(anonymous: Browser) -> None:
    assert anonymous.get("/holds", state="open").headers["location"] == "/login?next=%2Fholds%3Fstate%3Dopen"
