"""A field that takes a password and keeps its hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rest_kit import models
from rest_kit.errors import ConfigurationError, ValidationError
from rest_kit.models import passwords
from rest_kit.passwords import check_password
from tests.http.support import Client, Storage, faults, serve


class Member(models.Model):
    """Somebody who registers."""

    fields = [
        models.PkField("id"),
        models.StringField("username", required=True, unique=True),
        models.PasswordField("password", required=True, max_length=40),
    ]


@pytest.fixture(params=["list", "sqlite", "csv"])
def members(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Client, Any]:
    """A client of an API where members register, and its store."""
    cls = Storage(request.param, tmp_path).controller(Member, name="members")
    return serve(cls), cls


def kept(cls: Any, pk: int = 1) -> str:
    """The password of a member as it lies in the store."""
    found: str = cls.spec_.store.get(pk)["password"]
    return found


def test_what_is_stored_is_a_hash_and_nobody_sees_it(members: tuple[Client, Any]) -> None:
    client, cls = members
    reply = client.post("/members/", {"username": "ada", "password": "correct horse"})
    assert reply.status_int == 201
    assert reply.json == {"id": 1, "username": "ada", "resource_uri": "/members/1/"}
    assert kept(cls).startswith("scrypt:")
    assert check_password(kept(cls), "correct horse")
    assert not check_password(kept(cls), "wrong horse")
    assert "password" not in client.get("/members/1/").json
    assert client.get("/members/?password__startswith=scrypt").status_int == 400


def test_a_put_without_it_leaves_it_alone(members: tuple[Client, Any]) -> None:
    client, cls = members
    client.post("/members/", {"username": "ada", "password": "correct horse"})
    before = kept(cls)
    assert client.put("/members/1/", {"username": "countess"}).status_int == 200
    assert client.patch("/members/1/", {"username": "lovelace"}).status_int == 200
    assert kept(cls) == before
    change = [{"op": "replace", "path": "/username", "value": "king"}]
    assert client.patch("/members/1/", change, type="application/json-patch+json").status_int == 200
    assert kept(cls) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_write_that_brings_it_changes_it(members: tuple[Client, Any], method: str) -> None:
    client, cls = members
    client.post("/members/", {"username": "ada", "password": "correct horse"})
    assert client.ask(method, "/members/1/", {"username": "ada", "password": "another horse"}).status_int == 200
    assert check_password(kept(cls), "another horse")


def test_a_hash_that_a_client_sends_is_hashed_like_any_password(members: tuple[Client, Any]) -> None:
    client, cls = members
    hashed = "scrypt:2:1:1$salt$00"
    client.post("/members/", {"username": "ada", "password": hashed})
    assert kept(cls) != hashed
    assert check_password(kept(cls), hashed)


@pytest.mark.parametrize(
    ("password", "code"), [("short", "min_length"), ("x" * 41, "max_length"), (12345678, "type"), (None, "null")]
)
def test_lengths_are_those_of_the_password(members: tuple[Client, Any], password: Any, code: str) -> None:
    client, _ = members
    reply = client.post("/members/", {"username": "ada", "password": password})
    assert faults(reply) == [("#/password", code)]


def test_a_nullable_one_may_be_left_out() -> None:
    model = models.Model.of("M", [models.PkField("id"), models.PasswordField("password")])
    assert model.load({}) == {"password": None}
    assert model.load({"password": None}) == {"password": None}


def test_no_hash_is_computed_for_a_password_that_misfits(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []
    monkeypatch.setattr(passwords, "hash_password", computed.append)
    with pytest.raises(ValidationError):
        Member().load({"username": "ada", "password": "short"})
    assert computed == []


@pytest.mark.parametrize("options", [{"default": "x"}, {"write_only": False}, {"unique": True}, {"read_only": True}])
def test_what_no_password_can_be_is_no_option(options: Any) -> None:
    with pytest.raises(ConfigurationError, match="no option"):
        models.PasswordField("password", **options)


def test_what_is_no_hash_is_nobodys_password() -> None:
    for text in ("", "plain", "a$b", "a$b$c", "scrypt:x:8:1$salt$00", "$$"):
        assert not check_password(text, text)
    assert not check_password(None, "")
