"""JSON Web Tokens: obtained, sent along, refreshed, verified, revoked."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest

from rest_kit.authentication import JWTAuthentication, credentials
from rest_kit.authentication.families import begin, end, is_youngest, renew
from rest_kit.errors import ConfigurationError
from rest_kit.request import Request
from rest_kit.routes import Route
from rest_kit.storage import MemoryStorage
from rest_kit.throttling import RateLimit
from tests.auth.support import SECRET, DictStorage, Home, ada
from tests.http.support import Client, faults, problem

OTHER = "Another secret, of as many bytes as that"


@pytest.fixture
def jwt(home: Home) -> JWTAuthentication:
    """Tokens of the home's users."""
    return JWTAuthentication(home.users, secret=SECRET)


@pytest.fixture
def client(home: Home, jwt: JWTAuthentication) -> Client:
    """A client of an application with these tokens, which gives them out at `/api/token/`."""
    return home.client(jwt, routes=jwt.routes("/api/token"))


def sent(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_name_and_password_bring_two_tokens(client: Client) -> None:
    reply = client.post("/api/token/", ada())
    assert reply.status_int == 200
    assert set(reply.json) == {"access", "refresh"}
    assert reply.headers["Cache-Control"] == "no-store"
    assert client.get("/things/1/", **sent(reply.json["access"])).status_int == 200
    assert client.get("/whoami", **sent(reply.json["access"])).json["name"] == "ada"


def test_a_wrong_password_brings_none(client: Client) -> None:
    reply = client.post("/api/token/", ada(password="wrong"))
    assert problem(reply, 401, "authentication-failed")["detail"] == "Invalid credentials"
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert faults(client.post("/api/token/", {})) == [("#/username", "required"), ("#/password", "required")]


def test_a_refresh_token_brings_new_ones_once(client: Client) -> None:
    first = client.post("/api/token/", ada()).json
    second = client.post("/api/token/refresh/", {"refresh": first["refresh"]}).json
    assert client.get("/things/", **sent(second["access"])).status_int == 200
    third = client.post("/api/token/refresh/", {"refresh": second["refresh"]}).json
    assert third["refresh"] not in (first["refresh"], second["refresh"])


def test_a_refresh_token_that_is_used_again_ends_its_family(client: Client) -> None:
    first = client.post("/api/token/", ada()).json
    another_login = client.post("/api/token/", ada()).json
    second = client.post("/api/token/refresh/", {"refresh": first["refresh"]}).json
    stolen = client.post("/api/token/refresh/", {"refresh": first["refresh"]})
    assert problem(stolen, 401, "authentication-failed")["detail"] == "Invalid token"
    assert client.post("/api/token/refresh/", {"refresh": second["refresh"]}).status_int == 401
    assert client.post("/api/token/refresh/", {"refresh": another_login["refresh"]}).status_int == 200


def test_of_twenty_parallel_uses_one_succeeds(client: Client) -> None:
    token = client.post("/api/token/", ada()).json["refresh"]

    def refresh(_: int) -> tuple[int, Any]:
        reply = client.post("/api/token/refresh/", {"refresh": token})
        return reply.status_int, reply.json

    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(refresh, range(20)))
    assert sorted(status for status, _ in replies) == [200] + [401] * 19
    won = next(body for status, body in replies if status == 200)
    assert client.post("/api/token/refresh/", {"refresh": won["refresh"]}).status_int == 401


def test_a_family_in_the_storage() -> None:
    storage = DictStorage()
    family, first = begin(storage, 60)
    second = renew(storage, family, first, 60)
    assert second is not None
    assert is_youngest(storage, family, second)
    assert not is_youngest(storage, family, first)
    end(storage, family)
    end(storage, family)
    assert renew(storage, family, second, 60) is None
    family, first = begin(storage, 0)
    assert renew(storage, family, first, 60) is None


def test_tokens_are_verified(client: Client) -> None:
    pair = client.post("/api/token/", ada()).json
    reply = client.post("/api/token/verify/", {"token": pair["access"]})
    assert (reply.json["typ"], reply.json["sub"]) == ("access", "1")
    assert client.post("/api/token/verify/", {"token": pair["refresh"]}).json["typ"] == "refresh"
    client.post("/api/token/refresh/", {"refresh": pair["refresh"]})
    assert client.post("/api/token/verify/", {"token": pair["refresh"]}).status_int == 401
    assert client.post("/api/token/verify/", {"token": "a.b.c"}).status_int == 401


def test_a_revoked_family_brings_nothing_more(client: Client) -> None:
    pair = client.post("/api/token/", ada()).json
    assert client.post("/api/token/revoke/", {"refresh": pair["refresh"]}).status_int == 204
    assert client.post("/api/token/revoke/", {"refresh": pair["refresh"]}).status_int == 204
    assert client.post("/api/token/refresh/", {"refresh": pair["refresh"]}).status_int == 401
    assert client.post("/api/token/revoke/", {"refresh": pair["access"]}).status_int == 401


def test_whoever_is_disabled_deleted_or_has_another_password_is_out_at_once(home: Home, client: Client) -> None:
    pairs = [client.post("/api/token/", ada(username=name)).json for name in ("ada", "bob", "root")]
    home.change(1, is_active=False)
    home.remove(2)
    home.users.set_password(4, "another horse")
    for pair in pairs:
        assert client.get("/things/", **sent(pair["access"])).status_int == 401
        assert client.post("/api/token/refresh/", {"refresh": pair["refresh"]}).status_int == 401
        assert client.post("/api/token/verify/", {"token": pair["access"]}).status_int == 401


def test_scopes_of_a_token_narrow_those_of_its_user(client: Client, jwt: JWTAuthentication) -> None:
    token = jwt.access_token(2, scopes=["read", "write"])
    assert client.get("/whoami", **sent(token)).json["scopes"] == ["read"]


def test_a_login_as_other_frameworks_have_it(home: Home) -> None:
    jwt = JWTAuthentication(home.users, access_lifetime=3600)

    def login(request: Request) -> dict[str, str]:
        user = home.users.verify(*credentials(request))
        return {"access_token": jwt.access_token(user, request), "token_type": "bearer"}

    client = home.client(jwt, routes=[Route("/api/login", login, methods=["POST"], authentication=())])
    reply = client.post("/api/login", ada())
    assert reply.json["token_type"] == "bearer"
    assert client.get("/whoami", **sent(reply.json["access_token"])).json["name"] == "ada"
    claims = pyjwt.decode(reply.json["access_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 3600
    assert faults(client.post("/api/login", {"username": 5})) == [("#/username", "type"), ("#/password", "required")]
    refused = client.post("/api/login", ada(password="wrong"))
    assert problem(refused, 401, "authentication-failed")["detail"] == "Invalid credentials"
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_tokens_of_somebody_else_who_shares_the_secret(home: Home) -> None:
    jwt = JWTAuthentication(secret=SECRET, issuer="https://id.example", audience="notes")
    claims = {"sub": "u-17", "typ": "access", "iat": 0, "exp": 10**10, "iss": "https://id.example", "aud": "notes"}
    token = pyjwt.encode({**claims, "scope": "read"}, SECRET, algorithm="HS256")
    assert home.client(jwt).get("/whoami", **sent(token)).json == {"name": "u-17", "admin": False, "scopes": ["read"]}
    with pytest.raises(ConfigurationError, match="logging in needs users"):
        jwt.routes()


def test_secrets_are_rotated(home: Home) -> None:
    old = JWTAuthentication(home.users, secret=OTHER).access_token(1)
    both = JWTAuthentication(home.users, secret=[SECRET, OTHER])
    new = JWTAuthentication(home.users, secret=SECRET)
    assert home.client(both).get("/things/", **sent(old)).status_int == 200
    assert home.client(new).get("/things/", **sent(both.access_token(1))).status_int == 200
    assert home.client(new).get("/things/", **sent(old)).status_int == 401
    unnamed = pyjwt.encode(pyjwt.decode(old, OTHER, algorithms=["HS256"]), OTHER, algorithm="HS256")
    assert home.client(both).get("/things/", **sent(unnamed)).status_int == 200


def test_the_applications_secrets_are_rotated_too(home: Home) -> None:
    jwt = JWTAuthentication(home.users)
    routes = jwt.routes()
    old = home.client(jwt, routes=routes, secret=OTHER).post("/token", ada()).json
    both = home.client(jwt, routes=routes, secret=[SECRET, OTHER])
    assert both.get("/things/", **sent(old["access"])).status_int == 200
    renewed = both.post("/token/refresh", {"refresh": old["refresh"]}).json
    new = home.client(jwt, routes=routes, secret=SECRET)
    assert new.get("/things/", **sent(renewed["access"])).status_int == 200
    assert new.get("/things/", **sent(old["access"])).status_int == 401


def test_the_memory_of_one_of_several_processes_keeps_no_families(home: Home) -> None:
    jwt = JWTAuthentication(home.users, secret=SECRET)
    client = home.client(jwt, routes=jwt.routes(), storage=MemoryStorage())
    several = {"wsgi.multiprocess": True}
    for path, body in (("/token", ada()),):
        reply = client.post(path, body, environ=several)
        assert "sqlite:///" in problem(reply, 503, "unavailable")["detail"]
    refresh = home.client(jwt, routes=jwt.routes()).post("/token", ada()).json["refresh"]
    assert client.post("/token/refresh", {"refresh": refresh}, environ=several).status_int == 503


def test_an_applications_limit_for_users_counts_logins_by_address(home: Home) -> None:
    jwt = JWTAuthentication(home.users, secret=SECRET)
    client = home.client(jwt, routes=jwt.routes(), throttle=RateLimit(interval=60, quota=2), storage=MemoryStorage())
    tokens = [client.post("/token", ada()) for _ in range(3)]
    assert [reply.status_int for reply in tokens] == [200, 200, 429]
    assert client.get("/things/", **sent(tokens[0].json["access"])).status_int == 200


def test_it_does_not_start_without_a_secret(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REST_KIT_SECRET", raising=False)
    jwt = JWTAuthentication(home.users)
    for parts in ({"authentication": [jwt]}, {"routes": jwt.routes()}):
        with pytest.raises(ConfigurationError, match="JWTAuthentication signs, and so needs a secret"):
            home.app(*parts.get("authentication", []), routes=parts.get("routes", []), secret=None)
        with pytest.raises(ConfigurationError, match="JWTAuthentication: a secret of 5 bytes is too short"):
            home.app(*parts.get("authentication", []), routes=parts.get("routes", []), secret="short")
    with pytest.raises(ConfigurationError, match="needs a secret of its own for HS512"):
        home.app(JWTAuthentication(home.users, algorithm="HS512"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"secret": "only sixteen byt"}, "16 bytes is too short, 32 are needed"),
        ({"secret": SECRET, "algorithm": "HS512"}, "64 are needed"),
        ({"secret": "secret" * 8}, "one that everybody tries"),
        ({"secret": "your-256-bit-secret" * 2}, "one that everybody tries"),
        ({"secret": b"x" * 32}, "takes a text|must be a text"),
        ({"algorithm": "none"}, "algorithm must be one of HS256, HS384, HS512"),
        ({"algorithm": "RS256"}, "algorithm must be one of"),
        ({"leeway": -1}, "leeway must be a number"),
        ({"access_lifetime": 0}, "access_lifetime must be a number above 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(home: Home, options: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        JWTAuthentication(home.users, **options)


def test_without_pyjwt_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'rest-kit\[jwt\]'"):
        JWTAuthentication(Home("list", Path()).users, secret=SECRET)


def test_no_repr_shows_a_secret(jwt: JWTAuthentication) -> None:
    assert SECRET not in repr(jwt) + repr(vars(jwt))
