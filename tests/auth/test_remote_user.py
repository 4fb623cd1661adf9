"""Users whom the server has authenticated already."""

from __future__ import annotations

import pytest

from rest_kit.authentication import RemoteUserAuthentication
from rest_kit.errors import ConfigurationError
from tests.auth.support import Home
from tests.http.support import problem


def test_the_servers_word_is_taken(home: Home) -> None:
    client = home.client(RemoteUserAuthentication(home.users))
    assert client.get("/whoami", environ={"REMOTE_USER": "ada"}).json["name"] == "ada"
    assert client.get("/whoami").json["name"] == ""
    assert client.get("/things/").headers["WWW-Authenticate"] == 'RemoteUser realm="api"'


@pytest.mark.parametrize("name", ["nobody", "zoe", "\xff", "a" * 5000])
def test_whom_nobody_knows_is_refused(home: Home, name: str) -> None:
    client = home.client(RemoteUserAuthentication(home.users))
    problem(client.get("/things/", environ={"REMOTE_USER": name}), 401, "authentication-failed")


def test_without_users_the_name_is_all(home: Home) -> None:
    client = home.client(RemoteUserAuthentication())
    name = "zoë".encode().decode("latin-1")
    assert client.get("/whoami", environ={"REMOTE_USER": name}).json["name"] == "zoë"


def test_no_header_that_a_client_sends_is_believed(home: Home) -> None:
    client = home.client(RemoteUserAuthentication(home.users))
    for header in ("Remote_User", "REMOTE_USER", "X_Remote_User"):
        assert client.get("/things/", **{header: "ada"}).status_int == 401
    with pytest.raises(ConfigurationError, match="a header that any client can send; if a proxy sets it, say header="):
        RemoteUserAuthentication(variable="HTTP_X_REMOTE_USER")


def test_two_headers_are_nobody(home: Home) -> None:
    client = home.client(RemoteUserAuthentication(header="X-Forwarded-User"))
    problem(client.get("/whoami", X_Forwarded_User="ada,root"), 401, "authentication-failed")
    known = home.client(RemoteUserAuthentication())
    assert known.get("/whoami", environ={"REMOTE_USER": "CN=ada,O=home"}).json["name"] == "CN=ada,O=home"


def test_a_proxys_header_is_believed_where_it_is_said(home: Home) -> None:
    client = home.client(RemoteUserAuthentication(home.users, header="X-Forwarded-User"))
    reply = client.get("/whoami", X_Forwarded_User="ada")
    assert reply.json["name"] == "ada"
    assert reply.headers["Vary"] == "X-Forwarded-User"
    assert client.get("/things/", environ={"REMOTE_USER": "ada"}).status_int == 401
