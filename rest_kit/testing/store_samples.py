"""What the conformance suite stores: models that use every kind of field, and values that stores like to get wrong."""

from __future__ import annotations

import datetime
import random
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from rest_kit.models import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    FloatField,
    IntegerField,
    JsonField,
    ListField,
    Model,
    NestedField,
    PkField,
    StringField,
    StringPkField,
    TextField,
    UniqueTogether,
    UUIDField,
    UUIDPkField,
)
from rest_kit.types import INT64_MAX, INT64_MIN, Record

UTC: Final = datetime.UTC


def person_model() -> Model:
    """A small model: a generated key, one required text, the rest nullable."""
    return Model.of(
        "Person",
        [
            PkField("id"),
            StringField("name", required=True, max_length=200),
            StringField("nick", max_length=200),
            IntegerField("age"),
            FloatField("score"),
        ],
    )


def every_model() -> Model:
    """A model with a nullable field of every kind, and a text that is never null."""
    return Model.of(
        "Every",
        [
            PkField("id"),
            StringField("title", required=True, max_length=200),
            StringField("text", max_length=200),
            TextField("long"),
            IntegerField("integer"),
            FloatField("float"),
            DecimalField("decimal", digits=12, places=2),
            BooleanField("boolean"),
            DateField("date"),
            DateTimeField("moment"),
            UUIDField("uuid"),
            ListField("list"),
            DictField("dict"),
        ],
    )


def nested_model() -> Model:
    """A model whose list and object hold typed parts themselves."""
    price = Model.of("Price", [DecimalField("amount", places=2, required=True), DateField("since", required=True)])
    return Model.of("Nested", [PkField("id"), ListField("days", DateField("day")), NestedField("price", price)])


def json_model() -> Model:
    """A model with a value that may be any JSON, beside one that may change without it."""
    return Model.of("Json", [PkField("id"), JsonField("value"), IntegerField("number")])


def unique_model() -> Model:
    """A model with a unique field, and two that are unique together."""
    return Model.of(
        "Unique",
        [
            PkField("id"),
            StringField("email", unique=True, max_length=200),
            StringField("first", max_length=200),
            IntegerField("second"),
        ],
        [UniqueTogether("first", "second")],
    )


def text_key_model() -> Model:
    """A model whose key is text that the client brings."""
    return Model.of("TextKey", [StringPkField("code", max_length=200), IntegerField("number")])


def uuid_key_model() -> Model:
    """A model whose key is a UUID."""
    return Model.of("UUIDKey", [UUIDPkField("key"), IntegerField("number")])


TEXTS: Final = (
    *("a", "A", "b", "aa", "Ab", "straße", "STRASSE", "ß", "ẞ", "ss"),
    *("i", "I", "İ", "ı", "İstanbul", "istanbul", "σ", "ς", "Σ", "ΟΔΟΣ", "οδος", "οδοσ"),
    *("ǅ", "ǆ", "Ǆ", "é", "e\u0301", "É", "\u212a", "k", "\uffee", "😀", "😀a", "𐐀", "𐐨", "日本"),
    *("50%", "%", "_", "a_b", "axb", "a%b", "\\", "a\\b", "[a]", "*", "?", "^a", "'", '"', "a'b", 'a"b', "--", ";"),
    *(" lead", "trail ", "two  words", "tab\there", "line\nbreak", "cr\r\nlf", "a,b;c|d", "null", "NULL", "0", "007"),
)
"""Texts for filters and orders: case that folds oddly, code points beyond 16 bits, wildcards, quotes, white space."""

NUMBERS: Final = (-1, 0, 1, 2, 3, 10, 9)
FLOATS: Final = (-1.5, 0.0, 0.1, 0.2, 1.0, 2.5, 10.0, 1e100)
DECIMALS: Final = tuple(map(Decimal, ("-1.50", "0.00", "0.10", "1.00", "9.99", "10.00", "1000000000.00")))
DATES: Final = tuple(datetime.date(y, m, d) for y, m, d in ((1, 1, 1), (1969, 12, 31), (2020, 2, 29), (9999, 12, 31)))
MOMENTS: Final = tuple(
    datetime.datetime(2020, 1, 1, 12, tzinfo=UTC) + datetime.timedelta(microseconds=micro)
    for micro in (0, 1, 100_000, 1_000_000)
)
UUIDS: Final = tuple(uuid.UUID(int=value) for value in (0, 1, 1 << 64, (1 << 128) - 1, 0xABC << 100))
LISTS: Final[Sequence[Any]] = ([], [1, "a", None], [[1], {"b": [2]}])
DICTS: Final[Sequence[Any]] = ({}, {"a": 1}, {"b": {"c": [1.5, True, None, "ü"]}})
JSON_VALUES: Final[Sequence[Any]] = (
    *("text", "", " ", "null", "true", "1", "1.0", '"', '"text"', '\\"text\\"', "[]", "{}", '{"a": 1}', "[1", "ü\n"),
    *(0, 1, -1, 2**53 + 1, 0.0, 1.0, 0.1, True, False, None, "None"),
    *([], [1, "1", '"1"', None, [True]], {}, {"a": 1}, {"a": '{"a": 1}', "": [{}]}),
)
"""JSON values of every type, among them texts that look like JSON and are not."""

POOLS: Final[dict[str, Sequence[Any]]] = {
    "title": ("", *TEXTS),
    "text": TEXTS,
    "long": TEXTS,
    "integer": NUMBERS,
    "float": FLOATS,
    "decimal": DECIMALS,
    "boolean": (True, False),
    "date": DATES,
    "moment": MOMENTS,
    "uuid": UUIDS,
    "list": LISTS,
    "dict": DICTS,
}
"""For each field of `every_model`, values that often tie; an empty text only where the field is never null."""


def every_rows(count: int, seed: int = 1) -> list[Record]:
    """Rows of `every_model`, with many ties and Nones, the same for the same seed."""
    dice = random.Random(seed)
    return [{"id": number, **_random_values(dice)} for number in range(1, count + 1)]


def _random_values(dice: random.Random) -> Record:
    return {name: _pick(dice, name) for name in POOLS}


def _pick(dice: random.Random, name: str) -> Any:
    if name != "title" and dice.random() < 0.25:
        return None
    return dice.choice(POOLS[name])


def people(count: int) -> list[Record]:
    """Rows of `person_model`: names tie by tens, nicknames and scores are sometimes null."""
    return [
        {
            "id": number,
            "name": f"name {number % 10}",
            "nick": None if number % 3 == 0 else f"n{number}",
            "age": number % 7,
            "score": None if number % 5 == 0 else number / 4,
        }
        for number in range(1, count + 1)
    ]


def _moments() -> list[datetime.datetime]:
    ends = [datetime.datetime.min, datetime.datetime.max, datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)]
    return [moment.replace(tzinfo=UTC) for moment in ends]


EXTREMES: Final[dict[str, Sequence[Any]]] = {
    "title": ("", " ", "\r\n", "\n", "\r", '"', '""', ",", "\\N", "null", "x" * 200, "\u200b", "\ufeff", "\x1f", "#"),
    "text": (" ", "\r\n", "a\r", "\n", '"', '"a"', "'", ",;\t|", "NULL", "nan", "true", "1", "1.50", "=1+1", *TEXTS),
    "long": ("ä" * 70_000, "line\n" * 1000),
    "integer": (INT64_MIN, INT64_MAX, 0, -1, 2**53 + 1),
    "float": (0.0, 0.1, -0.1, 1 / 3, 1e308, -1e308, 5e-324, 2.0**53, 1e16, 1e22, 123456789.123456789),
    "decimal": tuple(map(Decimal, ("0.00", "-0.01", "9999999999.99", "-9999999999.99", "0.10"))),
    "boolean": (True, False),
    "date": (datetime.date.min, datetime.date.max, datetime.date(1582, 10, 10), datetime.date(1900, 2, 28)),
    "moment": _moments(),
    "uuid": (uuid.UUID(int=0), uuid.UUID(int=(1 << 128) - 1), uuid.UUID("12345678-9abc-def0-1234-56789abcdef0")),
    "list": ([], [None], [[[[]]]], ["", " ", "ü", "😀", "\r\n"], [0.1, 1e308, True, False, 2**53]),
    "dict": ({}, {"": ""}, {"ü": None, "a": {"b": [{}]}}, {"a b": "c,d\n"}),
}
"""For each field of `every_model`, values at its edges; each must come back exactly, of the same type."""
