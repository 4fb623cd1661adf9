"""The dialects against stand-ins: every answer is the reference's, and what an API can be asked it is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from datastores import RemoteDataStore
from datastores.remote import WSGITransport
from rest_kit.errors import Conflict, RecordNotFound, RemoteError, TooMuchToScan, Unsupported, ValidationError
from rest_kit.models import Model, PkField, StringField
from rest_kit.query import Any as AnyOf
from rest_kit.query import Filter, Not, Order, Page, Query
from rest_kit.testing.queries_suite import SEEDS, QueryMaker
from rest_kit.testing.store_samples import every_model, every_rows, people, person_model
from rest_kit.testing.store_suite import check, delete, insert, same, update
from rest_kit.types import Record
from tests.remote.fakes import DRF, Fake, JSONServer, PostgREST


def shown(model: Model, rows: list[Record], *, numbers: bool = False) -> list[dict[str, Any]]:
    """Rows as JSON; `numbers` keeps decimals as such."""
    return [
        {
            name: value if numbers and isinstance(value, Decimal) else plain(model, name, value)
            for name, value in row.items()
        }
        for row in rows
    ]


def plain(model: Model, name: str, value: Any) -> Any:
    return None if value is None else model.by_name[name].to_stored(value)


def store_over(fake: Fake, dialect: Any, model: Model, **options: Any) -> RemoteDataStore:
    slash = "/" if isinstance(fake, DRF) else ""
    made = {"transport": WSGITransport(fake), "timeout": 30, **options}
    store = RemoteDataStore({"url": f"http://test/things{slash}", "dialect": dialect}, made)
    store.bind(model)
    return store


class FilteringDRF(DRF):
    filters = ("integer", "title", "age")
    ordering = ("id", "integer", "age")


class NumberedDRF(DRF):
    page_size = 7


FILTERING = {
    "like": "drf",
    "filters": {"integer": ["eq"], "title": ["eq"], "age": ["eq"]},
    "orderings": ["id", "age"],
}
BY_PAGE = {"like": "drf", "offset": None, "limit": None, "page": "page", "page_size": 7}
BY_LINK = {"like": "drf", "offset": None, "limit": None}
LYING = {"like": "drf", "filters": {"integer": ["eq", "gt"], "title": ["eq"]}, "orderings": ["id", "integer"]}
CASES: dict[str, tuple[type[Fake], Any]] = {
    "json-server": (JSONServer, "json-server"),
    "postgrest": (PostgREST, "postgrest"),
    "drf": (DRF, "drf"),
    "drf-that-filters": (FilteringDRF, FILTERING),
    "drf-by-page": (NumberedDRF, BY_PAGE),
    "drf-by-link": (NumberedDRF, BY_LINK),
    "drf-that-ignores": (DRF, LYING),
}


@pytest.mark.parametrize("case", CASES)
def test_generated_queries_equal_the_reference(case: str) -> None:
    model, rows = every_model(), every_rows(60, seed=2)
    cls, dialect = CASES[case]
    store = store_over(cls(shown(model, rows, numbers=cls is PostgREST)), dialect, model)
    for seed in SEEDS:
        check(store, model, rows, QueryMaker(seed, model, rows, store).query())


@pytest.mark.parametrize("case", CASES)
def test_writing(case: str) -> None:
    cls, dialect = CASES[case]
    store = store_over(cls(people(3)), dialect, person_model())
    new = {"name": "new", "nick": None, "age": 3, "score": 0.5}
    [added] = insert(store, [new])
    same(added, {"id": 4, **new})
    same(store.get(4), added)
    same(update(store, 4, {"age": None, "score": 1.5}), {**added, "age": None, "score": 1.5})
    delete(store, 4)
    for step in (lambda: store.get(4), lambda: update(store, 4, {"age": 1}), lambda: delete(store, 4)):
        with pytest.raises(RecordNotFound):
            step()
    if not store.capabilities.brings_keys:
        with pytest.raises(Unsupported):
            insert(store, [{"id": 70, **new}])


def asked(fake: Fake) -> str:
    return fake.asked[-1].removeprefix("GET /things")


def test_json_server_is_asked_what_it_compares_alike() -> None:
    fake = JSONServer(people(30))
    store = store_over(fake, "json-server", person_model())
    store.find(Query(where=Filter("age", "in", (1, 2)), page=Page(3), total=True))
    assert asked(fake) == "?age=1&age=2&_sort=id&_order=asc&_start=0&_limit=4"
    store.find(Query(where=Filter("name", "ne", "a&b=c"), page=Page(3, 5)))
    assert asked(fake) == "?name_ne=a%26b%3Dc&_sort=id&_order=asc&_start=5&_limit=4"
    store.find(Query(where=Filter("id", "range", (3, 9)), page=Page(3)))
    assert asked(fake).startswith("?id_gte=3&id_lte=9&")
    store.find(Query(where=Filter("name", "gt", "n"), page=Page(3)))
    assert "name" not in asked(fake)
    store.find(Query(order=(Order("age"),), page=Page(3)))
    assert "_sort=id&" in asked(fake), "json-server puts null last"


def test_postgrest_is_asked_everything_but_the_order_of_text() -> None:
    fake = PostgREST(people(30))
    store = store_over(fake, "postgrest", person_model())
    store.find(Query(where=Not(Filter("age", "gt", 5)), order=(Order("score", True),), page=Page(3), fields=("id",)))
    assert asked(fake) == (
        "?and=%28or%28age.lte.%225%22%2Cage.is.null%29%29&order=score.desc.nullslast%2Cid.asc.nullsfirst"
        "&select=id%2Cage%2Cscore&offset=0&limit=4"
    )
    store.find(Query(where=Filter("name", "contains", '50%_"x'), page=Page(3)))
    assert "name.like.%22%2A50%5C%5C%25%5C%5C_%5C%22x%2A%22" in asked(fake)
    for where in (Filter("name", "contains", "*"), Filter("name", "gt", "a"), Filter("name", "icontains", "a")):
        store.find(Query(where=where, page=Page(3)))
        assert "name" not in asked(fake)


def test_a_number_that_the_database_cannot_hold_finds_nothing() -> None:
    store = store_over(PostgREST(people(30)), "postgrest", person_model())
    same(store.find(Query(where=Filter("age", "eq", 2**40), total=True)).total, 0)
    same(store.find(Query(where=Filter("age", "lt", 2**40), page=Page(1), total=True)).total, 30)
    with pytest.raises(RecordNotFound):
        store.get(2**40)


def test_drf_is_asked_for_nothing_but_pages_unless_told() -> None:
    fake = FilteringDRF(people(30))
    store_over(fake, "drf", person_model()).find(Query(where=Filter("age", "eq", 3), page=Page(3)))
    assert {target.partition("?")[2].partition("=")[0] for target in fake.asked} == {"offset"}
    store_over(fake, FILTERING, person_model()).find(Query(where=Filter("age", "eq", 3), page=Page(2)))
    assert asked(fake) == "/?age=3&ordering=id&offset=0&limit=3"


def test_a_list_that_is_paged_otherwise_is_refused_and_not_misread() -> None:
    store = store_over(NumberedDRF(people(30)), "drf", person_model())
    with pytest.raises(RemoteError, match="is paged"):
        store.find(Query(page=Page(5, 10)))
    store = store_over(DRF(people(30)), {**BY_PAGE, "page_size": 10}, person_model())
    with pytest.raises(RemoteError, match="a page of"):
        store.find(Query(page=Page(5, 10)))


def test_what_cannot_be_asked_is_done_here_up_to_the_limit() -> None:
    fake = DRF(people(60))
    store = store_over(fake, "drf", person_model(), scan_limit=50)
    with pytest.raises(TooMuchToScan, match=r"filter by age and order by id .* than 50 records"):
        store.find(Query(where=Filter("age", "eq", 3), page=Page(3)))
    assert len(fake.asked) == 1, "the count alone says that it is too much"
    store = store_over(fake, FILTERING, person_model(), scan_limit=50)
    either = AnyOf(Filter("age", "eq", 3), Filter("name", "eq", "name 1"))
    assert store.find(Query(where=either, page=Page(3))).more, "the first records suffice"
    with pytest.raises(TooMuchToScan, match="filter by age and filter by name, and doing"):
        store.find(Query(where=either, page=Page(3), total=True))


def test_refusals_of_postgrest_are_told_without_its_texts() -> None:
    model = Model.of("Thing", [PkField("id"), StringField("title", required=True), StringField("mail", unique=True)])
    fake = PostgREST([{"id": 1, "title": "a", "mail": "m"}], unique=("mail",))
    store = store_over(fake, "postgrest", model)
    with pytest.raises(Conflict, match="mail must be unique") as conflict:
        insert(store, [{"title": "b", "mail": "m"}])
    assert (conflict.value.code, conflict.value.fields, conflict.value.index) == ("unique", ("mail",), 0)
    with pytest.raises(ValidationError) as invalid:
        update(store, 1, {"title": None})
    assert [(fault.code, fault.path) for fault in invalid.value.faults] == [("null", ("title",))]
    assert "secret" not in str(invalid.value)
    same([r["id"] for r in insert(store, [{"title": "b", "mail": None}, {"title": "c", "mail": None}])], [2, 3])


def test_refusals_of_drf_name_our_fields() -> None:
    model = Model.of("Thing", [PkField("id"), StringField("heading", required=True), StringField("mail")])
    fake = DRF([{"id": 1, "title": "a", "mail": "m"}], unique=("mail",))
    store = store_over(fake, {"like": "drf", "names": {"heading": "title"}}, model)
    same(store.get(1), {"id": 1, "heading": "a", "mail": "m"})
    with pytest.raises(ValidationError) as invalid:
        insert(store, [{"heading": "", "mail": "x"}])
    assert [(f.path, f.detail) for f in invalid.value.faults] == [((0, "heading"), "This field may not be blank.")]
    with pytest.raises(ValidationError) as invalid:
        update(store, 1, {"heading": ""})
    assert [fault.path for fault in invalid.value.faults] == [("heading",)]
    with pytest.raises(Unsupported, match="one new object"):
        insert(store, [{"heading": "x", "mail": None}] * 2)


def test_an_update_by_put_sends_the_whole_object() -> None:
    fake = DRF([{"id": 1, "title": "a", "mail": "m"}])
    model = Model.of("Thing", [PkField("id"), StringField("title", required=True), StringField("mail")])
    store = store_over(fake, {"like": "drf", "update": "PUT"}, model)
    same(update(store, 1, {"mail": "n"}), {"id": 1, "title": "a", "mail": "n"})
    assert fake.asked[-1] == "PUT /things/1/"


@pytest.mark.parametrize("case", ["json-server", "postgrest", "drf"])
def test_a_model_is_read_off_the_rows(case: str) -> None:
    cls, dialect = CASES[case]
    slash = "/" if cls is DRF else ""
    resource = {"url": f"http://test/things{slash}", "dialect": dialect}
    store = RemoteDataStore(resource, {"transport": WSGITransport(cls(people(12)))})
    assert store.model.pk is not None
    assert store.model.pk.name == "id"
    assert {name: field.kind.value for name, field in store.model.by_name.items()} == {
        "id": "integer",
        "name": "string",
        "nick": "string",
        "age": "integer",
        "score": "float",
    }
    same(store.find(Query()).records, people(12))
