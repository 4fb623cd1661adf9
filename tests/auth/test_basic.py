"""HTTP Basic: discouraged, and read as RFC 7617 says."""

from __future__ import annotations

import base64

import pytest

from rest_kit.authentication import BasicAuthentication, DiscouragedWarning, Users
from rest_kit.errors import ConfigurationError
from rest_kit.passwords import hash_password
from tests.auth.support import CHEAP, PASSWORD, Home
from tests.http.support import Client, problem


@pytest.fixture
def client(home: Home) -> Client:
    """A client of an application that takes names and passwords."""
    home.change(2, password=hash_password("ключ:with:colons", method=CHEAP))
    with pytest.warns(DiscouragedWarning):
        basic = BasicAuthentication(home.users)
    return home.client(basic)


def basic(text: str, scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {base64.b64encode(text.encode()).decode()}"}


def test_it_says_that_there_are_better_ways(home: Home) -> None:
    with pytest.warns(DiscouragedWarning, match="over TLS alone, or use tokens"):
        BasicAuthentication(home.users)


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "Basic  "])
def test_name_and_password_let_a_user_in(client: Client, scheme: str) -> None:
    assert client.get("/whoami", **basic(f"ada:{PASSWORD}", scheme)).json["name"] == "ada"


def test_passwords_are_utf8_and_may_hold_colons(client: Client) -> None:
    assert client.get("/whoami", **basic("bob:ключ:with:colons")).json["name"] == "bob"


def test_the_challenge_names_the_charset(client: Client) -> None:
    reply = client.get("/things/")
    assert reply.status_int == 401
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="api", charset="UTF-8"'


@pytest.mark.parametrize(
    "credentials",
    [
        base64.b64encode(b"ada:wrong").decode(),
        base64.b64encode(b"zoe:correct horse").decode(),
        base64.b64encode(b"ada").decode(),
        base64.b64encode(b"").decode(),
        base64.b64encode(b":").decode(),
        base64.b64encode(b"ada:correct horse\n").decode(),
        base64.b64encode(b"ada\0:correct horse").decode(),
        base64.b64encode(b"\xff\xfe:x").decode(),
        "YWRhOmNvcnJlY3QgaG9yc2U",
        "YWRhOmNvcnJlY3QgaG9yc2U=====",
        "YWRhOm Nvcn JlY3QgaG9yc2U=",
        "!!!!",
        "ada:correct horse",
        "YWRh\xff",
        "A" * 5000,
        "YWRhOmNvcnJlY3QgaG9yc2U=, Basic YWRhOmNvcnJlY3QgaG9yc2U=",
    ],
)
def test_whatever_else_it_says_is_refused(client: Client, credentials: str) -> None:
    reply = client.get("/things/", Authorization=f"Basic {credentials}")
    problem(reply, 401, "authentication-failed")
    assert reply.headers["WWW-Authenticate"].startswith("Basic")


def test_a_header_of_another_name_or_scheme_is_none_of_it(client: Client) -> None:
    header = basic(f"ada:{PASSWORD}")["Authorization"]
    assert client.get("/things/", Authorization_Basic=header).status_int == 401
    reply = client.get("/things/", Authorization=header.replace("Basic", "Bearer"))
    problem(reply, 401, "not-authenticated")


def test_it_needs_users_with_names() -> None:
    with pytest.raises(ConfigurationError, match="takes Users"):
        BasicAuthentication(Users)  # type: ignore[arg-type]
