"""A field that takes a password and keeps its hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rest_kit import models
from rest_kit.controllers import action
from rest_kit.errors import ConfigurationError, ValidationError
from rest_kit.models import Model, passwords
from rest_kit.passwords import check_password, hash_password
from rest_kit.request import Request
from rest_kit.uploads import DirectoryStorage
from tests.http.forms import File, send
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


class Pictured(models.Model):
    """Somebody with a picture, who therefore registers by a form."""

    fields = [*Member.fields, models.FileField("picture", types=["text/plain"])]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_form_brings_it_as_json_does(tmp_path: Path, method: str) -> None:
    options = {"files": DirectoryStorage(tmp_path / "files")}
    cls = Storage("list", tmp_path).controller(Pictured, name="members", options=options)
    client = serve(cls)
    path, picture = "/members/", ("picture", File("me.txt", "text/plain", b"me"))
    if method != "POST":
        send(client, ("username", "ada"), ("password", "correct horse"), picture, path=path)
        path = "/members/1/"
    reply = send(client, ("username", "ada"), ("password", "short"), method=method, path=path)
    assert faults(reply) == [("#/password", "min_length")]
    sent = ("username", "ada"), ("password", "battery staple"), picture
    assert send(client, *sent, method=method, path=path).status_int in (200, 201)
    assert check_password(kept(cls), "battery staple")


def changing(tmp_path: Path, **members: Any) -> tuple[Client, Any]:
    """An API whose members have an action for another password, and further methods; and its store."""

    @action(detail=True, methods=["POST"])
    def change_password(view: Any, request: Request, pk: int) -> None:
        user = view.get_object(request, pk)
        user.password = request.data["password"]
        user.save()

    members = {"change_password": change_password, **members}
    plain = Storage("list", tmp_path).controller(Member, name="members")
    cls = type("Members", (plain,), members)
    client = serve(cls)
    client.post("/members/", {"username": "ada", "password": "correct horse"})
    return client, cls


def test_an_action_changes_it_as_a_patch_does(tmp_path: Path) -> None:
    client, cls = changing(tmp_path)
    for password, code in [("short", "min_length"), (hash_password("battery staple"), "type"), (7, "type")]:
        reply = client.post("/members/1/change_password/", {"password": password})
        assert faults(reply) == [("#/password", code)]
        assert check_password(kept(cls), "correct horse")
    assert client.post("/members/1/change_password/", {"password": "battery staple"}).status_int == 204
    assert check_password(kept(cls), "battery staple")


def test_what_a_hook_sets_is_hashed_too(tmp_path: Path) -> None:
    def before_create(view: Any, request: Request, record: dict[str, Any]) -> None:
        record["password"] = "initial password"

    _, cls = changing(tmp_path, before_create=before_create)
    assert check_password(kept(cls), "initial password")


def test_a_hook_may_put_back_what_was_there(tmp_path: Path) -> None:
    def before_update(view: Any, request: Request, before: dict[str, Any], record: dict[str, Any]) -> None:
        record["password"] = before["password"]

    client, cls = changing(tmp_path, before_update=before_update)
    assert client.patch("/members/1/", {"password": "battery staple"}).status_int == 200
    assert check_password(kept(cls), "correct horse")


@pytest.mark.parametrize("options", [{"default": "x"}, {"write_only": False}, {"unique": True}, {"read_only": True}])
def test_what_no_password_can_be_is_no_option(options: Any) -> None:
    with pytest.raises(ConfigurationError, match="no option"):
        models.PasswordField("password", **options)


def test_what_is_no_hash_is_nobodys_password() -> None:
    for text in ("", "plain", "a$b", "a$b$c", "scrypt:x:8:1$salt$00", "$$"):
        assert not check_password(text, text)
    assert not check_password(None, "")


def test_a_list_does_not_show_what_its_items_hide() -> None:
    with pytest.raises(ConfigurationError, match="would be shown with the list: make the list write_only too"):
        models.ListField("old", models.PasswordField())
    hidden = Model.of(
        "Hidden", [models.PkField("id"), models.ListField("old", models.PasswordField(), write_only=True)]
    )
    assert hidden.readable == ("id",)
