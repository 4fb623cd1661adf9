"""Users as they are kept: found in any datastore, by key or by name, and looked up anew for every request.

Nothing is remembered between requests, so that whoever is disabled or deleted is out at once.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any, Final

import msgspec

from rest_kit import models
from rest_kit.authentication.base import INVALID_CREDENTIALS
from rest_kit.authentication.sources import label_of, store_of
from rest_kit.errors import AuthenticationFailed, ConfigurationError, RecordNotFound, did_you_mean
from rest_kit.models import Field, Model
from rest_kit.passwords import check_password, hash_password
from rest_kit.query import Filter, Page, Query
from rest_kit.store import refuse
from rest_kit.types import Kind, Pk, Record
from rest_kit.users import User

NO_SCOPES: Final[frozenset[str]] = frozenset()
DEFAULTS: Final = {
    "name": "username",
    "password": "password",
    "active": "is_active",
    "admin": "is_admin",
    "scopes": "scopes",
}
"""By what they are for, the fields that users have unless it is said otherwise."""


class UserModel(Model):
    """A user as most applications need one; who may change what clients cannot is for the application to say."""

    fields = (
        models.PkField("id"),
        models.StringField("username", required=True, unique=True, min_length=1, max_length=150),
        models.PasswordField("password", required=True),
        models.BooleanField("is_active", read_only=True, default=True),
        models.BooleanField("is_admin", read_only=True, default=False),
        models.StringField("scopes", read_only=True, default="", max_length=1000),
    )


class _Fields(msgspec.Struct, frozen=True):
    """Which fields a model has for what; None for what it lacks."""

    pk: Field
    name: Field | None
    password: str | None
    active: str | None
    admin: str | None
    scopes: str | None


class Users:
    """The users of an application: `source` is a Controller class, or a datastore.

    `model` is for a datastore that has none yet, and would otherwise infer one. `name`, `password`, `active`, `admin`
    and `scopes` say which fields hold them; of the defaults, those that the model lacks are not used. A user whose
    `active` is not true is none. `scopes` are a list, or a text with spaces between them. `label` tells the users of
    one table from those of another, and is the name of the table, or of the resource. Raises ConfigurationError.
    """

    def __init__(
        self,
        source: Any,
        *,
        model: type[Model] | None = None,
        name: str = DEFAULTS["name"],
        password: str = DEFAULTS["password"],
        active: str = DEFAULTS["active"],
        admin: str = DEFAULTS["admin"],
        scopes: str = DEFAULTS["scopes"],
        label: str | None = None,
    ) -> None:
        self.store = store_of(source, model, type(self).__name__)
        self.label: str = label_of(source, self.store) if label is None else label
        self._names = {"name": name, "password": password, "active": active, "admin": admin, "scopes": scopes}
        # PERF: benchmarks/policies.py: a text means the same key for ever
        self._key_of_text = lru_cache(maxsize=4096)(self._key)
        bound = self.store.bound_model
        named = isinstance(self.label, str) and self.label != ""
        problems = [] if named else [f"label must be a text that is not empty, not {label!r}"]
        if bound is not None:
            problems += self._misfits(bound) + self._shared_names(bound)
        refuse(problems, type(self).__name__)

    def _shared_names(self, model: Model) -> list[str]:
        """A sentence where two users could have one name, which would then be nobody's."""
        name = self._names["name"]
        if self.store.is_inferred or name not in model.by_name or (model.pk is not None and name == model.pk.name):
            return []
        if (name,) in model.unique_sets:
            return []
        return [f"name={name!r} is not unique, and a name that two users have logs neither in: declare it unique=True"]

    def _misfits(self, model: Model) -> list[str]:
        problems = [] if model.pk is not None else ["the users' model has no primary key"]
        for option, name in self._names.items():
            if name in model.by_name:
                kind = model.by_name[name].kind
                if option in ("active", "admin") and kind not in (Kind.BOOLEAN, Kind.INTEGER):
                    problems.append(f"{option}={name!r} is {kind.value}, and must be a boolean")
            elif name != DEFAULTS[option]:
                problems.append(f"{option}={name!r} names no field of the users{did_you_mean(str(name), model.names)}")
        return problems

    @cached_property
    def _fields(self) -> _Fields:
        """Which fields there are; the first use may read the model off the data (StoreUnavailable)."""
        model = self.store.model
        refuse(self._misfits(model), type(self).__name__)
        assert model.pk is not None
        held = {option: name if name in model.by_name else None for option, name in self._names.items()}
        named = held.pop("name")
        return _Fields(model.pk, model.by_name[named] if named is not None else None, **held)

    def check(self) -> list[str]:
        """A sentence for everything that keeps these users from logging in by name and password."""
        model = self.store.bound_model
        if model is None:
            return []
        return [
            f"users have no field {self._names[option]!r}; name it: Users(..., {option}=...)"
            for option in ("name", "password")
            if self._names[option] not in model.by_name
        ]

    # --- finding ------------------------------------------------------------------------------------------------------

    def find(self, text: str) -> Record | None:
        """The record of a user who may log in, by the primary key as text (StoreUnavailable)."""
        pk = self._key_of_text(text)
        if pk is None:
            return None
        try:
            record = self.store.get(pk)
        except RecordNotFound:
            return None
        return record if self._is_active(record) else None

    def _key(self, text: str) -> Pk | None:
        """The primary key that a text spells as keys are written, of which there is one way; None for any other."""
        field = self._fields.pk
        try:
            pk: Pk = field.parse(text)
        except ValueError:
            return None
        return pk if field.format(pk) == text else None

    def named(self, name: str) -> Record | None:
        """The record of a user by name, who may be disabled; a name that two have is nobody's (StoreUnavailable)."""
        field = self._fields.name
        if field is None:
            raise ConfigurationError("users have no name; say which field it is: Users(..., name=...)", owner="Users")
        try:
            wanted = Filter(field.name, "eq", field.parse(name))
        except ValueError:
            return None
        found = self.store.find(Query(wanted, page=Page(2))).records
        return found[0] if len(found) == 1 else None

    def named_active(self, name: str) -> Record | None:
        """The record of a user who may log in, by name (StoreUnavailable)."""
        record = self.named(name)
        return record if record is not None and self._is_active(record) else None

    def _is_active(self, record: Record) -> bool:
        active = self._fields.active
        return active is None or bool(record[active])

    def checked(self, name: str, password: str) -> Record:
        """The record of the user who has that name and password (AuthenticationFailed, StoreUnavailable).

        An unknown user, and one without a password, cost as much time as a wrong password does.
        """
        record, field = self.named(name), self._fields.password
        kept = None if record is None or field is None else record[field]
        if not check_password(kept, password) or record is None or not self._is_active(record):
            raise AuthenticationFailed(INVALID_CREDENTIALS)
        return record

    def verify(self, name: str, password: str) -> User:
        """The user who has that name and password (AuthenticationFailed, StoreUnavailable)."""
        return self.user(self.checked(name, password))

    # --- what a record says -------------------------------------------------------------------------------------------

    def user(self, record: Record, scopes: frozenset[str] | None = None) -> User:
        """A record as a user, without its password; `scopes` narrow what the record grants, and grant where it is mute.

        The record is taken over.
        """
        fields = self._fields
        if fields.password is not None:
            del record[fields.password]
        granted = scopes
        if fields.scopes is not None:
            granted = scopes_in(record[fields.scopes])
            if scopes is not None:
                granted &= scopes
        return User(
            record[fields.pk.name],
            name="" if fields.name is None else str(record[fields.name.name]),
            is_admin=fields.admin is not None and bool(record[fields.admin]),
            scopes=granted or NO_SCOPES,
            record=record,
            label=self.label,
        )

    def stamp(self, record: Record) -> str:
        """A text that changes when the user's password does, tells nothing of it, and differs by the users' label."""
        password = self._fields.password
        kept = record.get(password) if password is not None else None
        said = f"{len(self.label)}:{self.label}{kept or ''}"
        return hashlib.blake2b(said.encode(), digest_size=9).hexdigest()

    def key_of(self, user: User | Pk) -> str:
        """A user's primary key as text."""
        return self._fields.pk.format(user.pk if isinstance(user, User) else user)

    # --- writing ------------------------------------------------------------------------------------------------------

    def create(self, name: str, password: str | None, **values: Any) -> User:
        """Add a user; further fields by name, read-only ones too (ConfigurationError, Conflict, StoreUnavailable)."""
        model, fields = self.store.model, self._fields
        problems = self.check()
        unknown = [key for key in values if key not in model.by_name]
        problems += [f"users have no field {key!r}{did_you_mean(key, model.names)}" for key in unknown]
        refuse(problems, type(self).__name__)
        now = datetime.datetime.now(datetime.UTC)
        record = {
            field.name: field.at(now) if field.auto_now or field.auto_now_add else field.initial()
            for field in model.fields
            if not field.generated
        }
        for flag, usual in ((fields.active, True), (fields.admin, False)):
            if flag is not None and record[flag] is None:
                record[flag] = usual
        kept = None if password is None else hash_password(password)
        record |= {self._names["name"]: name, self._names["password"]: kept, **values}
        return self.user(self.store.atomic(lambda tx: tx.insert([record]))[0])

    def set_password(self, user: User | Pk, password: str) -> None:
        """Give a user another password, which ends the sessions and signed tokens of the old one (RecordNotFound)."""
        pk = user.pk if isinstance(user, User) else user
        assert pk is not None
        kept = {self._names["password"]: hash_password(password)}
        self.store.atomic(lambda tx: tx.update(pk, {**tx.get(pk), **kept}))


def scopes_in(value: Any) -> frozenset[str]:
    """The scopes that a field or a claim holds: a list, or a text with spaces between them (RFC 6749 §3.3)."""
    if isinstance(value, str):
        return frozenset(value.split()) if value else NO_SCOPES
    return frozenset(map(str, value)) if isinstance(value, Iterable) else frozenset()
