"""Users in any datastore: who can log in, by which fields, and what it costs to guess."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from datastores import PythonListDataStore
from rest_kit import models, passwords
from rest_kit.authentication import Users, check_password
from rest_kit.controllers import Controller
from rest_kit.errors import AuthenticationFailed, ConfigurationError, Conflict
from rest_kit.users import User
from tests.auth.support import HASH, PASSWORD, Home, row


def test_a_user_is_found_by_name_and_password(home: Home) -> None:
    user = home.users.verify("root", PASSWORD)
    assert (user.pk, user.name, user.is_admin) == (4, "root", True)
    assert user.scopes == {"read", "write"}
    assert "password" not in user.record
    assert user.username == "root"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda user: pickle.loads(pickle.dumps(user))])
def test_a_user_may_be_handed_on_as_a_copy(copied: Any) -> None:
    ada = User(3, name="ada", scopes=frozenset({"read"}), record={"city": "London"})
    same = copied(ada)
    assert same == ada
    assert (same.name, same.scopes, same.city) == ("ada", {"read"}, "London")
    with pytest.raises(AttributeError, match="town"):
        same.town  # noqa: B018


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"),
        ("ada", ""),
        ("ada", HASH),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("zoe", PASSWORD),
        ("ada\0", PASSWORD),
        ("ADA", PASSWORD),
        ("ad%", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ],
)
def test_everybody_else_is_told_the_same(home: Home, name: str, password: str) -> None:
    with pytest.raises(AuthenticationFailed) as refused:
        home.users.verify(name, password)
    assert str(refused.value) == "Invalid credentials"


def test_an_unknown_user_costs_what_a_wrong_password_costs(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from werkzeug import security

    computed: list[str] = []
    compute = security._hash_internal

    def counted(method: str, salt: str, password: str) -> Any:
        computed.append(method)
        return compute(method, salt, password)

    monkeypatch.setattr(security, "_hash_internal", counted)
    home.change(1, password=passwords.hash_password(PASSWORD))
    home.change(2, password="not a hash")
    home.change(3, password=passwords.hash_password(PASSWORD))
    computed.clear()
    for name in ("ada", "bob", "zoe", "nobody", "\0"):
        with pytest.raises(AuthenticationFailed):
            home.users.verify(name, "wrong")
    assert computed == [passwords.METHOD] * 5


def test_a_controller_class_says_where_its_users_are() -> None:
    class UserApp(Controller):
        resource = {"resource_name": "users", "resource": [row(1, "ada")], "datastore": PythonListDataStore}

    assert Users(UserApp).verify("ada", PASSWORD).pk == 1


class Bare(models.Model):
    """A user of other words, and without flags or scopes."""

    fields = [
        models.StringPkField("email", max_length=80),
        models.StringField("secret"),
        models.BooleanField("enabled", default=True),
    ]


def test_fields_have_other_names_and_what_a_model_lacks_is_not_used() -> None:
    store = PythonListDataStore([{"email": "a@x", "secret": HASH, "enabled": True}])
    users = Users(store, model=Bare, name="email", password="secret", active="enabled")
    user = users.verify("a@x", PASSWORD)
    assert (user.pk, user.name, user.is_admin, user.scopes) == ("a@x", "a@x", False, frozenset())


def test_a_name_that_is_no_field_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Users(PythonListDataStore([]), model=Bare, name="e_mail", active="secret", admin="enabld")
    assert len(refused.value.problems) == 3
    assert "did you mean 'email'" in str(refused.value)
    assert "active='secret' is string, and must be a boolean" in str(refused.value)


@pytest.mark.parametrize("source", [PythonListDataStore, [], None, Controller])
def test_what_is_no_source_is_refused(source: Any) -> None:
    with pytest.raises(ConfigurationError, match="takes a Controller class or a datastore"):
        Users(source)


def test_a_name_that_two_have_is_nobodys() -> None:
    users = Users(PythonListDataStore([row(1, "ada"), row(2, "ada")]))
    with pytest.raises(AuthenticationFailed):
        users.verify("ada", PASSWORD)


def members(*options: Any) -> type[models.Model]:
    """A model of users with an address, and what more is said of it."""
    address = models.StringField("email", required=True, **dict(options))
    return type(
        "Member", (models.Model,), {"fields": [models.PkField("id"), address, models.PasswordField("password")]}
    )


def test_a_name_that_two_could_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="name='email' is not unique"):
        Users(PythonListDataStore([]), model=members(), name="email")
    assert Users(PythonListDataStore([]), model=members(("unique", True)), name="email").named("ada@x") is None


def test_of_an_inferred_model_nobody_knows_what_is_unique() -> None:
    store = PythonListDataStore([row(1, "ada"), row(2, "bob")])
    for _ in range(2):
        assert Users(store).verify("ada", PASSWORD).pk == 1


def test_users_are_created_with_a_hashed_password(home: Home) -> None:
    user = home.users.create("eve", "another horse", is_admin=True, scopes="read")
    assert (user.name, user.is_admin, user.scopes) == ("eve", True, {"read"})
    assert check_password(home.store.get(user.pk)["password"], "another horse")  # type: ignore[arg-type]
    assert home.users.verify("eve", "another horse") == user
    with pytest.raises(Conflict):
        home.users.create("eve", "a third horse")
    with pytest.raises(ConfigurationError, match="did you mean 'is_admin'"):
        home.users.create("mallory", "a fourth horse", is_admn=True)


def test_a_password_is_changed(home: Home) -> None:
    home.users.set_password(1, "another horse")
    assert home.users.verify("ada", "another horse").pk == 1
    with pytest.raises(AuthenticationFailed):
        home.users.verify("ada", PASSWORD)
