"""Tokens and API keys: created once, kept as digests, and out at once when revoked."""

from __future__ import annotations

import datetime
import hashlib
import re
from typing import Any

import pytest

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.authentication import ApiKeyAuthentication, TokenAuthentication, Tokens, Users
from rest_kit.errors import ConfigurationError, StoreUnavailable
from rest_kit.permissions import IsAuthenticated
from tests.auth.support import PASSWORD, Home, Note, ada
from tests.http.support import Client, faults, over_list, problem, serve


@pytest.fixture
def tokens(home: Home) -> Tokens:
    """Where the tokens of the home's users are kept."""
    return Tokens(home.tokens(), home.users)


def sent(key: str) -> dict[str, str]:
    return {"Authorization": f"Token {key}"}


def test_a_token_lets_its_user_in(home: Home, tokens: Tokens) -> None:
    client = home.client(TokenAuthentication(tokens))
    key = tokens.create(home.users.verify("ada", PASSWORD)).key
    assert re.fullmatch(r"[0-9a-f]{40}", key)
    assert client.get("/things/1/", **sent(key)).json["text"] == "hidden"
    assert client.get("/whoami", **sent(key)).json == {"name": "ada", "admin": False, "scopes": ["read", "write"]}
    assert client.get("/whoami").json["name"] == ""


def test_without_one_the_reply_says_how(home: Home, tokens: Tokens) -> None:
    reply = home.client(TokenAuthentication(tokens)).get("/things/")
    problem(reply, 401, "not-authenticated")
    assert reply.headers["WWW-Authenticate"] == 'Token realm="api"'
    assert reply.headers["Vary"] == "Authorization"
    assert reply.headers["Cache-Control"] == "private"


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token ",
        "Token 0000",
        "token " + "0" * 40,
        "Token " + "0" * 5000,
        "Token \xff\xfe",
        "Token a b",
        "Token a, Token b",
    ],
)
def test_what_is_no_token_is_refused(home: Home, tokens: Tokens, header: str) -> None:
    tokens.create(1)
    reply = home.client(TokenAuthentication(tokens)).get("/things/", Authorization=header)
    assert problem(reply, 401, "authentication-failed")["detail"] == "Invalid token"
    assert reply.headers["WWW-Authenticate"] == 'Token realm="api"'


def test_only_a_digest_is_kept_and_nothing_shows_the_key(tokens: Tokens) -> None:
    token = tokens.create(1)
    digest = hashlib.sha256(token.key.encode()).hexdigest()
    record = tokens.store.get(digest)
    assert token.key not in repr(record)
    assert token.key not in repr(token)
    assert token.key not in repr(tokens)


def test_the_digest_is_no_key(home: Home, tokens: Tokens) -> None:
    digest = hashlib.sha256(tokens.create(1).key.encode()).hexdigest()
    assert home.client(TokenAuthentication(tokens)).get("/things/", **sent(digest)).status_int == 401


def test_a_revoked_token_is_out_at_once(home: Home, tokens: Tokens) -> None:
    client = home.client(TokenAuthentication(tokens))
    first, second, others = tokens.create(1), tokens.create(1), tokens.create(2)
    assert tokens.revoke(first.key)
    assert not tokens.revoke(first.key)
    assert client.get("/things/", **sent(first.key)).status_int == 401
    assert client.get("/things/", **sent(second.key)).status_int == 200
    assert tokens.revoke_all(1) == 1
    assert client.get("/things/", **sent(second.key)).status_int == 401
    assert client.get("/things/", **sent(others.key)).status_int == 200


def test_a_token_ends_by_time(home: Home, tokens: Tokens) -> None:
    token = tokens.create(1, expires_in=3600)
    client = home.client(TokenAuthentication(tokens))
    assert client.get("/things/", **sent(token.key)).status_int == 200
    digest = hashlib.sha256(token.key.encode()).hexdigest()
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    tokens.store.atomic(lambda tx: tx.update(digest, {**tx.get(digest), "expires": past}))
    reply = client.get("/things/", **sent(token.key))
    assert problem(reply, 401, "authentication-failed")["detail"] == "Token expired"


def test_whoever_is_disabled_or_deleted_is_out_at_once(home: Home, tokens: Tokens) -> None:
    client = home.client(TokenAuthentication(tokens))
    one, two = tokens.create(1).key, tokens.create(2).key
    home.change(1, is_active=False)
    home.remove(2)
    assert client.get("/things/", **sent(one)).status_int == 401
    assert client.get("/things/", **sent(two)).status_int == 401
    home.change(1, is_active=True)
    assert client.get("/things/", **sent(one)).status_int == 200


def test_scopes_of_a_token_narrow_those_of_its_user(home: Home, tokens: Tokens) -> None:
    client = home.client(TokenAuthentication(tokens))
    narrow, wide, none = (tokens.create(2, scopes=scopes).key for scopes in (["read"], ["read", "write"], []))
    assert client.get("/whoami", **sent(narrow)).json["scopes"] == ["read"]
    assert client.get("/whoami", **sent(wide)).json["scopes"] == ["read"]
    assert client.get("/whoami", **sent(none)).json["scopes"] == []


def test_without_users_a_token_is_all_that_is_known(home: Home) -> None:
    tokens = Tokens(home.tokens())
    key = tokens.create("a nightly job", scopes=["read"]).key
    client = home.client(TokenAuthentication(tokens))
    assert client.get("/whoami", **sent(key)).json == {"name": "a nightly job", "admin": False, "scopes": ["read"]}


class Away(PythonListDataStore):
    """A store whose server does not answer."""

    def get(self, *args: Any, **rest: Any) -> Any:
        raise StoreUnavailable("users.example refuses connections")


def test_users_out_of_reach_are_a_503_and_nobody_is_anonymous(home: Home, tokens: Tokens) -> None:
    key = tokens.create(1).key
    lost = Tokens(tokens.store, Users(Away([{"id": 1, "username": "ada", "password": ""}])))
    for path in ("/things/", "/whoami"):
        reply = home.client(TokenAuthentication(lost)).get(path, **sent(key))
        problem(reply, 503, "store-unavailable")
        assert "users.example" not in reply.text


# --- logging in -------------------------------------------------------------------------------------------------------


def test_a_route_gives_tokens_for_passwords(home: Home, tokens: Tokens) -> None:
    login = TokenAuthentication(tokens)
    client = home.client(login, routes=login.routes("/login", expires_in=60))
    reply = client.post("/login", ada())
    assert reply.headers["Cache-Control"] == "no-store"
    assert client.get("/whoami", **sent(reply.json["token"])).json["name"] == "ada"
    refused = client.post("/login", ada(password="wrong"))
    assert problem(refused, 401, "authentication-failed")["detail"] == "Invalid credentials"
    assert refused.headers["WWW-Authenticate"] == 'Token realm="api"'


def test_a_login_says_all_that_is_wrong_with_it(home: Home, tokens: Tokens) -> None:
    login = TokenAuthentication(tokens)
    client = home.client(login, routes=login.routes("/login"))
    reply = client.post("/login", {"user": "ada", "password": 5})
    assert faults(reply) == [("#/user", "unknown"), ("#/username", "required"), ("#/password", "type")]
    assert faults(client.post("/login", [])) == [("#", "type")]
    assert client.post("/login", body=b"username=ada", type="application/x-www-form-urlencoded").status_int == 415
    assert client.post("/login", body=b"{", type="application/json").status_int == 400
    assert client.post("/login", ada(password="x" * 20_000)).status_int == 413
    assert client.get("/login").status_int == 405


def test_tokens_in_a_list_are_not_given_out_by_one_of_several_processes(home: Home) -> None:
    tokens = Tokens(PythonListDataStore([]), home.users)
    login = TokenAuthentication(tokens)
    client = home.client(login, routes=login.routes("/login"))
    reply = client.post("/login", ada(), environ={"wsgi.multiprocess": True})
    assert "SQLite" in problem(reply, 503, "unavailable")["detail"]


# --- API keys ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def keyed(home: Home, tokens: Tokens) -> Client:
    """A client where keys are taken in the query too."""
    return home.client(ApiKeyAuthentication(tokens, query_parameter="api_key"))


def test_a_key_comes_in_a_header(home: Home, tokens: Tokens) -> None:
    client = home.client(ApiKeyAuthentication(tokens))
    key = tokens.create(1).key
    assert client.get("/whoami", X_API_Key=key).json["name"] == "ada"
    assert client.get("/things/", X_API_Key="wrong").status_int == 401
    assert client.get("/things/", X_API_Key="").status_int == 401
    reply = client.get("/things/")
    assert reply.headers["WWW-Authenticate"] == 'ApiKey realm="api"'
    assert reply.headers["Vary"] == "X-API-Key"


def test_a_key_in_the_query_is_nothing_unless_it_is_asked_for(home: Home, tokens: Tokens) -> None:
    client = home.client(ApiKeyAuthentication(tokens))
    key = tokens.create(1).key
    assert client.get(f"/things/?api_key={key}").status_int == 401
    assert client.get(f"/things/?api_key={key}", X_API_Key=key).status_int == 400


def test_a_key_in_the_query_is_repeated_nowhere(keyed: Client, tokens: Tokens) -> None:
    key = tokens.create(1).key
    reply = keyed.get(f"/things/?text__contains=hid&api_key={key}&count=1")
    assert reply.json["meta"]["filters"] == {"text__contains": "hid"}
    assert reply.json["meta"]["first"] == "/things/?text__contains=hid&offset=0&count=1"
    assert key not in reply.text + str(reply.headers)
    item = keyed.get(f"/things/1/?api_key={key}")
    assert item.status_int == 200
    written = keyed.delete(f"/things/1/?api_key={key}")
    assert written.status_int == 204


def test_a_key_in_the_query_is_refused_without_being_told(keyed: Client) -> None:
    reply = keyed.get("/things/?api_key=hush-hush")
    problem(reply, 401, "authentication-failed")
    assert "hush" not in reply.text
    twice = keyed.get("/things/?api_key=hush-hush&api_key=hush-hush")
    assert problem(twice, 400, "invalid-parameter")["errors"][0]["code"] == "twice"
    assert "hush" not in twice.text


def test_the_header_comes_before_the_query(keyed: Client, tokens: Tokens) -> None:
    one, two = tokens.create(1).key, tokens.create(2).key
    assert keyed.get(f"/whoami?api_key={one}", X_API_Key=two).json["name"] == "bob"
    assert keyed.get(f"/things/?api_key={one}", X_API_Key=two).status_int == 200


@pytest.mark.parametrize("parameter", ["api_key", "api%5Fkey", "%61pi_key"])
def test_a_key_in_the_query_is_repeated_nowhere_whoever_decides(home: Home, tokens: Tokens, parameter: str) -> None:
    client = home.client(TokenAuthentication(tokens), ApiKeyAuthentication(tokens, query_parameter="api_key"))
    one, two = tokens.create(1).key, tokens.create(1).key
    reply = client.get(f"/things/?{parameter}={one}", Authorization=f"Token {two}", Prefer="handling=lenient")
    assert reply.status_int == 200
    assert one not in reply.text + str(reply.headers)
    assert client.get(f"/whoami?{parameter}={one}").json["name"] == "ada"


@pytest.mark.parametrize("seconds", [1e30, float("nan"), float("inf"), "3600"])
def test_a_token_holds_for_a_time_that_calendars_have(home: Home, tokens: Tokens, seconds: Any) -> None:
    with pytest.raises(ValueError, match="expires_in must be a number of seconds"):
        tokens.create(1, expires_in=seconds)
    with pytest.raises(ConfigurationError, match="expires_in must be a number of seconds"):
        TokenAuthentication(tokens).routes(expires_in=seconds)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda tokens: TokenAuthentication(Tokens), "takes Tokens"),
        (lambda tokens: TokenAuthentication(tokens, keyword="To ken"), "one ASCII word"),
        (lambda tokens: TokenAuthentication(tokens, realm='a"b'), "realm must be plain ASCII without quotes"),
        (lambda tokens: TokenAuthentication(tokens, realm="a\r\nSet-Cookie: x=y"), "realm"),
        (lambda tokens: ApiKeyAuthentication(tokens, header="X Key"), "header must be one ASCII word"),
        (lambda tokens: ApiKeyAuthentication(tokens, query_parameter="a=b"), "query_parameter"),
        (lambda tokens: Tokens(PythonListDataStore), "is not an instance"),
        (lambda tokens: Tokens(tokens.store, tokens.store), "users must be Users"),
        (lambda tokens: Tokens(tokens.users.store), "primary key of tokens must be 'digest'"),
        (lambda tokens: TokenAuthentication(Tokens(tokens.store)).routes(), "logging in needs users"),
    ],
)
def test_what_cannot_be_meant_is_refused(tokens: Tokens, make: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        make(tokens)


class Line(models.Model):
    """A line of a note."""

    fields = [models.PkField("id"), models.IntForeign("note", resource="notes", related_name="lines")]


def test_a_key_in_the_query_is_known_wherever_a_request_looks(tokens: Tokens) -> None:
    def options() -> dict[str, Any]:
        own = ApiKeyAuthentication(tokens, query_parameter="api_key")
        return {"options": {"authentication": own, "permissions": [IsAuthenticated()]}}

    client = serve(
        over_list([{"id": 1, "text": "x"}], model=Note, resource={"resource_name": "notes"}, controller=options()),
        over_list([{"id": 7, "note": 1}], model=Line, resource={"resource_name": "lines"}, controller=options()),
    )
    key = tokens.create(1).key
    expanded = client.get(f"/lines/7/?api_key={key}&expand=note")
    assert expanded.json["note"]["text"] == "x"
    nested = client.get(f"/notes/1/lines/?api_key={key}")
    assert [one["id"] for one in nested.json["object_list"]] == [7]
    assert key not in expanded.text + nested.text
    assert client.get("/lines/7/?expand=note").status_int == 401
