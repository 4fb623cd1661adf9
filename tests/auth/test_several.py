"""Several kinds of credentials at once: tried in order, the first that finds its own decides."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from datastores import PythonListDataStore, SQLiteDataStore
from rest_kit.authentication import (
    ApiKeyAuthentication,
    JWTAuthentication,
    RemoteUserAuthentication,
    SessionAuthentication,
    SignedTokenAuthentication,
    TokenAuthentication,
    Tokens,
    UserModel,
    Users,
)
from rest_kit.controllers import WSGIDispatcher
from rest_kit.errors import ConfigurationError
from rest_kit.request import Request
from rest_kit.routes import Route
from rest_kit.signing import weakness
from tests.auth.support import SECRET, Home, Note, row, whoami
from tests.http.support import Client, over_list, problem


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


class Tables:
    """Members, of whom one has no password, and staff, of whom one has the same key and is an admin."""

    def __init__(self, label: str = "staff") -> None:
        self.members = Users(PythonListDataStore([row(1, "eve", password=None)]))
        self.staff = Users(PythonListDataStore([row(1, "root", password=None, is_admin=True)]), label=label)


def session_cookie(session: SessionAuthentication, request: Request) -> str:
    """What a browser sends of a session of user 1 from now on."""
    session.log_in(request, session.users.user(session.users.find("1")))
    return dict(request.headers)["Set-Cookie"].partition(";")[0].partition("=")[2]


@pytest.mark.parametrize("kind", ["jwt", "signed", "session"])
def test_what_lets_a_member_in_lets_nobody_of_the_staff_in(kind: str) -> None:
    tables = Tables()
    members: Any
    staff: Any
    if kind == "session":
        members, staff = SessionAuthentication(tables.members), SessionAuthentication(tables.staff, cookie="staff")
        make, header = partial(session_cookie, members), ("Cookie", "staff={}")
    else:
        cls = JWTAuthentication if kind == "jwt" else SignedTokenAuthentication
        members, staff = cls(tables.members), cls(tables.staff)
        make, header = (
            partial(members.access_token if kind == "jwt" else members.create, 1),
            ("Authorization", "Bearer {}"),
        )
    routes = [
        Route("/key", lambda request: {"key": make(request)}),
        Route("/members", whoami, authentication=[members]),
        Route("/staff", whoami, authentication=[staff]),
    ]
    client = Client(WSGIDispatcher([], secret=SECRET, routes=routes))
    key = client.get("/key").json["key"]
    name, text = header
    assert client.get("/members", **{name: text.format(key).replace("staff=", "session=")}).json["name"] == "eve"
    problem(client.get("/staff", **{name: text.format(key)}), 401, "authentication-failed")


def test_two_tables_with_one_label_are_refused() -> None:
    tables = Tables(label="users")
    for routes in ([Route("/staff", whoami, authentication=[JWTAuthentication(tables.staff)])], []):
        things = over_list([], model=Note, controller={"options": {"authentication": JWTAuthentication(tables.staff)}})
        with pytest.raises(ConfigurationError, match="both are labelled 'users'"):
            WSGIDispatcher([things], authentication=JWTAuthentication(tables.members), routes=routes, secret=SECRET)


@pytest.mark.parametrize("cls", [JWTAuthentication, SignedTokenAuthentication, SessionAuthentication])
def test_a_class_that_a_function_alone_knows_makes_nothing_for_another_table(cls: Any) -> None:
    tables = Tables(label="users")
    members = cls(tables.members)

    if cls is SessionAuthentication:
        make = partial(session_cookie, members)
    else:
        make = partial(members.access_token if cls is JWTAuthentication else members.create, 1)

    def enter(request: Request) -> None:
        with pytest.raises(ConfigurationError, match="both are labelled 'users'"):
            make(request)

    routes = [Route("/enter", enter), Route("/staff", whoami, authentication=[cls(tables.staff)])]
    client = Client(WSGIDispatcher([], secret=SECRET, routes=routes))
    assert client.get("/enter").status_int == 204


@pytest.mark.parametrize("label", ["", b"staff", 5])
def test_a_label_is_a_text(label: Any) -> None:
    with pytest.raises(ConfigurationError, match="label must be a text"):
        Users(PythonListDataStore([]), model=UserModel, label=label)


def test_a_table_or_a_resource_is_a_label(tmp_path: Path) -> None:
    table = SQLiteDataStore({"name": str(tmp_path / "site.db"), "table": "staff"})
    assert Users(table, model=UserModel).label == "staff"
    assert Users(over_list([], model=UserModel)).label == "things"
    assert Users(PythonListDataStore([]), model=UserModel).label == "users"


def test_users_of_two_tables_are_never_the_same() -> None:
    tables = Tables()
    eve, root = (users.user(users.find("1") or {}) for users in (tables.members, tables.staff))
    assert eve != root
    assert (eve.label, root.label) == ("users", "staff")
