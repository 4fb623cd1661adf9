"""The options that the stores have in common mean the same in all of them, and are refused alike."""

from __future__ import annotations

from typing import Any

import pytest

from datastores import CSVDataStore, PythonListDataStore, SQLiteDataStore
from rest_kit.errors import ConfigurationError
from rest_kit.models import IntegerField, Model, PkField
from rest_kit.store import DataStore

STORES: list[tuple[type[DataStore], Any]] = [
    (PythonListDataStore, []),
    (CSVDataStore, {"path": "things.csv"}),
    (SQLiteDataStore, {"name": "things.db", "table": "things"}),
]


class Thing(Model):
    fields = (PkField("id"), IntegerField("size", required=True))


@pytest.mark.parametrize(("cls", "resource"), STORES)
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"retention": 0}, "at least 1"),
        ({"retention": -5}, "at least 1"),
        ({"retention": "many"}, "must be int"),
        ({"indexes": ["size", "size"]}, "different names"),
        ({"indexes": [1]}, "different names"),
        ({"indxes": ["size"]}, "did you mean 'indexes'"),
    ],
)
def test_what_cannot_be_meant_is_refused(cls: type[DataStore], resource: Any, options: Any, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        cls(resource, options)


@pytest.mark.parametrize(("cls", "resource"), STORES)
def test_all_that_cannot_be_meant_is_refused_at_once(cls: type[DataStore], resource: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cls(resource, {"retention": 0, "indexes": ["size", "size"], "events": "no", "eventz": True})
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(("cls", "resource"), STORES)
def test_an_index_over_no_field_is_refused(cls: type[DataStore], resource: Any) -> None:
    store = cls(resource, {"indexes": ["sise"]})
    with pytest.raises(ConfigurationError, match="no field 'sise'; did you mean 'size'"):
        store.bind(Thing())


@pytest.mark.parametrize(("cls", "resource"), STORES)
@pytest.mark.parametrize("events", [True, False])
def test_a_store_claims_events_where_it_keeps_them(cls: type[DataStore], resource: Any, events: bool) -> None:
    assert cls(resource, {"events": events}).capabilities.events is events
