"""The dialect of PostgREST: conditions of any shape, nulls placed as we do, counts and rows on request by `Prefer`.

Text is compared by whatever collation the database has, so its order and its case are left alone. `*` stands for `%`
in a pattern and cannot be escaped. SQL's unknown is kept out: a negation says of null what we say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any as Anything
from typing import ClassVar, Final

from datastores.remote.address import Address, Parameters
from datastores.remote.client import Request
from datastores.remote.dialect import JSON, Chunk, Dialect
from datastores.remote.refusals import Refusal, refusal_of
from datastores.remote.transport import Reply
from rest_kit import jsonio
from rest_kit.errors import Fault, MalformedBody, RecordNotFound
from rest_kit.models import Field, Model
from rest_kit.models.scalars import storable
from rest_kit.query import All, Any, Filter, Order, Where
from rest_kit.types import Pk

COMPARISONS: Final = {"eq": "eq", "ne": "neq", "gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte"}
PATTERNS: Final = {"contains": "*{}*", "startswith": "{}*", "endswith": "*{}"}
OPERATORS: Final = {op: op for op in (*COMPARISONS, *PATTERNS, "in", "notin", "range", "isnull")}
ORDERED: Final = frozenset({"gt", "gte", "lt", "lte", "range"})
ONE: Final = {"Accept": "application/vnd.pgrst.object+json"}
BACK: Final = {"Prefer": "return=representation"}
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RESERVED: Final = frozenset({"select", "order", "limit", "offset", "and", "or", "not", "on_conflict", "columns"})
_KEY: Final = re.compile(r"Key \(([^)]*)\)=")
_COLUMN: Final = re.compile(r'column "([^"]*)"')
_COUNT: Final = re.compile(r"/([0-9]{1,18})\Z")


@dataclass(frozen=True)
class PostgREST(Dialect):
    """A table or view that PostgREST serves."""

    missing: ClassVar[frozenset[int]] = frozenset({404, 406, 410})
    repeats: ClassVar[bool] = True

    # Conditions

    def say(self, condition: Where, model: Model) -> Parameters | None:
        text = self.tree(condition, model)
        if text is None:
            return None
        return [("and", text[3:] if text.startswith("and(") else f"({text})")]

    def tree(self, condition: Where, model: Model) -> str | None:
        """A condition as it stands within `and=(...)`; None where it cannot be said."""
        if isinstance(condition, Filter):
            return self.leaf(condition, model.by_name[condition.field])
        if not isinstance(condition, (All, Any)) or not condition.parts:
            return None
        parts = [self.tree(part, model) for part in condition.parts]
        if any(part is None for part in parts):
            return None
        return f"{'and' if isinstance(condition, All) else 'or'}({','.join(part for part in parts if part)})"

    def leaf(self, condition: Filter, target: Field) -> str | None:
        """One comparison."""
        name, op, value = self.their(condition.field), condition.op, condition.value
        textual = target.kind.is_text and op in ORDERED
        if not self.filterable(condition) or textual or not self.speakable(target, name):
            return None
        if op == "isnull":
            return f"{name}.{'is' if value else 'not.is'}.null"
        texts = [target.format(one) for one in (value if op in ("in", "notin", "range") else [value])]
        if not texts or not all(map(storable, texts)):
            return None
        return _compared(name, op, texts)

    def speakable(self, target: Field, name: str) -> bool:
        """Whether the field can be named and compared."""
        return _PLAIN.match(name) is not None and name not in _RESERVED

    def order(self, keys: Sequence[Order], model: Model) -> Parameters | None:
        fields = [model.by_name[key.field] for key in keys]
        if not all(self.orderable(field) and self.speakable(field, self.their(field.name)) for field in fields):
            return None
        ends = {False: "asc.nullsfirst", True: "desc.nullslast"}
        return [("order", ",".join(f"{self.their(key.field)}.{ends[key.descending]}" for key in keys))]

    def orderable(self, target: Field) -> bool:
        if self.orderings is not None:
            return target.name in self.orderings
        return target.kind.is_scalar and not target.kind.is_text

    # Requests

    def listing(self, address: Address, parameters: Parameters, *, total: bool) -> Request:
        headers = {"Prefer": "count=exact"} if total else {}
        return Request("GET", address.collection(parameters), headers)

    def item(self, address: Address, key: Field, pk: Pk) -> str:
        text = key.format(pk)
        if not storable(text):
            raise RecordNotFound(pk)
        return address.collection([(self.their(key.name), f"eq.{text}")])

    def get(self, address: Address, key: Field, pk: Pk) -> Request:
        return Request("GET", self.item(address, key, pk), ONE)

    def insert(self, address: Address, rows: list[dict[str, Anything]]) -> Request:
        return Request("POST", address.collection([]), JSON | BACK, jsonio.dumps(rows))

    def change(self, url: str, row: dict[str, Anything]) -> Request:
        return Request("PATCH", url, JSON | BACK | ONE, jsonio.dumps(row))

    def remove(self, url: str) -> Request:
        return Request("DELETE", url, BACK | ONE)

    # Replies

    def chunk(self, request: Request, reply: Reply) -> Chunk:
        found = _COUNT.search(reply.headers.get("content-range", ""))
        total = int(found[1]) if found else None
        if reply.status == 416:  # the offset lies behind the end
            return Chunk([], False, total, None)
        return super().chunk(request, reply)._replace(total=total)

    def refusal(self, reply: Reply) -> Refusal:
        """What PostgreSQL's error says, without its text."""
        try:
            body = jsonio.loads(reply.body)
        except MalformedBody:
            return Refusal(())
        if not isinstance(body, dict):
            return refusal_of(reply)
        code, details, message = (str(body.get(name) or "") for name in ("code", "details", "message"))
        if code in ("23505", "23503"):
            names = _KEY.search(details)
            kind = "unique" if code == "23505" else "foreign_key"
            return Refusal([Fault(kind, "", (name.strip(),)) for name in names[1].split(",")] if names else ())
        column = _COLUMN.search(message)
        if code == "23502" and column:
            return Refusal([Fault("null", "may not be null", (column[1],))])
        return Refusal(())


def _compared(name: str, op: str, texts: list[str]) -> str | None:
    if op in PATTERNS:
        if "*" in texts[0]:
            return None
        needle = texts[0].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"{name}.like.{quoted(PATTERNS[op].format(needle))}"
    if op == "range":
        return f"and({name}.gte.{quoted(texts[0])},{name}.lte.{quoted(texts[1])})"
    if op in ("in", "notin"):
        return f"{name}.{'in' if op == 'in' else 'not.in'}.({','.join(map(quoted, texts))})"
    return f"{name}.{COMPARISONS[op]}.{quoted(texts[0])}"


def quoted(text: str) -> str:
    """A value within double quotes, in which every character but two stands for itself."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


POSTGREST: Final = PostgREST(
    operators=OPERATORS,
    fields="select",
    limit="limit",
    offset="offset",
    bulk=True,
    brings_keys=True,
    own_fields=False,
)
