"""Several kinds of credentials at once: tried in order, the first that finds its own decides."""

from __future__ import annotations

import pytest

from rest_kit.authentication import (
    ApiKeyAuthentication,
    JWTAuthentication,
    RemoteUserAuthentication,
    SessionAuthentication,
    TokenAuthentication,
    Tokens,
)
from rest_kit.signing import weakness
from tests.auth.support import SECRET, Home
from tests.http.support import Client, problem


@pytest.fixture
def tokens(home: Home) -> Tokens:
    """Where the tokens of the home's users are kept."""
    return Tokens(home.tokens(), home.users)


@pytest.fixture
def client(home: Home, tokens: Tokens) -> Client:
    """A client of an application that takes nearly everything."""
    return home.client(
        TokenAuthentication(tokens),
        ApiKeyAuthentication(tokens),
        JWTAuthentication(home.users),
        SessionAuthentication(home.users),
        RemoteUserAuthentication(home.users),
    )


def test_each_kind_lets_its_user_in(home: Home, client: Client, tokens: Tokens) -> None:
    key = tokens.create(1).key
    assert client.get("/whoami", Authorization=f"Token {key}").json["name"] == "ada"
    assert client.get("/whoami", X_API_Key=key).json["name"] == "ada"
    assert client.get("/whoami", environ={"REMOTE_USER": "bob"}).json["name"] == "bob"


def test_the_first_that_finds_its_own_decides(client: Client, tokens: Tokens) -> None:
    one, two = tokens.create(1).key, tokens.create(2).key
    assert client.get("/whoami", X_API_Key=one, Authorization=f"Token {two}").json["name"] == "bob"
    assert client.get("/things/", X_API_Key=one, Authorization="Token wrong").status_int == 401
    assert client.get("/things/", X_API_Key="wrong", environ={"REMOTE_USER": "ada"}).status_int == 401


def test_a_refusal_names_every_way_in(client: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        reply = client.get("/things/", **headers)
        assert reply.status_int == 401
        assert [one.split()[0] for one in reply.headers.getall("WWW-Authenticate")] == [
            "Token",
            "ApiKey",
            "Bearer",
            "Session",
            "RemoteUser",
        ]
        assert reply.headers["Vary"] == "Authorization, X-API-Key, Cookie"


def test_an_unknown_scheme_is_nobodys_credentials(client: Client) -> None:
    problem(client.get("/things/", Authorization="Negotiate abc"), 401, "not-authenticated")
    assert client.get("/whoami", Authorization="Negotiate abc").json["name"] == ""


def test_credentials_that_are_not_good_are_refused_where_nobody_needs_any(client: Client) -> None:
    problem(client.get("/whoami", Authorization="Token wrong"), 401, "authentication-failed")


@pytest.mark.parametrize(
    "secret", ["", "short", "secret", "changeme", "password123", "SecretSecretSecret", "test" * 8, "0" * 40]
)
def test_secrets_that_can_be_guessed(secret: str) -> None:
    assert weakness(secret.encode())


def test_secrets_that_cannot() -> None:
    for secret in (SECRET, "9944b09199c62bcf9418ad846dd0e4bb", "a secret of a few words and more"):
        assert weakness(secret.encode()) == ""
