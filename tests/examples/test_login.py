"""Logging in, and what is behind the login, as far as a page of another origin will go with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.cli.support import Answer, ask
from tests.examples.support import EXAMPLES, copy_of, load, under_gunicorn
from tests.http.forms import FORM, File, form
from tests.http.support import Client, faults, problem

PAGE = "http://localhost:3000"
PASSWORD = "correct horse battery staple"
ADMIN = {"username": "admin", "password": PASSWORD}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example in a folder of its own, with an admin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REST_KIT_SECRET", "a secret of the tests, long enough")
    loaded = load(copy_of("login.py", tmp_path))
    loaded.users.create("admin", PASSWORD, is_admin=True)
    return loaded


@pytest.fixture
def client(module: ModuleType) -> Client:
    return Client(module.app)


def bearer(client: Client) -> dict[str, str]:
    """The header of somebody who is logged in."""
    given = client.post("/api/login", ADMIN).json
    assert (set(given), given["token_type"]) == ({"access_token", "token_type"}, "bearer")
    return {"Authorization": f"Bearer {given['access_token']}"}


def test_who_logs_in_is_said_hello_to(client: Client) -> None:
    assert client.get("/api/protected", **bearer(client)).json == {"message": "Hello admin"}


@pytest.mark.parametrize("wrong", [{"username": "admin", "password": "wrong"}, {"username": "eve", "password": "x"}])
def test_wrong_credentials(client: Client, wrong: Any) -> None:
    found = problem(client.post("/api/login", wrong), 401, "authentication-failed")
    assert found["detail"] == "Invalid credentials"


def test_without_a_token(client: Client) -> None:
    refused = client.get("/api/protected")
    problem(refused, 401, "not-authenticated")
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_an_invalid_token(client: Client) -> None:
    refused = client.get("/api/protected", Authorization="Bearer not.a.token")
    assert problem(refused, 401, "authentication-failed")["detail"] == "Invalid token"


def logged_in_before(client: Client, seconds: int) -> dict[str, str]:
    """The tokens of a login so long ago."""
    then = time.time() - seconds
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(time, "time", lambda: then)
        pair: dict[str, str] = client.post("/api/token/", ADMIN).json
    return pair


def test_a_token_expires_after_an_hour_and_is_refreshed(client: Client) -> None:
    pair = logged_in_before(client, 50 * 60)
    assert client.get("/api/protected", Authorization=f"Bearer {pair['access']}").status_int == 200
    pair = logged_in_before(client, 61 * 60)
    refused = client.get("/api/protected", Authorization=f"Bearer {pair['access']}")
    assert problem(refused, 401, "authentication-failed")["detail"] == "Token expired"
    new = client.post("/api/token/refresh/", {"refresh": pair["refresh"]}).json
    assert client.get("/api/protected", Authorization=f"Bearer {new['access']}").json == {"message": "Hello admin"}


def test_a_notification_is_sent_after_the_reply(client: Client, module: ModuleType, tmp_path: Path) -> None:
    reply = client.post("/api/send-notification", {"email": "ada@example.org", "text": "hello"}, **bearer(client))
    assert (reply.status_int, reply.json) == (200, {"message": "Notification will be sent"})
    module.app.background.wait()
    assert (tmp_path / "notifications.txt").read_text() == "ada@example.org: hello\n"


def test_a_notification_that_nobody_could_get_is_not_sent(client: Client, module: ModuleType, tmp_path: Path) -> None:
    headers = bearer(client)
    two_lines = {"email": "ada@example.org\nbob@example.org", "text": "one\ntwo"}
    refused = client.post("/api/send-notification", two_lines, **headers)
    assert faults(refused) == [("#/email", "regex"), ("#/text", "regex")]
    assert client.post("/api/send-notification", {"email": "ada@example.org"}).status_int == 401
    module.app.background.wait()
    assert not (tmp_path / "notifications.txt").exists()


def test_an_upload_is_weighed_and_not_kept(client: Client, tmp_path: Path) -> None:
    headers, before = bearer(client), sorted(os.listdir(tmp_path))
    body = form(("file", File("report.txt", "text/plain", b"x" * 1234)))
    assert client.post("/api/upload", body=body, type=FORM, **headers).json == {"filename": "report.txt", "size": 1234}
    other = form(("other", File("report.txt", "text/plain", b"x")))
    assert faults(client.post("/api/upload", body=other, type=FORM, **headers)) == [("#/file", "required")]
    assert client.post("/api/upload", {"file": "x"}, **headers).status_int == 415
    assert sorted(os.listdir(tmp_path)) == before


def test_a_page_of_the_allowed_origin_may_log_in_and_read_why_it_may_not(client: Client) -> None:
    asked = {"Origin": PAGE, "Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type"}
    preflight = client.options("/api/login", **asked)
    assert preflight.status_int == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Allow-Headers"] == "content-type"
    for reply in (client.post("/api/login", ADMIN, Origin=PAGE), client.get("/api/protected", Origin=PAGE)):
        assert reply.headers["Access-Control-Allow-Origin"] == PAGE
        assert reply.headers["Access-Control-Allow-Credentials"] == "true"
    other = client.get("/api/protected", Origin="http://localhost:4000")
    assert "Access-Control-Allow-Origin" not in other.headers


def test_several_workers_know_each_others_tokens(tmp_path: Path) -> None:
    admin = subprocess.run(
        [sys.executable, str(EXAMPLES / "login.py"), "admin"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent), "REST_KIT_SECRET": "another secret, long enough too"},
        capture_output=True,
        text=True,
        check=True,
    )
    with under_gunicorn("examples.login:app", tmp_path, "--workers", "3", "--threads", "4") as api:
        pair = ask(f"{api}/api/token/", "POST", {"username": "admin", "password": admin.stdout.strip()}).data
        headers = {"Authorization": f"Bearer {pair['access']}"}

        def hello(_: int) -> Answer:
            return ask(f"{api}/api/protected", **headers)

        def refresh(_: int) -> Answer:
            return ask(f"{api}/api/token/refresh/", "POST", {"refresh": pair["refresh"]})

        with ThreadPoolExecutor(6) as pool:
            assert [reply.data for reply in pool.map(hello, range(12))] == [{"message": "Hello admin"}] * 12
            assert sorted(reply.status for reply in pool.map(refresh, range(6))) == [200] + [401] * 5
        told = {"email": "ada@example.org"}
        assert ask(f"{api}/api/send-notification", "POST", told, **headers).status == 200
    assert (tmp_path / "notifications.txt").read_text() == "ada@example.org: something has happened\n"
