"""Filters, search, ordering and fields in a query string, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from rest_kit import models
from tests.http.samples import BOOKS, TAGS, Book, Person, Tag
from tests.http.support import Client, Storage, complaint, over_list, problem, serve

FOUND: list[tuple[str, list[int]]] = [
    ("", [1, 2, 3, 4, 5, 6]),
    ("title=Mythos", [2]),
    ("title__eq=Mythos", [2]),
    ("title=mythos", []),
    ("stock__ne=0", [1, 3, 4, 5]),
    ("author__ne=Tolkien", [2, 3, 5, 6]),
    ("stock__gt=3", [4]),
    ("stock__gte=3", [1, 3, 4]),
    ("stock__lt=1", [2, 6]),
    ("stock__lte=1", [2, 5, 6]),
    ("stock__range=1,3", [1, 3, 5]),
    ("stock__range=3,1", []),
    ("id__in=1,3,99", [1, 3]),
    ("id__in=", []),
    ("id__notin=1,3,99", [2, 4, 5, 6]),
    ("id__notin=", [1, 2, 3, 4, 5, 6]),
    ("author__notin=", [1, 2, 3, 5, 6]),
    ("author__notin=Tolkien", [2, 3, 5, 6]),
    ('author__in="Pamuk, Orhan",Tolkien', [1, 5]),
    ('author__in="The ""Real"" One"', [6]),
    ("author__in=Pamuk, Orhan", []),
    ("title__contains=obb", [1, 6]),
    ("title__contains=hobb", [6]),
    ("title__icontains=HOBB", [1, 6]),
    ("title__contains=", [1, 2, 3, 4, 5, 6]),
    ("author__contains=", [1, 2, 3, 5, 6]),
    ("title__contains=%25", [3]),
    ("title__contains=_", [4]),
    ("title__icontains=0%25 c", [3]),
    ("title__startswith=The", [1]),
    ("title__startswith=the", []),
    ("title__istartswith=the", [1]),
    ("title__istartswith=i", [5]),
    ("title__endswith=B", [4]),
    ("title__iendswith=COTTON", [3]),
    ("author__iexact=TOLKIEN", [1, 3]),
    ("author__iexact=ΣΊΣΥΦΟΣ", []),
    ("author__icontains=Σ", [2]),
    ("author__istartswith=σί", [2]),
    ("author__isnull=true", [4]),
    ("author__isnull=false", [1, 2, 3, 5, 6]),
    ("tags__isnull=false", [3]),
    ("lent=true", [2, 4]),
    ("lent=false", [1, 3, 5, 6]),
    ("lent__gt=false", [2, 4]),
    ("price=10", [2, 6]),
    ("price=10.00", [2, 6]),
    ("price__gt=9.9", [2, 3, 6]),
    ("price__lt=10", [1, 5]),
    ("price__in=0.05,100", [3, 5]),
    ("published=1937-09-21", [1]),
    ("published__gt=1937-09-21", [3, 5]),
    ("published__lt=1950-01-01", [1]),
    ("published__range=2001-01-01,2003-05-05", [3, 5]),
    ("stock=3&lent=false", [1, 3]),
    ("lent=false&stock=3", [1, 3]),
    ("stock__gte=1&stock__lte=3&author__isnull=false", [1, 3, 5]),
    ("title=The+Hobbit", [1]),
    ("title=The%20Hobbit", [1]),
    ("title=%C4%B0stanbul", [5]),
]


@pytest.mark.parametrize(("query", "pks"), FOUND)
def test_filters_find(library: Client, query: str, pks: list[int]) -> None:
    assert library.values(f"/books/?{query}") == pks
    assert library.get(f"/books/?{query}").json["meta"]["total_count"] == len(pks)


SEARCHED: list[tuple[str, list[int]]] = [
    ("hobb", [1, 6]),
    ("HOBB", [1, 6]),
    ("tolkien", [1, 3]),
    ("tolkien cotton", [3]),
    ("cotton tolkien", [3]),
    ("hobbit mythos", []),
    ("111", [1]),
    ("%25", [3]),
    ("", [1, 2, 3, 4, 5, 6]),
    ("++hobbit++", [1]),
    ("istanbul", [5]),
]


@pytest.mark.parametrize(("words", "pks"), SEARCHED)
def test_every_word_occurs_in_one_of_the_text_fields(library: Client, words: str, pks: list[int]) -> None:
    assert library.values(f"/books/?search={words}") == pks


ORDERED: list[tuple[str, list[int]]] = [
    ("id", [1, 2, 3, 4, 5, 6]),
    ("-id", [6, 5, 4, 3, 2, 1]),
    ("title", [3, 4, 2, 1, 6, 5]),
    ("-title", [5, 6, 1, 2, 4, 3]),
    ("author", [4, 5, 6, 1, 3, 2]),
    ("-author", [2, 3, 1, 6, 5, 4]),
    ("price", [4, 5, 1, 2, 6, 3]),
    ("-price", [3, 2, 6, 1, 5, 4]),
    ("published", [2, 4, 6, 1, 3, 5]),
    ("lent,-stock", [1, 3, 5, 6, 4, 2]),
    ("stock,-id", [6, 2, 5, 3, 1, 4]),
]


@pytest.mark.parametrize(("keys", "pks"), ORDERED)
def test_ordering(library: Client, keys: str, pks: list[int]) -> None:
    assert library.values(f"/books/?ordering={keys}") == pks


@pytest.mark.parametrize(
    ("names", "members"),
    [
        ("title", ["id", "title", "resource_uri"]),
        ("id", ["id", "resource_uri"]),
        ("resource_uri", ["id", "resource_uri"]),
        ("stock,title", ["id", "stock", "title", "resource_uri"]),
    ],
)
def test_fields_bring_the_key_and_the_address_along(library: Client, names: str, members: list[str]) -> None:
    assert list(library.objects(f"/books/?fields={names}&count=1")[0]) == members


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("stock__gte=3", {"stock__gte": 3}),
        ("price__range=1,9.5", {"price__range": ["1.00", "9.50"]}),
        ("published=2001-01-01", {"published": "2001-01-01"}),
        ("lent=true&id__in=1,2", {"lent": True, "id__in": [1, 2]}),
        ("author__isnull=false", {"author__isnull": False}),
        ("ordering=id&search=x&fields=id&count=1", {}),
    ],
)
def test_meta_shows_the_filters_as_they_were_understood(library: Client, query: str, filters: dict[str, Any]) -> None:
    assert library.get(f"/books/?{query}").json["meta"]["filters"] == filters


REFUSED: list[tuple[str, str, str, str]] = [
    ("colour=red", "colour", "unknown", "not a parameter here"),
    ("titel=x", "titel", "unknown", "did you mean 'title'?"),
    ("title__contain=x", "title__contain", "unknown", "did you mean 'title__contains'?"),
    ("stock__contains=1", "stock__contains", "unknown", "not a parameter here"),
    ("tags=a", "tags", "unknown", "not a parameter here"),
    ("tags__eq=a", "tags__eq", "unknown", "not a parameter here"),
    ("odering=id", "odering", "unknown", "did you mean 'ordering'?"),
    ("Title=x", "Title", "unknown", "did you mean 'title'?"),
    ("stock=three", "stock", "invalid", "not an integer"),
    ("stock=", "stock", "invalid", "not an integer"),
    ("stock=1.0", "stock", "invalid", "not an integer"),
    ("stock=٣", "stock", "invalid", "not an integer"),
    ("stock=99999999999999999999", "stock", "invalid", "beyond 64 bits"),
    ("lent=1", "lent", "invalid", "neither true nor false"),
    ("lent=True", "lent", "invalid", "neither true nor false"),
    ("price=cheap", "price", "invalid", "not a number"),
    ("price=nan", "price", "invalid", "not a number"),
    ("price=1e9999", "price", "invalid", "not a number"),
    ("published=2001-02-30", "published", "invalid", "no such date"),
    ("published=01.02.2001", "published", "invalid", "YYYY-MM-DD"),
    ("author__isnull=1", "author__isnull", "invalid", "neither true nor false"),
    ("author__isnull=", "author__isnull", "invalid", "neither true nor false"),
    ("stock__range=1", "stock__range", "invalid", "two values"),
    ("stock__range=1,2,3", "stock__range", "invalid", "two values"),
    ("stock__in=1,,2", "stock__in", "invalid", "not an integer"),
    ('author__in="open', "author__in", "invalid", "separated by commas"),
    ("title=%00", "title", "invalid", "NUL"),
    ("search=%00", "search", "invalid", "NUL"),
    ("title=%FF", "title", "utf8", "is not UTF-8"),
    ("%FF=x", "%FF", "utf8", "is not UTF-8"),
    ("title=a&title=b", "title", "twice", "given twice"),
    ("search=a&search=b", "search", "twice", "given twice"),
    ("count=1&count=1", "count", "twice", "given twice"),
    ("ordering=", "ordering", "invalid", "not a field to order by"),
    ("ordering=titel", "ordering", "invalid", "did you mean 'title'?"),
    ("ordering=title,", "ordering", "invalid", "not a field to order by"),
    ("ordering=title,-title", "ordering", "invalid", "named twice"),
    ("ordering=--title", "ordering", "invalid", "not a field to order by"),
    ("ordering=tags", "ordering", "invalid", "not a field to order by"),
    ("ordering=resource_uri", "ordering", "invalid", "not a field to order by"),
    ("fields=", "fields", "invalid", "not a field"),
    ("fields=titel", "fields", "invalid", "did you mean 'title'?"),
    ("fields=title,", "fields", "invalid", "not a field"),
]


@pytest.mark.parametrize(("query", "parameter", "code", "words"), REFUSED)
def test_what_is_refused_names_the_parameter_and_the_reason(query: str, parameter: str, code: str, words: str) -> None:
    said = complaint(serve(over_list(BOOKS, model=Book)).get(f"/things/?{query}"))
    assert said["parameter"] == parameter
    assert said["code"] == code
    assert words in said["detail"]
    assert list(said) == ["parameter", "code", "detail"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    reply = serve(over_list(BOOKS, model=Book)).get("/things/?colour=red&stock=x&ordering=nope&offset=-1&count=many")
    errors = problem(reply, 400, "invalid-parameter")["errors"]
    assert {error["parameter"] for error in errors} == {"colour", "stock", "ordering", "offset", "count"}


@pytest.mark.parametrize(
    "value", ["' OR '1'='1", "1; DROP TABLE things", '" OR 1=1 --', "x') OR ('1'='1", "%' OR '1'='1' --"]
)
def test_values_are_never_statements(reading: Storage, library: Client, value: str) -> None:
    for name in ("title", "title__icontains", "title__in", "search"):
        reply = library._app.get("/books/", params={name: value}, expect_errors=True)
        assert reply.status_int in (200, 400)
        assert not reply.json.get("object_list")
    assert len(library.objects("/books/")) == 6


class Counted(models.Model):
    """Its fields bear the names of parameters."""

    fields = [
        models.PkField("id"),
        models.IntegerField("count"),
        models.StringField("search"),
        models.StringField("ordering"),
    ]


def test_a_field_named_like_a_parameter_is_filtered_with_eq(storage: Storage) -> None:
    rows = [{"id": n, "count": n * 10, "search": "s", "ordering": "o"} for n in (1, 2, 3)]
    client = storage.client(Counted, rows)
    assert client.values("/things/?count__eq=20") == [2]
    assert client.values("/things/?count=2") == [1, 2]
    assert client.values("/things/?search__eq=s&search=o") == [1, 2, 3]
    assert client.values("/things/?ordering__eq=o&ordering=-count") == [3, 2, 1]


def test_a_model_without_text_has_no_search(storage: Storage) -> None:
    class Number(models.Model):
        fields = [models.PkField("id"), models.IntegerField("n")]

    client = storage.client(Number, [{"id": 1, "n": 1}])
    assert complaint(client.get("/things/?search=x"))["code"] == "unknown"


def narrowed(**options: Any) -> Client:
    return serve(over_list([dict(book) for book in BOOKS], model=Book, controller={"options": options}))


def test_filter_fields_narrow_what_filters() -> None:
    client = narrowed(filter_fields=["author", "stock"])
    assert client.values("/things/?stock__gte=9&author__isnull=true") == [4]
    assert complaint(client.get("/things/?title=x"))["parameter"] == "title"


def test_search_fields_narrow_what_is_searched() -> None:
    client = narrowed(search_fields=["author"])
    assert client.values("/things/?search=tolkien") == [1, 3]
    assert client.values("/things/?search=hobbit") == []


def test_no_search_fields_means_no_search() -> None:
    assert complaint(narrowed(search_fields=[]).get("/things/?search=x"))["code"] == "unknown"


def test_ordering_fields_narrow_what_orders() -> None:
    client = narrowed(ordering_fields=["title"])
    assert client.values("/things/?ordering=-title&count=1") == [5]
    assert complaint(client.get("/things/?ordering=price"))["parameter"] == "ordering"


@pytest.mark.parametrize("ordering", ["-stock,title", ["-stock", "title"]])
def test_a_default_ordering(ordering: Any) -> None:
    client = narrowed(ordering=ordering)
    assert client.values("/things/") == [4, 3, 1, 5, 2, 6]
    assert client.values("/things/?lent=false") == [3, 1, 5, 6]
    assert client.values("/things/?ordering=id") == [1, 2, 3, 4, 5, 6]


def test_a_client_may_prefer_lenient_handling() -> None:
    client = serve(over_list(BOOKS, model=Book))
    assert client.get("/things/?colour=red&id=1", Prefer="handling=lenient").json["meta"]["total_count"] == 1
    problem(client.get("/things/?colour=red&id=1", Prefer="handling=strict"), 400, "invalid-parameter")
    problem(client.get("/things/?id=x", Prefer="handling=lenient"), 400, "invalid-parameter")


def test_a_resource_may_be_lenient() -> None:
    client = narrowed(strict=False)
    reply = client.get("/things/?colour=red&id=1")
    assert [obj["id"] for obj in reply.json["object_list"]] == [1]
    assert reply.json["meta"]["filters"] == {"id": 1}


def test_unknown_parameters_are_not_echoed_among_the_filters() -> None:
    reply = narrowed(strict=False).get("/things/?apikey=secret")
    assert reply.json["meta"]["filters"] == {}


def test_text_keys_filter_and_order(storage: Storage) -> None:
    client = storage.client(Tag, TAGS)
    assert client.values("/things/", "slug") == ["a/b", "red", "über uns?"]
    assert client.values("/things/?slug=a/b", "slug") == ["a/b"]
    assert client.values("/things/?slug__in=red,a/b&ordering=-slug", "slug") == ["red", "a/b"]


def test_a_number_in_a_query_is_the_number_in_the_data(storage: Storage) -> None:
    client = storage.client(Person, [{"id": 1, "age": 24, "name": "24"}])
    assert client.values("/things/?age=24") == [1]
    assert client.values("/things/?name=24") == [1]


@pytest.mark.parametrize("query", ["&", "&&", "=&", "title__in=&&"])
def test_stray_separators(query: str) -> None:
    assert serve(over_list(BOOKS, model=Book)).get(f"/things/?{query}").status_int in (200, 400)
