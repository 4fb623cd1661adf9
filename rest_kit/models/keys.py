"""The fields that name a record: primary keys, and references to records of other resources."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from rest_kit.models.constraints import Constraint, Message
from rest_kit.models.field import Field
from rest_kit.models.options import BoundOptions, FieldOptions, NumericKeyOptions, TextKeyOptions, TextOptions
from rest_kit.models.simple import IntegerField, StringField, UUIDField


class PkField(IntegerField):
    """An integer primary key that the store makes; clients never bring it, whatever `required` says."""

    primary_key = True
    generated = True

    def __init__(self, name: str = "id", **options: Unpack[BoundOptions]) -> None:
        made: dict[str, Any] = {**options, "required": False, "nullable": False, "read_only": True}
        super().__init__(name, **made)


class StringPkField(StringField):
    """A text primary key that the client brings: never empty, and never a relative path segment."""

    primary_key = True

    def __init__(self, name: str = "id", **options: Unpack[TextOptions]) -> None:
        brought: dict[str, Any] = {"required": "default" not in options, "min_length": 1, **options, "nullable": False}
        super().__init__(name, **brought)

    def constraints(self) -> list[Constraint]:
        return [*super().constraints(), NoDots()]


class NoDots(Constraint):
    """The text is neither "." nor "..", which a URL takes for the way to somewhere else."""

    misfit = "{v} in {c}"
    message = Message('may not be "." or ".."', "invalid")
    limit: ClassVar[frozenset[str]] = frozenset({".", ".."})

    def holds(self, value: Any) -> bool:
        return value not in self.limit


class UUIDPkField(UUIDField):
    """A random UUID as primary key, made when a record is loaded; clients never bring it."""

    primary_key = True

    def __init__(self, name: str = "id", **options: Unpack[FieldOptions]) -> None:
        made: dict[str, Any] = {"default": uuid.uuid4, **options, "required": False, "nullable": False}
        made["read_only"] = True
        super().__init__(name, **made)

    @property
    def assigned(self) -> bool:
        return True


class Reference(Field):
    """A field that holds the primary key of a record elsewhere.

    `resource` names the other resource, as rest_kit serves it; `references` is `table.column`, for stores that can
    hold the database to it. `related_name` is what the other resource calls the records that refer to it; `on_delete`
    is what becomes of them with it: `restrict` (it stays), `cascade` (they go too) or `set_null`.
    """

    def __init__(self, name: str = "", **options: Any) -> None:
        super().__init__(name, **options)

    def settle(self, options: Mapping[str, Any]) -> None:
        self.resource = options.get("resource")
        self.references = options.get("references")
        if self.references is not None and len(self.references.split(".")) < 2:
            self._note(f"references must be 'table.column', not {self.references!r}")
        self.related_name = options.get("related_name")
        self.on_delete = options.get("on_delete", "restrict")
        super().settle(options)
        if self.on_delete == "set_null" and not self.nullable:
            self._note("on_delete='set_null' needs nullable=True")


class IntForeign(Reference, IntegerField):
    """The integer key of a record of another resource."""

    option_names = NumericKeyOptions.__annotations__

    def __init__(self, name: str = "", **options: Unpack[NumericKeyOptions]) -> None:
        super().__init__(name, **options)


class StringForeign(Reference, StringField):
    """The text key of a record of another resource."""

    option_names = TextKeyOptions.__annotations__

    def __init__(self, name: str = "", **options: Unpack[TextKeyOptions]) -> None:
        super().__init__(name, **options)
