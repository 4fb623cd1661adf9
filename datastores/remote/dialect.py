"""How one sort of API is asked, and where its answers hold what; the parts that most APIs share.

A dialect says of each condition, order and search either the parameters that mean exactly the same, or None: then it is
done here. It knows the names on the other side, and reads rows, totals and links out of replies; it does no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple

from datastores.remote.address import Address, Parameters
from datastores.remote.client import Request, json_of
from datastores.remote.refusals import Refusal, refusal_of
from datastores.remote.transport import Reply
from rest_kit import jsonio
from rest_kit.errors import RemoteError
from rest_kit.models import Field, Model
from rest_kit.models.scalars import storable
from rest_kit.query import OPERATORS, Arity, Filter, Order, Search, Where
from rest_kit.types import Pk

JSON: Final = {"Content-Type": "application/json"}
_REL_NEXT: Final = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')


class Chunk(NamedTuple):
    """A part of a list as it came: rows, whether more follow (None: unknown), how many in all, the link to the next."""

    rows: list[Any]
    more: bool | None
    total: int | None
    link: str | None


@dataclass(frozen=True)
class Dialect:
    """One sort of API. `{field}` in an operator's template stands for the field's name on the other side.

    `filters`: which operators each field may be filtered with (None: all that `operators` has, for every field);
    `orderings`: which fields it orders exactly as we do (None: those that are neither text nor nullable);
    `searched`: the text fields in which it searches (None: it does not, or not as we do). `results`, `total` and `link`
    are places in a list's body (`data.items`), or `header:Name`. `names`: ours → theirs.
    """

    operators: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, Sequence[str]] | None = None
    orderings: Sequence[str] | None = None
    searched: Sequence[str] | None = None
    ordering: str | None = None
    search: str | None = None
    fields: str | None = None
    limit: str | None = None
    offset: str | None = None
    page: str | None = None
    page_size: int | None = None
    results: str = ""
    total: str = ""
    link: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    update: str = "PATCH"
    conditional: bool = False
    bulk: bool = False
    brings_keys: bool = False
    own_fields: bool = True
    """Whether the other side sets read-only fields, so that they are not sent."""
    most: int = 100
    """How many rows are asked for at a time."""

    missing: ClassVar[frozenset[int]] = frozenset({404, 410})
    """The statuses that say of an item that it is not there."""
    repeats: ClassVar[bool] = False
    """Whether a parameter may be given twice, both having to hold."""

    # What is asked

    def their(self, name: str) -> str:
        """A field's name on the other side."""
        return self.names.get(name, name)

    def our(self, their: str) -> str:
        """Our name of a field on the other side."""
        return next((name for name, known in self.names.items() if known == their), their)

    def say(self, condition: Where, model: Model) -> Parameters | None:
        """The parameters that mean exactly this condition; None where there are none."""
        if not isinstance(condition, Filter) or not self.filterable(condition):
            return None
        text = self.operand(model.by_name[condition.field], condition)
        if text is None or not storable(text):
            return None
        return [(self.operators[condition.op].replace("{field}", self.their(condition.field)), text)]

    def filterable(self, condition: Filter) -> bool:
        """Whether the field may be filtered so."""
        known = condition.op in self.operators and condition.value is not None
        return known and (self.filters is None or condition.op in self.filters.get(condition.field, ()))

    def operand(self, target: Field, condition: Filter) -> str | None:
        """The value of a filter as text; None where it cannot be written."""
        arity = OPERATORS[condition.op].arity
        if arity is Arity.BOOLEAN:
            return "true" if condition.value else "false"
        if arity is Arity.ONE:
            return target.format(condition.value)
        return self.joined([target.format(value) for value in condition.value])

    def joined(self, texts: list[str]) -> str | None:
        """Several values as one text, with commas; None where they would not come apart again."""
        return None if not texts or any("," in text or not text for text in texts) else ",".join(texts)

    def order(self, keys: Sequence[Order], model: Model) -> Parameters | None:
        """The parameters for an order; None where it would come out otherwise."""
        if self.ordering is None or not all(self.orderable(model.by_name[key.field]) for key in keys):
            return None
        return [(self.ordering, ",".join(("-" if key.descending else "") + self.their(key.field) for key in keys))]

    def orderable(self, target: Field) -> bool:
        """Whether the field orders there as it does here."""
        if self.orderings is not None:
            return target.name in self.orderings
        return target.kind.is_scalar and not target.kind.is_text and not target.nullable

    def find(self, search: Search, model: Model) -> tuple[Parameters, bool] | None:
        """The parameters for a search, and whether they mean exactly it or only a part of it; None for neither."""
        if self.search is None or self.searched is None or not set(search.fields) <= set(self.searched):
            return None
        if any(word.split() != [word] or not storable(word) for word in search.words):
            return None
        return [(self.search, " ".join(search.words))], set(search.fields) == set(self.searched)

    def select(self, names: Iterable[str]) -> Parameters:
        """The parameters that cut the rows to some fields; none where that cannot be asked for."""
        return [] if self.fields is None else [(self.fields, ",".join(map(self.their, names)))]

    def listing(self, address: Address, parameters: Parameters, *, total: bool) -> Request:
        """The request for a part of the list."""
        return Request("GET", address.collection(parameters))

    # What is answered

    def chunk(self, request: Request, reply: Reply) -> Chunk:
        """What a reply to `listing` holds (RemoteError)."""
        body = json_of(request, reply)
        rows = body if isinstance(body, list) else place(body, self.results)
        if not isinstance(rows, list):
            raise RemoteError(f"{request}: there is no list of rows {_where(self.results)}")
        total = self._total(body, reply)
        link = self._link(body, reply)
        more = link is not None if self.link else None
        return Chunk(rows, more, total, link)

    def _total(self, body: Any, reply: Reply) -> int | None:
        name = "header:X-Total-Count" if isinstance(body, list) and not self.total.startswith("header:") else self.total
        found = header(reply, name) if name.startswith("header:") else place(body, name) if name else None
        if isinstance(found, str) and found.isascii() and found.isdigit():
            return int(found)
        return found if type(found) is int else None

    def _link(self, body: Any, reply: Reply) -> str | None:
        if isinstance(body, list) or self.link.startswith("header:"):
            found = _REL_NEXT.search(reply.headers.get("link", ""))
            return found[1] if found else None
        link = place(body, self.link) if self.link else None
        return link if isinstance(link, str) and link else None

    # One record

    def item(self, address: Address, key: Field, pk: Pk) -> str:
        """The URL of one record (RecordNotFound where none can hold its key)."""
        return address.item(key.format(pk), pk, [])

    def get(self, address: Address, key: Field, pk: Pk) -> Request:
        """The request for one record."""
        return Request("GET", self.item(address, key, pk))

    def insert(self, address: Address, rows: list[dict[str, Any]]) -> Request:
        """The request that adds rows; more than one only where `bulk` says so."""
        body = rows if len(rows) > 1 else rows[0]
        return Request("POST", address.collection([]), JSON, jsonio.dumps(body))

    def change(self, url: str, row: dict[str, Any]) -> Request:
        """The request that sets some members of a record, or all of them."""
        return Request(self.update, url, JSON, jsonio.dumps(row))

    def remove(self, url: str) -> Request:
        """The request that removes a record."""
        return Request("DELETE", url)

    def stored(self, request: Request, reply: Reply) -> list[Any]:
        """The rows in the reply to a write (RemoteError)."""
        body = json_of(request, reply)
        return body if isinstance(body, list) else [body]

    def refusal(self, reply: Reply) -> Refusal:
        """What the other side says is wrong with a write."""
        return refusal_of(reply)


def place(body: Any, path: str) -> Any:
    """What stands at `a.b` in a JSON value; None where there is nothing, the value itself at ""."""
    for name in path.split(".") if path else ():
        body = body.get(name) if isinstance(body, dict) else None
    return body


def header(reply: Reply, name: str) -> str | None:
    """A header named `header:Name`."""
    return reply.headers.get(name.removeprefix("header:").lower())


def _where(path: str) -> str:
    return f"at {path!r}" if path else "in the body"
