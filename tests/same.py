"""One model and its rows in any store by one word, so that stores can be held against each other byte for byte.

`serving("mariadb", …)` puts rows there and yields an application over them. The rows hold what hurts: code points that
sort otherwise in UTF-16, blanks at the end, empty texts, letters whose case folds oddly, wildcards, exact numbers of
many digits, negative zero, the first and the last day, microseconds, the ends of 64 bits.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from datastores import CSVDataStore, PythonListDataStore, RemoteDataStore, SQLDataStore, SQLiteDataStore
from datastores.remote import WSGITransport
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.models import Model
from rest_kit.pagination import BasePagination, Pagination
from rest_kit.store import DataStore
from rest_kit.testing.store_samples import DATES, DECIMALS, DICTS, FLOATS, LISTS, MOMENTS, NUMBERS, TEXTS, UUIDS
from rest_kit.types import INT64_MAX, INT64_MIN, Record
from tests.servers import places

OTHERS: Final = ("csv", "sqlite", "postgresql", "mariadb", "remote")
"""The stores that are held against a list."""
SECRET: Final = "the same for all of them"

Where = tuple[type[DataStore], Any, Mapping[str, Any]]
"""A store class, its resource and its options."""


def hurting_fields(key: models.Field) -> list[models.Field]:
    """A key, and a nullable field of every kind that means the same in every store."""
    return [
        key,
        models.StringField("title", required=True, max_length=200),
        models.StringField("text", max_length=200),
        models.TextField("long"),
        models.IntegerField("integer"),
        models.FloatField("float"),
        models.DecimalField("decimal", digits=12, places=2),
        models.DecimalField("exact", digits=34, places=14),
        models.BooleanField("boolean"),
        models.DateField("date"),
        models.DateTimeField("moment"),
        models.UUIDField("uuid"),
        models.ListField("list"),
        models.DictField("dict"),
    ]


def _moment(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=datetime.UTC)  # type: ignore[arg-type,misc]


WORDS: Final = (
    *TEXTS,
    *("", " ", "a ", "a  ", "ſ", "S", "ΑΣ", "ας", "ﬃ", "ŉ", "Ⅷ", "ⅷ", "Ω", "Ω", "ǰ", "İı", "DŽ", "ẞß"),
    *("\ue000", "\ufffd", "\U00010000", "\U0001f469\u200d\U0001f4bb", "\U0010ffff", "\u00a0", "\u3000", "\u200b"),
    *("\\%", "\\_", "100%_", "%%", "\\\\", "a%", "__", "\\'", "\x1f", "\x7f", "\ufeff", "e\u0301\u0323", "ﾊﾟ", "가"),
)
BIG: Final = (2**53, 2**53 + 1, -(2**53) - 1, 2**31, 10**18, INT64_MAX, INT64_MIN, INT64_MAX - 1)

POOLS: Final[dict[str, Sequence[Any]]] = {
    "title": WORDS,
    "text": WORDS,
    "long": WORDS,
    "integer": (*NUMBERS, *BIG),
    "float": (*FLOATS, -0.0, 1 / 3, 5e-324, 1.7976931348623157e308, -1e308, 1e16, 123456789.12345679, 2.0**63),
    "decimal": (*DECIMALS, *map(Decimal, ("-0.01", "0.01", "9999999999.99", "-9999999999.99"))),
    "exact": tuple(
        map(
            Decimal,
            (
                *("0.00000000000000", "0.00000000000001", "-0.00000000000001", "1.00000000000000", "10.50000000000000"),
                *("12345678901234567890.12345678901234", "99999999999999999999.99999999999999"),
                *("-99999999999999999999.99999999999999", "9007199254740993.00000000000000", "0.30000000000000"),
            ),
        )
    ),
    "boolean": (True, False),
    "date": (*DATES, *(datetime.date(y, m, d) for y, m, d in ((1899, 12, 31), (1582, 10, 10), (1900, 2, 28)))),
    "moment": (
        *MOMENTS,
        *(_moment(1, 1, 1), _moment(1582, 10, 10, 1), _moment(1899, 12, 31, 23, 59, 59, 999999)),
        *(_moment(1969, 12, 31, 23, 59, 59, 999999), _moment(1970, 1, 1), _moment(2038, 1, 19, 3, 14, 8)),
        _moment(9999, 12, 31, 23, 59, 59, 999999),
    ),
    "uuid": UUIDS,
    "list": (*LISTS, ["😀", "\\", "ß", 0.0, 1e100, INT64_MAX], [[], {}, ""]),
    "dict": (*DICTS, {"😀": "\U0010ffff", "": None}, {"b": 1, "a": {"z": 1, "é": [2.0]}}),
}
"""For each field, values that often tie."""


def some_value(dice: random.Random, name: str) -> Any:
    """A value of a field, often None where it may be."""
    if name != "title" and dice.random() < 0.2:
        return None
    return dice.choice(POOLS[name])


def hurting_rows(count: int, key: str = "id", seed: int = 1) -> list[Record]:
    """So many rows, the same for the same seed."""
    dice = random.Random(seed)
    return [{key: number, **{name: some_value(dice, name) for name in POOLS}} for number in range(1, count + 1)]


# --- stores by one word -----------------------------------------------------------------------------------------------


@contextmanager
def opened(kind: str, folder: Path, model: Model, rows: Sequence[Record]) -> Iterator[Where]:
    """A store of that kind with the rows in it; the test is skipped where its server is not there."""
    with _place(kind, folder, model, rows) as where:
        if kind in ("list", "remote"):
            yield where
        else:
            store = _filled(where, model, rows)
            yield where
            store.close()


@contextmanager
def _place(kind: str, folder: Path, model: Model, rows: Sequence[Record]) -> Iterator[Where]:
    if kind == "list":
        yield PythonListDataStore, [dict(row) for row in rows], {}
    elif kind == "csv":
        # the marker lets an empty text stand in a nullable field
        yield CSVDataStore, {"path": str(folder / "things.csv")}, {"null": "\\N"}
    elif kind == "sqlite":
        yield SQLiteDataStore, {"name": str(folder / "things.db"), "table": "things"}, {}
    elif kind == "remote":
        behind = PythonListDataStore, [dict(row) for row in rows], {}
        transport = WSGITransport(application(behind, model, {"things": Pagination(100)}))
        yield RemoteDataStore, {"url": "http://test/things/", "dialect": "rest_kit"}, {"transport": transport}
    else:
        with contextmanager(places)(kind) as place:
            yield SQLDataStore, {"url": place.url, "table": place.table()}, {}


def _filled(where: Where, model: Model, rows: Sequence[Record]) -> DataStore:
    cls, resource, options = where
    store = cls(resource, options)
    store.bind(model)
    if rows:
        store.atomic(lambda tx: tx.insert([dict(row) for row in rows]))
    return store


def application(where: Where, model: Model, resources: Mapping[str, BasePagination]) -> WSGIDispatcher:
    """The same rows under each of these names, paged as it says."""
    cls, data, options = where
    controllers = [
        type(
            "App",
            (Controller,),
            {
                "resource": {
                    "resource_name": name,
                    "resource": data,
                    "datastore": cls,
                    "model": model,
                    "options": dict(options),
                },
                "controller": {"options": {"pagination": pagination}},
            },
        )
        for name, pagination in resources.items()
    ]
    return WSGIDispatcher(controllers, secret=SECRET)
