"""From a query string to a `Query`: strict, typed, everything that is wrong said at once.

All that a resource accepts is put into one table when the resource is made ready: parameter name → field, operator,
cast. Reading a request's parameters is then one look-up each, and "did you mean" is the nearest name in the table.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

import msgspec

from rest_kit.errors import ConfigurationError, Fault, InvalidQuery, did_you_mean
from rest_kit.models import Field, Model
from rest_kit.models.scalars import parse_boolean, parse_string
from rest_kit.query import OPERATORS, All, Arity, Filter, Operator, Order, Search, Where

SEARCH: Final = "search"
ORDERING: Final = "ordering"
FIELDS: Final = "fields"
EXPAND: Final = "expand"
EQUALITY: Final = frozenset({"eq", "ne", "in", "notin"})
"""The operators that ask whether a value is the same."""
MAX_VALUES: Final = 1000
MAX_WORDS: Final = 20
MAX_FAULTS: Final = 20

_PLAIN: Final = re.compile(r"[A-Za-z0-9/?:@!$'()*,;=~._&-]*\Z")
_SAFE: Final = re.compile(r"[A-Za-z0-9/?:@!$'()*+,;=%~._-]*\Z")

Cast = Callable[[str], Any]


class FilterParameter(NamedTuple):
    """One row of the table: which field a parameter filters, how, and how its text is read."""

    field: str
    op: str
    cast: Cast


class Asked(msgspec.Struct, frozen=True):
    """What the parameters of a request ask for; `paging` are those of the pagination, for its policy to read."""

    where: Where | None
    order: tuple[Order, ...]
    fields: tuple[str, ...] | None
    search: Search | None
    paging: dict[str, Any]
    filters: dict[str, Any]
    kept: str
    """The raw query string without the paging parameters, ready for more to be added ("" or ending in `&`)."""
    expand: Any = None
    """What `expand` asks for, as whoever read it says it; None where it is not asked for."""


def decode(text: str) -> str:
    """A name or value out of a query string: `+` is a space, the rest percent-encoded UTF-8 (ValueError)."""
    if "%" in text or "+" in text or not text.isascii():
        text = unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode()
    return text


def safe(piece: str) -> str:
    """A raw piece of a query string with whatever may not stand in a URL percent-encoded."""
    return piece if _SAFE.match(piece) else quote(piece.encode("latin-1"), safe="/?:@!$'()*+,;=%~")


def split_values(text: str) -> list[str]:
    """Values separated by commas, in CSV's double quotes where they hold a comma themselves (ValueError)."""
    if not text:
        return []
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error as exc:
        raise ValueError("not a list of values separated by commas") from exc
    if len(rows) != 1:
        raise ValueError("not one list of values separated by commas")
    if len(rows[0]) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values")
    return rows[0]


def _cast(parse: Cast, operator: Operator) -> Cast:
    """How the text of a filter becomes a value for the store."""
    if operator.arity is Arity.BOOLEAN:
        return parse_boolean
    if operator.arity is Arity.ONE:
        return parse

    def several(text: str) -> tuple[Any, ...]:
        values = tuple(parse(value) for value in split_values(text))
        if operator.arity is Arity.TWO and len(values) != 2:
            raise ValueError("takes two values separated by a comma")
        return values

    return several


class Parameters:
    """Everything that the list of one resource may be asked for.

    `parsers` read the values of some fields where they are compared for equality; `expand` reads that parameter.
    """

    def __init__(
        self,
        model: Model,
        options: dict[str, Any],
        paging: Mapping[str, Cast],
        *,
        search: bool = True,
        parsers: Mapping[str, Cast] | None = None,
        expand: Cast | None = None,
    ) -> None:
        assert model.pk is not None
        self.model = model
        self.parsers = parsers or {}
        self.expand = expand
        self.pk = model.pk.name
        self.strict: bool = options.get("strict", True)
        self.readable = frozenset(model.readable)
        problems: list[str] = []
        filterable = self._fields(options, "filter_fields", problems, lambda field: True)
        self.orderable = frozenset(self._fields(options, "ordering_fields", problems, _has_order))
        self.searchable = self._fields(options, "search_fields", problems, _is_searched)
        self.default_order = self._default_order(options.get("ordering", ()), problems)
        self.paging = dict(paging)
        self.words = {ORDERING, FIELDS, *paging} | ({SEARCH} if search and self.searchable else set())
        self.words |= {EXPAND} if expand is not None else set()
        self.filters = self._table([model.by_name[name] for name in filterable])
        for name in (word for word in paging if word in (ORDERING, FIELDS, SEARCH, EXPAND) or word in self.filters):
            problems.append(f"the pagination's parameter {name!r} has another meaning here already; choose another")
        if problems:
            raise ConfigurationError(problems)

    def _fields(
        self, options: dict[str, Any], key: str, problems: list[str], fits: Callable[[Field], bool]
    ) -> tuple[str, ...]:
        """The fields named by an option, or all that the option could name."""
        able = tuple(name for name in self.model.readable if fits(self.model.by_name[name]))
        if key not in options:
            return able
        for name in options[key]:
            if name not in able:
                problems.append(
                    f"controller options[{key!r}] names {name!r}, which cannot be used so{did_you_mean(name, able)}"
                )
        return tuple(name for name in options[key] if name in able)

    def _default_order(self, given: str | Sequence[str], problems: list[str]) -> tuple[Order, ...]:
        keys = given.split(",") if isinstance(given, str) else given
        order = tuple(Order(key.removeprefix("-"), key.startswith("-")) for key in keys if key)
        for key in order:
            if key.field not in self.orderable:
                problems.append(
                    f"controller options['ordering'] names {key.field!r}, "
                    f"which cannot be ordered by{did_you_mean(key.field, self.orderable)}"
                )
        return order

    def _table(self, fields: Sequence[Field]) -> dict[str, FilterParameter]:
        table = {}
        for field in fields:
            for operator in OPERATORS.values():
                if operator.fits(field.kind) and (field.comparable or operator.arity is Arity.BOOLEAN):
                    row = FilterParameter(field.name, operator.name, _cast(self._parser(field, operator), operator))
                    table[f"{field.name}__{operator.name}"] = row
        for field in fields:
            if _has_order(field) and field.name not in self.words:
                table[field.name] = FilterParameter(field.name, "eq", self.parsers.get(field.name, field.parse))
        return table

    def _parser(self, field: Field, operator: Operator) -> Cast:
        """What reads one value of a field's filter."""
        return self.parsers.get(field.name, field.parse) if operator.name in EQUALITY else field.parse

    def read(self, query_string: str, *, lenient: bool = False, paged: bool = True, mount: str = "") -> Asked:
        """What a query string asks for (InvalidQuery with every fault).

        `paged=False` refuses the parameters that only reading takes: those of paging, and `expand`; `mount` is the
        path of the collection, for tables that read URIs.
        """
        if not query_string:
            return Asked(None, self.default_order, None, None, {}, {}, "")
        return _Reading(self, lenient or not self.strict, paged).run(query_string)

    def known(self, *, paged: bool = True) -> list[str]:
        """Every parameter's name, those of the pagination only if asked for."""
        words = self.words if paged else self.words - {*self.paging, EXPAND}
        return [*words, *self.filters]

    def item(self, query_string: str, *, lenient: bool = False) -> tuple[tuple[str, ...] | None, Any]:
        """The parameters that an item takes: `fields`, and `expand` where there are relations (InvalidQuery)."""
        readers: dict[str, Cast] = {FIELDS: lambda text: select(text, self.model)}
        if self.expand is not None:
            readers[EXPAND] = self.expand
        found = item_words(query_string, readers, lenient=lenient)
        return found.get(FIELDS), found.get(EXPAND)

    def ordering(self, text: str) -> tuple[Order, ...]:
        """The keys of an `ordering` parameter (ValueError)."""
        found: dict[str, Order] = {}
        for key in text.split(","):
            name = key.removeprefix("-")
            if name not in self.orderable:
                raise ValueError(f"{name!r} is not a field to order by{did_you_mean(name, self.orderable)}")
            if name in found:
                raise ValueError(f"{name!r} is named twice")
            found[name] = Order(name, key != name)
        return tuple(found.values())

    def search(self, text: str) -> Search | None:
        """The words of a `search` parameter; None where there are none (ValueError)."""
        words = tuple(parse_string(text).split())
        if len(words) > MAX_WORDS:
            raise ValueError(f"more than {MAX_WORDS} words")
        return Search(words, self.searchable) if words else None


def _has_order(field: Field) -> bool:
    return field.kind.is_scalar and field.comparable


def _is_searched(field: Field) -> bool:
    return field.kind.is_text and field.comparable


def select(text: str, model: Model) -> tuple[str, ...]:
    """The fields of a `fields` parameter, the primary key first; `resource_uri` may be named, as it comes anyway."""
    assert model.pk is not None
    names = dict.fromkeys([model.pk.name, *text.split(",")])
    names.pop("resource_uri", None)
    for name in names:
        if name not in model.readable:
            raise ValueError(f"{name!r} is not a field{did_you_mean(name, model.readable)}")
    return tuple(names)


class _Reading:
    """One query string being read: what was found so far, and what is wrong with it."""

    __slots__ = ("conditions", "faults", "filters", "kept", "lenient", "paged", "paging", "seen", "table", "words")

    def __init__(self, table: Parameters, lenient: bool, paged: bool) -> None:
        self.table = table
        self.lenient = lenient
        self.paged = paged
        self.faults: list[Fault] = []
        self.conditions: list[Where] = []
        self.filters: dict[str, Any] = {}
        self.words: dict[str, Any] = {}
        self.paging: dict[str, Any] = {}
        self.seen: set[str] = set()
        self.kept = ""

    def run(self, query_string: str) -> Asked:
        plain = _PLAIN.match(query_string) is not None
        for piece in query_string.split("&"):
            if piece:
                self._piece(piece, plain)
        if self.faults:
            raise InvalidQuery(self.faults)
        conditions, words = self.conditions, self.words
        return Asked(
            All(*conditions) if len(conditions) > 1 else conditions[0] if conditions else None,
            words.get(ORDERING, self.table.default_order),
            words.get(FIELDS),
            words.get(SEARCH),
            self.paging,
            self.filters,
            self.kept,
            words.get(EXPAND),
        )

    def _piece(self, piece: str, plain: bool) -> None:
        """Read one `name=value`; `plain` says that nothing in it is encoded."""
        name, _, value = piece.partition("=")
        if not plain:
            try:
                name, value, piece = decode(name), decode(value), safe(piece)
            except UnicodeError:
                self._fault("utf8", "is not UTF-8", safe(name))
                return
        if name in self.seen:
            self._fault("twice", "is given twice", name)
            return
        self.seen.add(name)
        try:
            if self.paged and name in self.table.paging:
                self.paging[name] = self.table.paging[name](value)
                return
            self.kept += piece + "&"
            found = self.table.filters.get(name)
            if found is None:
                self._word(name, value)
            else:
                self.filters[name] = typed = found.cast(value)
                self.conditions.append(Filter(found.field, found.op, typed))
        except ValueError as exc:
            self._fault("invalid", str(exc), name)

    def _word(self, name: str, value: str) -> None:
        """Read a parameter that is no filter (ValueError)."""
        table = self.table
        if name not in table.words or name in table.paging or (name == EXPAND and not self.paged):
            if not self.lenient:
                hint = did_you_mean(name, table.known(paged=self.paged))
                self._fault("unknown", f"{name[:100]!r} is not a parameter here{hint}", name)
        elif name == ORDERING:
            self.words[name] = table.ordering(value)
        elif name == FIELDS:
            self.words[name] = select(value, table.model)
        elif name == EXPAND and table.expand is not None:
            self.words[name] = table.expand(value)
        else:
            self.words[name] = table.search(value)

    def _fault(self, code: str, detail: str, name: str) -> None:
        self.faults.append(Fault(code, detail, parameter=name[:100]))
        if len(self.faults) >= MAX_FAULTS:
            raise InvalidQuery(self.faults)


def item_fields(query_string: str, model: Model, *, lenient: bool = False) -> tuple[str, ...] | None:
    """The only parameter that the reply to a write takes, `fields` (InvalidQuery)."""
    found: tuple[str, ...] | None = item_words(
        query_string, {FIELDS: lambda text: select(text, model)}, lenient=lenient
    ).get(FIELDS)
    return found


def item_words(query_string: str, readers: Mapping[str, Cast], *, lenient: bool = False) -> dict[str, Any]:
    """The parameters of an item by name, each read by its reader (InvalidQuery with every fault)."""
    found: dict[str, Any] = {}
    faults: list[Fault] = []
    for piece in filter(None, query_string.split("&")):
        raw_name, _, raw_value = piece.partition("=")
        try:
            name, value = decode(raw_name), decode(raw_value)
        except UnicodeError:
            faults.append(Fault("utf8", "is not UTF-8", parameter=safe(raw_name)[:100]))
        else:
            _item_word(name, value, readers, found, faults if name in readers or not lenient else [])
        if len(faults) >= MAX_FAULTS:
            break
    if faults:
        raise InvalidQuery(faults)
    return found


def _item_word(name: str, value: str, readers: Mapping[str, Cast], found: dict[str, Any], faults: list[Fault]) -> None:
    """Read one parameter into what was found, or note what is wrong with it."""
    if name not in readers:
        text = f"{name[:100]!r} is not a parameter here{did_you_mean(name, readers)}"
        faults.append(Fault("unknown", text, parameter=name[:100]))
    elif name in found:
        faults.append(Fault("twice", "is given twice", parameter=name))
    else:
        try:
            found[name] = readers[name](value)
        except ValueError as exc:
            found[name] = None
            faults.append(Fault("invalid", str(exc), parameter=name))


def refuse_all(query_string: str) -> None:
    """Refuse every parameter, where none means anything (InvalidQuery)."""
    names = [safe(piece.partition("=")[0])[:100] for piece in query_string.split("&") if piece]
    if names:
        raise InvalidQuery([Fault("unknown", f"{name!r} is not a parameter here", parameter=name) for name in names])
