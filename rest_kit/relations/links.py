"""Foreign keys as URIs: a text that is exactly the URI of one of the target's items stands for that item's key.

Inside there are only keys. Bodies and filters are turned into keys as they come in; with `"foreign_keys": "uri"` the
objects of replies are turned into URIs as they go out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from rest_kit.models import Field
from rest_kit.models.field import NotAKey
from rest_kit.types import Record
from rest_kit.views.base import segment


class Link(msgspec.Struct, frozen=True):
    """One foreign key: its field, the resource that it names, and where that resource is mounted."""

    field: Field
    target: str
    mount: str


class Links:
    """Reads and writes the foreign keys of one resource; `mounts` are those of all resources there are."""

    def __init__(self, links: list[Link], mounts: list[str]) -> None:
        self.by_field = {link.field.name: link for link in links}
        self.mounts = tuple(mounts)

    # --- what comes in ------------------------------------------------------------------------------------------------

    def parsers(self, script: str) -> Mapping[str, Callable[[str], Any]]:
        """By field, what reads a key or a URI in a query string, for an application mounted there (ValueError)."""
        return {name: self._parser(link, script) for name, link in self.by_field.items()}

    def _parser(self, link: Link, script: str) -> Callable[[str], Any]:
        def parse(text: str) -> Any:
            if not self.is_uri(link, text, script):
                return link.field.parse(text)
            return self.key_in(link, text, script)

        return parse

    def is_uri(self, link: Link, text: str, script: str) -> bool:
        """Whether a text means to be a URI: no number holds a slash, and a text may begin as our resources' do."""
        if not link.field.kind.is_text:
            return "/" in text
        return text.startswith(tuple(script + mount for mount in self.mounts))

    def key_in(self, link: Link, text: str, script: str) -> Any:
        """The key in the URI of an item of the target, written exactly as replies write it (ValueError)."""
        start = script + link.mount
        rest = text.removeprefix(start)
        if rest != text and len(rest) > 1 and rest.endswith("/"):
            try:
                key = link.field.parse(unquote(rest[:-1], errors="strict"))
            except ValueError:
                key = None
            if key is not None and f"{segment(key)}/" == rest:
                return key
        raise ValueError(f"is not the URI of one of {link.target!r}, which reads {start}<key>/")

    def plain(self, data: Any, script: str) -> Any:
        """An object, or each of an array, with keys in place of URIs; what is neither becomes a NotAKey."""
        if isinstance(data, list):
            return [self.plain(one, script) if isinstance(one, dict) else one for one in data]
        if not isinstance(data, dict):
            return data
        found = {name: self.value(name, data[name], script) for name in self.by_field if name in data}
        return {**data, **found}

    def value(self, name: str, value: Any, script: str) -> Any:
        """What one foreign key is given: a key, or the one that a URI stands for, as JSON shows it."""
        link = self.by_field[name]
        if isinstance(value, dict):
            return NotAKey(f"takes the key or the URI of one of {link.target!r}, not the object: send its key alone")
        if isinstance(value, str) and self.is_uri(link, value, script):
            try:
                return link.field.to_json(self.key_in(link, value, script))
            except ValueError as exc:
                return NotAKey(str(exc))
        return value

    def operations(self, operations: Any, script: str) -> Any:
        """A JSON Patch with keys in place of URIs."""
        if not isinstance(operations, list):
            return operations
        return [self._operation(one, script) if isinstance(one, dict) else one for one in operations]

    def _operation(self, operation: dict[str, Any], script: str) -> dict[str, Any]:
        path = operation.get("path")
        if "value" not in operation or not isinstance(path, str):
            return operation
        if not path:
            return {**operation, "value": self.plain(operation["value"], script)}
        name = path[1:].replace("~1", "/").replace("~0", "~")
        if name not in self.by_field:
            return operation
        return {**operation, "value": self.value(name, operation["value"], script)}

    # --- what goes out ------------------------------------------------------------------------------------------------

    def show(self, objects: list[Record], script: str) -> list[Record]:
        """The objects with URIs in place of keys, changed in place."""
        for name, link in self.by_field.items():
            start = script + link.mount
            for obj in objects:
                if obj.get(name) is not None:
                    obj[name] = f"{start}{segment(obj[name])}/"
        return objects
