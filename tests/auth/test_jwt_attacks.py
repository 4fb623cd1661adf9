"""What is tried with JSON Web Tokens, all of it refused with 401 and none of it a fault of the server's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rest_kit.authentication import JWTAuthentication
from rest_kit.authentication.jwt_codec import key_id
from tests.auth.support import SECRET, Home, ada
from tests.http.support import Client, problem

KID = key_id(SECRET.encode())
NOW = int(time.time())


@cache
def parts() -> tuple[JWTAuthentication, Client]:
    """Tokens, and a client of an application that takes them."""
    home = Home("list", Path())
    jwt = JWTAuthentication(home.users, secret=SECRET)
    return jwt, home.client(jwt, routes=jwt.routes())


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good access token, but for some; None leaves one out."""
    usual = {"sub": "1", "typ": "access", "iat": NOW, "exp": NOW + 10_000}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: bytes, payload: bytes, *, secret: str = SECRET, digest: Any = hashlib.sha256) -> str:
    """A token of these very bytes with a good HMAC."""
    text = f"{base64url(header)}.{base64url(payload)}"
    return f"{text}.{base64url(hmac.new(secret.encode(), text.encode(), digest).digest())}"


def token(header: dict[str, Any], body: dict[str, Any] | None = None, **options: Any) -> str:
    """A token with this header, and good claims unless others are given."""
    return signed(json.dumps(header).encode(), json.dumps(claims() if body is None else body).encode(), **options)


def good(**header: Any) -> dict[str, Any]:
    return {"alg": "HS256", "typ": "JWT", **header}


def answer(given: str) -> Any:
    _, client = parts()
    return client.get("/things/", Authorization=f"Bearer {given}")


def refused(given: str, detail: str = "Invalid token") -> None:
    reply = answer(given)
    assert problem(reply, 401, "authentication-failed")["detail"] == detail
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_the_forger_makes_good_tokens_too() -> None:
    assert answer(token(good())).status_int == 200
    assert answer(token(good(kid=KID))).status_int == 200
    assert answer(token({"alg": "HS256"})).status_int == 200


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "", "HS384", "HS512", "RS256", "ES256", "hs256", None, 256, []]
)
def test_no_other_algorithm(alg: Any) -> None:
    refused(token({"alg": alg, "typ": "JWT"}))
    unsigned = token({"alg": alg, "typ": "JWT"}).rpartition(".")[0]
    refused(f"{unsigned}.")
    refused(unsigned)


def test_no_algorithm_but_the_one_that_was_configured_though_the_signature_is_good() -> None:
    refused(token({"alg": "HS512", "typ": "JWT"}, digest=hashlib.sha512))
    refused(token({"alg": "RS256", "typ": "JWT"}))
    refused(token({"typ": "JWT"}))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["AAAA"]},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"kid": "unknown"},
        {"kid": "../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": ["a"]},
        {"kid": {"a": 1}},
        {"kid": 1},
        {"typ": "JWE"},
        {"typ": ["JWT"]},
    ],
)
def test_no_header_of_the_senders_is_followed(header: dict[str, Any]) -> None:
    refused(token(good(**header)))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"typ": None},
        {"typ": "refresh"},
        {"typ": "ACCESS"},
        {"typ": ["access"]},
        {"sub": ""},
        {"sub": 1},
        {"sub": ["1"]},
        {"sub": "x" * 300},
        {"sub": "999"},
        {"sub": "01"},
        {"sub": "+1"},
        {"sub": "1 "},
        {"sub": "٣"},
        {"sub": "3"},
        {"exp": str(NOW + 1000)},
        {"exp": "soon"},
        {"exp": 10**400},
        {"exp": True},
        {"exp": [NOW + 1000]},
        {"exp": {}},
        {"iat": []},
        {"aud": {}},
        {"iss": []},
        {"jti": []},
        {"sub": {}},
        {"iat": "yesterday"},
        {"iat": NOW + 5000},
        {"nbf": NOW + 5000},
        {"nbf": str(NOW - 5)},
        {"aud": "somebody else"},
        {"scope": ["read"]},
        {"stamp": "of another password"},
        {"stamp": 5},
    ],
)
def test_no_claims_but_good_ones(changes: dict[str, Any]) -> None:
    refused(token(good(), claims(**changes)))


def test_an_old_token_has_expired() -> None:
    refused(token(good(), claims(exp=NOW - 1)), "Token expired")
    refused(token(good(), claims(exp=NOW - 1), secret="x" * 40))


def test_issuer_and_audience_are_checked_where_they_are_configured() -> None:
    home = Home("list", Path())
    jwt = JWTAuthentication(home.users, secret=SECRET, issuer="us", audience="notes")
    client = home.client(jwt)
    for changes in ({}, {"iss": "us"}, {"iss": "them", "aud": "notes"}, {"iss": "us", "aud": "other"}):
        body = claims(**changes)
        assert client.get("/things/", Authorization=f"Bearer {token(good(), body)}").status_int == 401
    assert client.get("/things/", Authorization=f"Bearer {jwt.access_token(1)}").status_int == 200


def test_another_key_signs_nothing() -> None:
    for secret in ("", "secret", SECRET + " ", SECRET.upper()):
        refused(token(good(), secret=secret))
        refused(token(good(kid=KID), secret=secret))


def test_names_given_twice() -> None:
    header, body = json.dumps(good()).encode(), json.dumps(claims()).encode()
    refused(signed(header[:-1] + b', "alg": "HS256"}', body))
    refused(signed(header, body[:-1] + b', "sub": "4"}'))
    refused(signed(header, b'{"sub": "4", ' + body[1:]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "a.b.c.d.e",
        "\xff.\xff.\xff",
        "é",
        "A" * 4000,
        "A" * 5000,
        "eyJhbGciOiJIUzI1NiJ9",
        " . . ",
        "eyJhbGciOiJIUzI1NiJ9..",
    ],
)
def test_what_is_no_token(text: str) -> None:
    refused(text)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"1", b'"x"', b"{", b'{"a": NaN}', b"\xff", b'{"sub": "\\ud800"}']
)
def test_parts_that_are_no_objects(body: bytes) -> None:
    refused(signed(body, json.dumps(claims()).encode()))
    refused(signed(json.dumps(good()).encode(), body))


def test_a_deep_or_huge_one() -> None:
    refused(signed(json.dumps(good()).encode(), b"[" * 1000 + b"]" * 1000))
    refused(token(good(), claims(extra="x" * 5000)))


def test_base64_has_one_spelling() -> None:
    head, body, signature = token(good()).split(".")
    refused(f"{head}=.{body}.{signature}")
    refused(f"{head}.{body}.{signature}=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(signature[-1])
    refused(f"{head}.{body}.{signature[:-1]}{alphabet[last ^ 1]}")


@given(data=st.data())
def test_a_token_that_was_changed_anywhere_is_refused(data: Any) -> None:
    jwt, _ = parts()
    made = jwt.access_token(1)
    place = data.draw(st.integers(0, len(made) - 1))
    other = data.draw(st.sampled_from("abcABC019-_.=!"))
    changed = made[:place] + other + made[place + 1 :]
    if changed != made:
        assert answer(changed).status_int == 401


def test_one_kind_does_not_pass_for_the_other() -> None:
    _, client = parts()
    pair = client.post("/token", ada()).json
    refused(pair["refresh"])
    assert client.post("/token/refresh", {"refresh": pair["access"]}).status_int == 401
    no_family = token(good(), claims(typ="refresh"))
    for path, name in (("/token/refresh", "refresh"), ("/token/verify", "token"), ("/token/revoke", "refresh")):
        assert client.post(path, {name: no_family}).status_int == 401


def test_a_header_with_two_credentials_or_a_line_break() -> None:
    jwt, client = parts()
    made = jwt.access_token(1)
    refused(f"{made}, Bearer {made}")
    refused(f"{made} {made}")
    assert client.get("/things/", environ={"HTTP_AUTHORIZATION": f"Bearer {made}\r\nX: y"}).status_int == 401


def test_pyjwt_agrees_that_our_tokens_are_good() -> None:
    jwt, _ = parts()
    made = jwt.access_token(1)
    assert pyjwt.decode(made, SECRET, algorithms=["HS256"])["sub"] == "1"
    assert pyjwt.get_unverified_header(made) == {"alg": "HS256", "typ": "JWT", "kid": KID}
