"""The dialect of rest_kit itself: everything can be said, and what a resource narrows stands in its schema.

A change is a JSON Patch, which alone replaces the value of an object member as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from datastores.remote.client import Request
from datastores.remote.dialect import Dialect
from rest_kit import jsonio
from rest_kit.errors import RemoteError
from rest_kit.models import Field
from rest_kit.query import OPERATORS

MOST_VALUES: Final = 1000
"""How many values rest_kit takes in one list."""
JSON_PATCH: Final = {"Content-Type": "application/json-patch+json"}


@dataclass(frozen=True)
class RestKit(Dialect):
    """A resource of rest_kit, with the names that it has unless told otherwise."""

    def joined(self, texts: list[str]) -> str | None:
        if not 0 < len(texts) <= MOST_VALUES:
            return None
        return ",".join('"' + text.replace('"', '""') + '"' for text in texts)

    def orderable(self, target: Field) -> bool:
        return target.kind.is_scalar if self.orderings is None else target.name in self.orderings

    def change(self, url: str, row: dict[str, Any]) -> Request:
        if self.update == "PUT":
            return super().change(url, row)
        operations = [{"op": "add", "path": "/" + pointed(name), "value": value} for name, value in row.items()]
        return Request("PATCH", url, JSON_PATCH, jsonio.dumps(operations))

    def learned(self, schema: Mapping[str, Any]) -> RestKit:
        """The dialect with what a resource's own description says of it (RemoteError)."""
        filters, orderings, searched = schema.get("filters"), schema.get("ordering"), schema.get("search")
        paging: Any = schema.get("pagination")
        if not (isinstance(filters, dict) and all(isinstance(x, list) for x in (orderings, searched, paging))):
            raise RemoteError("the schema of the resource is not one of rest_kit's")
        told = replace(
            self,
            filters={self.our(name): known for name, known in filters.items()},
            orderings=[self.our(name) for name in orderings or ()],
            searched=[self.our(name) for name in searched or ()],
        )
        if self.limit in paging and self.offset in paging:
            return told
        # pages by number or by cursor are gone through by their links
        size = next((name for name in ("count", "page_size") if name in paging), None)
        return replace(told, offset=None, limit=size)


def pointed(name: str) -> str:
    """A member's name within a JSON Pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")


REST_KIT: Final = RestKit(
    operators={name: "{field}__" + name for name in OPERATORS},
    ordering="ordering",
    search="search",
    fields="fields",
    limit="count",
    offset="offset",
    results="object_list",
    total="meta.total_count",
    link="meta.next",
    conditional=True,
    bulk=True,
)
