"""The field that takes a password and keeps its hash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from rest_kit.models.options import PasswordOptions
from rest_kit.models.simple import StringField
from rest_kit.passwords import hash_password, is_hash


class Hashed(str):
    """A hash on its way back into the field that it was read from; no JSON makes one, so nobody can bring one."""

    __slots__ = ()


class PasswordField(StringField):
    """A password: clients set it and never see it, and what is stored is its scrypt hash.

    `min_length` (8), `max_length` (1024), `regex` and `validate` are about the password itself; whatever else sees the
    record, hooks and rules over the whole object included, sees the hash. What actions and hooks put there in its
    place is a password too, checked and hashed like a client's.
    """

    option_names = PasswordOptions.__annotations__

    def __init__(self, name: str = "", **options: Unpack[PasswordOptions]) -> None:
        super().__init__(name, **options)
        self.max_length = None  # that of the password: the hash in the column is longer

    def _for_marshmallow(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {**super()._for_marshmallow(options), "load_only": True}

    def settle(self, options: Mapping[str, Any]) -> None:
        super().settle({"min_length": 8, "max_length": 1024, **options})

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        if isinstance(value, Hashed):
            return str(value)
        password = super().deserialize(value, attr, data, **kwargs)
        return None if password is None else hash_password(password)

    def as_sent(self, value: Any) -> Any:
        return Hashed(value)

    def as_given(self, value: Any, was: Any) -> Any:
        if value == was:
            return self.as_sent(value)
        if is_hash(value):
            raise ValueError("is a hash already: give the password itself, which is hashed here")
        return value
