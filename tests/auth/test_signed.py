"""Tokens that carry what they say: signed, aged, and of one purpose."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from rest_kit.authentication import SignedTokenAuthentication
from rest_kit.errors import ConfigurationError
from rest_kit.request import Request
from rest_kit.routes import Route
from rest_kit.signing import Keys
from tests.auth.support import PASSWORD, SECRET, Home
from tests.http.support import Client, problem

OTHER = "Another secret, of as many bytes as that"


def sent(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_signed_token_lets_its_user_in(home: Home) -> None:
    signed = SignedTokenAuthentication(home.users, secret=SECRET)
    client = home.client(signed)
    token = signed.create(home.users.verify("ada", PASSWORD), scopes=["read"])
    assert client.get("/things/1/", **sent(token)).status_int == 200
    assert client.get("/whoami", **sent(token)).json == {"name": "ada", "admin": False, "scopes": ["read"]}


def test_the_applications_secret_signs_where_there_is_no_other(home: Home) -> None:
    signed = SignedTokenAuthentication(home.users)

    def login(request: Request) -> dict[str, str]:
        return {"token": signed.create(1, request)}

    client = home.client(signed, routes=[Route("/login", login, methods=["POST"], authentication=())])
    token = client.post("/login").json["token"]
    assert client.get("/whoami", **sent(token)).json["name"] == "ada"
    with pytest.raises(ValueError, match="give it the request"):
        signed.create(1)


def test_it_does_not_start_without_a_secret(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REST_KIT_SECRET", raising=False)
    with pytest.raises(ConfigurationError, match="needs a secret: give secret= or set REST_KIT_SECRET"):
        home.app(SignedTokenAuthentication(home.users), secret=None)
    monkeypatch.setenv("REST_KIT_SECRET", SECRET)
    home.app(SignedTokenAuthentication(home.users), secret=None)


def test_secrets_are_rotated(home: Home) -> None:
    old = SignedTokenAuthentication(home.users, secret=OTHER).create(1)
    both = SignedTokenAuthentication(home.users, secret=[SECRET, OTHER])
    new = SignedTokenAuthentication(home.users, secret=SECRET)
    assert home.client(both).get("/things/", **sent(old)).status_int == 200
    assert home.client(both).get("/things/", **sent(new.create(1))).status_int == 200
    assert home.client(new).get("/things/", **sent(both.create(1))).status_int == 200
    assert home.client(new).get("/things/", **sent(old)).status_int == 401


def test_a_token_of_another_purpose_is_none(home: Home) -> None:
    reset = SignedTokenAuthentication(home.users, secret=SECRET, purpose="password-reset")
    client = home.client(SignedTokenAuthentication(home.users, secret=SECRET))
    assert client.get("/things/", **sent(reset.create(1))).status_int == 401
    cookie = Keys(SECRET).timed("rest_kit.session").dumps(["1", "1", ""])
    assert client.get("/things/", **sent(str(cookie))).status_int == 401


def test_a_token_ends_by_time_and_none_comes_from_the_future(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = SignedTokenAuthentication(home.users, secret=SECRET, max_age=60)
    client, token = home.client(signed), signed.create(1)
    now = TimestampSigner("x").get_timestamp()
    for later, told in ((61, "Token expired"), (-61, "Token expired")):
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self, later=later: now + later)
        reply = client.get("/things/", **sent(token))
        assert problem(reply, 401, "authentication-failed")["detail"] == told


def test_whoever_is_disabled_or_has_another_password_is_out(home: Home) -> None:
    signed = SignedTokenAuthentication(home.users, secret=SECRET)
    client = home.client(signed)
    tokens = [signed.create(pk) for pk in (1, 2, 4)]
    home.change(1, is_active=False)
    home.users.set_password(2, "another horse")
    home.remove(4)
    for token in tokens:
        assert client.get("/things/", **sent(token)).status_int == 401


@given(data=st.data())
def test_a_token_that_was_changed_anywhere_is_refused(data: Any) -> None:
    _, client, token = forged()
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("abcABC019-_.=!"))
    changed = token[:place] + other + token[place + 1 :]
    # base64 has several spellings for one last byte; they say the same
    if changed != token and place < len(token) - 1:
        assert client.get("/things/", **sent(changed)).status_int == 401


@given(text=st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF), max_size=60))
def test_garbage_is_refused(text: str) -> None:
    _, client, _ = forged()
    assert client.get("/things/", Authorization="Bearer " + text).status_int == 401


@cache
def forged() -> tuple[SignedTokenAuthentication, Client, str]:
    """An authentication, a client of it, and a good token, for every example."""
    home = Home("list", Path())
    signed = SignedTokenAuthentication(home.users, secret=SECRET)
    return signed, home.client(signed), signed.create(1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_age": None}, "no token holds for ever"),
        ({"max_age": 0}, "no token holds for ever"),
        ({"secret": "short"}, "a secret of 5 bytes is too short, 16 are needed"),
        ({"secret": "secret-secret-secret"}, "one that everybody tries"),
        ({"secret": "changeme" * 4}, "one that everybody tries"),
        ({"secret": "a" * 64}, "one that everybody tries"),
        ({"secret": [SECRET, "short"]}, "too short"),
        ({"secret": []}, "must not be empty"),
        ({"purpose": "two words"}, "purpose must be one ASCII word"),
    ],
)
def test_what_cannot_be_meant_is_refused(home: Home, options: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SignedTokenAuthentication(home.users, **options)


def test_no_repr_shows_a_secret(home: Home) -> None:
    signed = SignedTokenAuthentication(home.users, secret=SECRET)
    assert SECRET not in repr(signed) + repr(vars(signed))
