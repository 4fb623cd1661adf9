"""The field that holds a file: the record has one line of text about it, and a file storage has its bytes.

    3f1c…e0 48213 image/png cover of it.png          key in the storage, bytes, media type, the sender's name for it

What clients see is that line as an object, with the address where the bytes can be had.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Unpack

import msgspec
from marshmallow import fields as ma

from rest_kit.errors import StoreCorrupt
from rest_kit.models.field import Field
from rest_kit.models.options import FileOptions
from rest_kit.types import Kind

DEFAULT_MAX_SIZE: Final = 10 * 1024 * 1024
"""How many bytes a file may have unless the field says otherwise."""

MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}\Z")
"""A media type as it is kept: in lower case, without parameters (RFC 6838 §4.2)."""
_RANGE: Final = re.compile(r"[a-z0-9!#$&^_.+-]+/\*\Z")
_LINE: Final = re.compile(r"([A-Za-z0-9._/-]{1,200}) ([0-9]{1,19}) ([^ /]+/[^ /]+) ([^\0-\x1f\x7f]+)\Z")


class StoredFile(msgspec.Struct, frozen=True):
    """What a record says of a file: its `key` in the storage, its `size` in bytes, its media `type`, and its `name`."""

    key: str
    size: int
    type: str
    name: str

    @property
    def text(self) -> str:
        """The line that stands in the record."""
        return f"{self.key} {self.size} {self.type} {self.name}"

    @classmethod
    def of(cls, text: str) -> StoredFile:
        """The file that a record's line speaks of (StoreCorrupt where it speaks of none)."""
        found = _LINE.match(text)
        if found is None:
            raise StoreCorrupt(f"{text[:100]!r} does not say where a file is")
        return cls(found[1], int(found[2]), found[3], found[4])


class FileField(Field, ma.Dict):
    """A file, whose bytes lie in the resource's file storage; shown as an object of `url`, `name`, `type` and `size`.

    `types`: the media types that are taken, such as `image/png` or `image/*` (all, where left out). `max_size`: how
    many bytes a file may have. It is sent in a form (`multipart/form-data`), or by itself to its own address.
    """

    kind = Kind.STRING
    comparable = False
    option_names = FileOptions.__annotations__
    types: tuple[str, ...] | None
    max_size: int
    texts: ClassVar[Mapping[str, str]] = {"file": "takes a file: send a form (multipart/form-data), or PUT it alone"}

    def __init__(self, name: str = "", **options: Unpack[FileOptions]) -> None:
        super().__init__(name, **options)

    def settle(self, options: Mapping[str, Any]) -> None:
        given = options.get("types")
        self.types = None if given is None else tuple(given)
        for wrong in (one for one in self.types or () if not (MEDIA_TYPE.match(one) or _RANGE.match(one))):
            self._note(f"types holds {wrong!r}, which is no media type such as 'image/png' or 'image/*'")
        self.max_size = options.get("max_size", DEFAULT_MAX_SIZE)
        super().settle(options)

    @property
    def plain(self) -> bool:
        return False

    def convert(self, value: Any) -> str:
        if not isinstance(value, StoredFile):
            raise self.make_error("file")
        return value.text

    def to_json(self, value: Any) -> Any:
        file = StoredFile.of(value)
        return {"name": file.name, "type": file.type, "size": file.size}

    def to_stored(self, value: Any) -> Any:
        return value

    def as_sent(self, value: Any) -> Any:
        return StoredFile.of(value)


def file_fields(fields: Iterable[Field]) -> dict[str, FileField]:
    """Those of the fields that hold files, by name."""
    return {field.name: field for field in fields if isinstance(field, FileField)}


def keys_named(record: Mapping[str, Any], names: Iterable[str]) -> set[str]:
    """The keys of the files that a record's fields of these names speak of; a line that speaks of none adds none."""
    found = [_LINE.match(record[name]) for name in names if record.get(name) is not None]
    return {line[1] for line in found if line is not None}


def misplaced_files(fields: Iterable[Field]) -> list[str]:
    """The names of lists and objects that have a file somewhere within, where none can be kept."""
    return [field.name for field in fields if _within(field)]


def _within(field: Field) -> bool:
    inner = [] if field.model is None else list(field.model.fields)
    inner += [] if field.item is None else [field.item]
    return any(isinstance(one, FileField) or _within(one) for one in inner)
