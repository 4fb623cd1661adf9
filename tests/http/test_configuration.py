"""The three dicts of a controller: what they may say, and how mistakes in them are told."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from pathlib import Path
from typing import Any

import marshmallow
import pytest

from datastores import CSVDataStore, PythonListDataStore, SQLiteDataStore
from rest_kit import models
from rest_kit.controllers import Controller
from rest_kit.errors import ConfigurationError
from rest_kit.pagination import Pagination
from rest_kit.views import JsonResponse, add_resource_uri, remove_id
from tests.http.samples import BOOKS, Book, Person, people_rows
from tests.http.support import Storage, make_controller, over_list, problem, serve

RESOURCE: dict[str, Any] = {
    "resource_name": "books",
    "resource": [dict(book) for book in BOOKS],
    "model": Book,
    "datastore": PythonListDataStore,
}


def told(resource: Any = RESOURCE, controller: Any = None, view: Any = None) -> list[str]:
    """The problems of three dicts, as one error tells them."""
    with pytest.raises(ConfigurationError) as caught:
        make_controller(resource, controller, view)
    assert str(caught.value).startswith("Things: ")
    return caught.value.problems


def only(found: list[str]) -> str:
    assert len(found) == 1, found
    return found[0]


def without(*keys: str, **more: Any) -> dict[str, Any]:
    return {**{key: value for key, value in RESOURCE.items() if key not in keys}, **more}


MISTAKES: list[tuple[Any, Any, Any, str]] = [
    # resource
    (without("resource_name"), {}, {}, "no 'resource_name'"),
    (without("resource"), {}, {}, "no 'resource', where the data lie"),
    (without("datastore"), {}, {}, "no 'datastore', such as PythonListDataStore"),
    (without(ressource=[]), {}, {}, "no key 'ressource'; did you mean 'resource'?"),
    (without("resource_name", ressource_name="b", resource_name="b"), {}, {}, "did you mean 'resource_name'?"),
    (without(modle=Book), {}, {}, "did you mean 'model'?"),
    (without(resource_name=5), {}, {}, "must be str, not 5"),
    (without(resource_name=""), {}, {}, "must be letters, digits"),
    (without(resource_name="a/b"), {}, {}, "must be letters, digits"),
    (without(resource_name="a b"), {}, {}, "must be letters, digits"),
    (without(resource_name=".."), {}, {}, "must be letters, digits"),
    (without(resource_name="schema"), {}, {}, "a route of the dispatcher's own"),
    (without(resource_name="healthz"), {}, {}, "a route of the dispatcher's own"),
    (without(datastore=PythonListDataStore([])), {}, {}, "must be type"),
    (without(datastore=dict), {}, {}, "must be a DataStore class, not dict"),
    (without(model=dict), {}, {}, "must be a models.Model or a marshmallow Schema, not dict"),
    (without(resource="people.csv"), {}, {}, "must be a list of dicts"),
    (without(options={"indexs": ["id"]}), {}, {}, "did you mean 'indexes'?"),
    (without(options={"multiprocess": "sometimes"}), {}, {}, "must be 'allow' or 'refuse'"),
    (without(options=[]), {}, {}, "must be Mapping"),
    # controller
    (RESOURCE, {"list_verb": ["GET"]}, {}, "did you mean 'list_verbs'?"),
    (RESOURCE, {"list_verbs": "GET"}, {}, "must be list or tuple or set or frozenset"),
    (RESOURCE, {"list_verbs": ["GTE"]}, {}, "has 'GTE'; did you mean 'GET'?"),
    (RESOURCE, {"list_verbs": ["get"]}, {}, "has 'get'; did you mean 'GET'?"),
    (RESOURCE, {"unique_verbs": ["POST"]}, {}, "has 'POST'"),
    (RESOURCE, {"unique_verbs": [5]}, {}, "has 5"),
    (RESOURCE, {"option": {}}, {}, "did you mean 'options'?"),
    (RESOURCE, {"options": {"paginaton": Pagination(1)}}, {}, "did you mean 'pagination'?"),
    (
        RESOURCE,
        {"options": {"pagination": Pagination}},
        {},
        "it must be an instance, such as Pagination(20)",
    ),
    (RESOURCE, {"options": {"pagination": 20}}, {}, "must be BasePagination, not 20"),
    (RESOURCE, {"options": {"filter_fields": "title"}}, {}, "must be list or tuple"),
    (RESOURCE, {"options": {"filter_fields": ["titel"]}}, {}, "did you mean 'title'?"),
    (RESOURCE, {"options": {"search_fields": ["stock"]}}, {}, "'stock', which cannot be used so"),
    (RESOURCE, {"options": {"ordering_fields": ["tags"]}}, {}, "'tags', which cannot be used so"),
    (RESOURCE, {"options": {"ordering": "-titel"}}, {}, "did you mean 'title'?"),
    (RESOURCE, {"options": {"ordering": ["title", "tags"]}}, {}, "'tags', which cannot be ordered by"),
    (RESOURCE, {"options": {"strict": "no"}}, {}, "must be bool, not 'no'"),
    (RESOURCE, {"options": {"bulk_max": 0}}, {}, "must be positive, not 0"),
    (RESOURCE, {"options": {"bulk_max": True}}, {}, "must be int, not True"),
    (RESOURCE, {"options": {"max_body": -1}}, {}, "must be positive, not -1"),
    (RESOURCE, {"options": {"require_if_match": 1}}, {}, "must be bool, not 1"),
    (RESOURCE, {"options": {"formatters": ["add"]}}, {}, "holds 'add', which cannot be called"),
    # view
    (RESOURCE, {}, {"response_clas": JsonResponse}, "did you mean 'response_class'?"),
    (RESOURCE, {}, {"response_class": dict}, "must hold Response classes"),
    (RESOURCE, {}, {"response_class": []}, "is empty"),
    (RESOURCE, {}, {"response_class": [JsonResponse, "json"]}, "must hold Response classes"),
    (RESOURCE, {}, {"options": {"envelop": False}}, "did you mean 'envelope'?"),
    (RESOURCE, {}, {"options": {"envelope": 0}}, "must be bool, not 0"),
    (RESOURCE, {}, {"options": {"formatters": [5]}}, "holds 5, which cannot be called"),
    # not dicts at all
    ([], {}, {}, "resource must be a dict"),
    (RESOURCE, ["GET"], {}, "controller must be a dict"),
    (RESOURCE, {}, JsonResponse, "view must be a dict"),
]


@pytest.mark.parametrize(("resource", "controller", "view", "words"), MISTAKES)
def test_a_mistake_is_told_when_the_class_is_created(resource: Any, controller: Any, view: Any, words: str) -> None:
    found = told(resource, controller, view)
    assert any(words in text for text in found), found


@pytest.mark.parametrize(
    ("resource", "controller", "view", "words"),
    [
        mistake
        for mistake in MISTAKES
        if isinstance(mistake[0], dict) and mistake[0] is RESOURCE and mistake[1] != ["GET"]
    ],
)
def test_one_mistake_is_told_once(resource: Any, controller: Any, view: Any, words: str) -> None:
    only(told(resource, controller, view))


def test_every_mistake_is_told_at_once() -> None:
    found = told(
        without("datastore", datastor=PythonListDataStore, resource_name="a b"),
        {"list_verbs": ["GTE"], "options": {"pagination": Pagination, "bulk_max": 0}},
        {"response_class": dict, "option": {}},
    )
    for words in (
        "datastor'",
        "'datastore'",
        "a b",
        "GTE",
        "Pagination(20)",
        "bulk_max",
        "Response classes",
        "options",
    ):
        assert any(words in text for text in found), words


def test_a_broken_model_is_told_too() -> None:
    with pytest.raises(ConfigurationError, match="two fields are named 'a'"):

        class Broken(models.Model):
            fields = [models.PkField("id"), models.StringField("a"), models.StringField("a")]


def test_a_verb_that_the_store_cannot_serve(tmp_path: Path) -> None:
    path = tmp_path / "keyless.csv"
    path.write_text("name\nAda\n")

    class Keyless(models.Model):
        fields = [models.StringField("name")]

    resource = {"resource_name": "p", "resource": {"path": str(path)}, "datastore": CSVDataStore, "model": Keyless}
    found = told(resource, {"list_verbs": ["GET", "POST"], "unique_verbs": ["GET", "PUT"]})
    assert len(found) == 2
    assert all("nothing can be written" in text for text in found)


def test_a_file_without_a_key_is_served_by_row_and_only_read(tmp_path: Path) -> None:
    path = tmp_path / "keyless.csv"
    path.write_text("name\nAda\nAda\n")
    client = serve(make_controller({"resource_name": "p", "resource": {"path": str(path)}, "datastore": CSVDataStore}))
    assert len(client.objects("/p/")) == 2
    reply = client.post("/p/", {"name": "Eve"})
    assert "key" in problem(reply, 405, "method-not-allowed")["detail"]
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"


# What may be left out


def test_left_out_verbs_are_all_that_the_store_serves(storage: Storage) -> None:
    client = storage.client(Book, BOOKS)
    assert client.options("/things/").headers["Allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    assert client.options("/things/1/").headers["Allow"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"


def test_a_controller_with_only_a_list() -> None:
    class Tasks(Controller):
        resource = {
            "resource_name": "tasks",
            "resource": [{"title": "t"}, {"title": "t"}],
            "datastore": PythonListDataStore,
        }

    client = serve(Tasks)
    assert client.objects("/tasks/?count=1") == [{"id": 1, "title": "t", "resource_uri": "/tasks/1/"}]
    assert client.post("/tasks/", {"title": "u"}).json["id"] == 3
    assert client.delete("/tasks/1/").status_int == 204


def test_a_model_without_a_key_gets_one(storage: Storage) -> None:
    class Nameless(models.Model):
        fields = [models.StringField("name", required=True)]

    client = serve(storage.controller(Nameless))
    if storage.store_class is CSVDataStore:
        assert client.post("/things/", {"name": "Ada"}).status_int == 405
        return
    assert client.post("/things/", {"name": "Ada"}).json == {"id": 1, "name": "Ada", "resource_uri": "/things/1/"}


def test_a_model_is_inferred(storage: Storage) -> None:
    place = storage.filled(Book, BOOKS)
    resource = {"resource_name": "books", "resource": place, "datastore": storage.store_class}
    client = serve(make_controller(resource))
    book = client.get("/books/1/").json
    assert book["id"] == 1
    assert book["title"] == "The Hobbit"
    assert book["stock"] == 3
    assert client.values("/books/?stock__gte=3") == [1, 3, 4]
    assert client.patch("/books/1/", {"stock": 4}).json["stock"] == 4


def test_a_list_without_keys_gets_them() -> None:
    rows: list[dict[str, Any]] = [{"name": "Ada"}, {"name": "Eve"}, {"name": "Ada"}]
    client = serve(over_list(rows))
    assert client.values("/things/") == [1, 2, 3]
    assert client.get("/things/2/").json["name"] == "Eve"


def test_a_list_without_keys_may_have_a_field_that_serves_as_one() -> None:
    rows: list[dict[str, Any]] = [{"name": "Ada", "age": 1}, {"name": "Eve", "age": 1}]
    client = serve(over_list(rows))
    assert client.get("/things/Eve/").json == {"name": "Eve", "age": 1, "resource_uri": "/things/Eve/"}


def test_a_key_may_have_any_name(storage: Storage) -> None:
    class Country(models.Model):
        fields = [models.StringField("name"), models.StringPkField("code")]

    client = storage.client(Country, [{"code": "at", "name": "Austria"}])
    assert client.get("/things/at/").json["resource_uri"] == "/things/at/"


# Marshmallow


class BookSchema(marshmallow.Schema):
    """A schema such as somebody may have already."""

    id = marshmallow.fields.Integer(dump_only=True)
    title = marshmallow.fields.String(required=True, validate=marshmallow.validate.Length(max=5))
    price = marshmallow.fields.Decimal(places=2)


def test_a_marshmallow_schema_is_a_model(storage: Storage) -> None:
    resource = {"resource_name": "b", "resource": storage.place(), "datastore": storage.store_class}
    client = serve(make_controller({**resource, "model": BookSchema}))
    created = client.post("/b/", {"title": "Dune", "price": "7.5"})
    assert created.json == {"id": 1, "title": "Dune", "price": "7.50", "resource_uri": "/b/1/"}
    refused = problem(client.post("/b/", {"title": "Too long", "price": "x", "y": 1}), 400, "invalid-input")
    assert {error["pointer"] for error in refused["errors"]} == {"#/title", "#/price", "#/y"}
    assert client.patch("/b/1/", {"title": "Duna"}).json["title"] == "Duna"


# Nothing before its time


def test_nothing_is_created_before_the_first_request(tmp_path: Path) -> None:
    table, text = tmp_path / "new.db", tmp_path / "new.csv"
    places: list[tuple[Any, dict[str, Any], Path]] = [
        (SQLiteDataStore, {"name": str(table), "table": "people"}, table),
        (CSVDataStore, {"path": str(text)}, text),
    ]
    for store, place, path in places:
        cls = make_controller({"resource_name": "p", "resource": place, "datastore": store, "model": Person})
        client = serve(cls)
        assert not path.exists()
        assert client.objects("/p/") == []
        assert path.exists()
        assert client.post("/p/", {"name": "Ada", "age": 36}).status_int == 201
        assert serve(
            make_controller({"resource_name": "p", "resource": place, "datastore": store, "model": Person})
        ).get("/p/1/").json == {"age": 36, "name": "Ada", "id": 1, "resource_uri": "/p/1/"}


def test_what_cannot_be_opened_is_503_not_a_crash(tmp_path: Path) -> None:
    folder = tmp_path / "missing"
    places: list[tuple[Any, dict[str, Any]]] = [
        (SQLiteDataStore, {"name": str(folder / "x.db"), "table": "people"}),
        (CSVDataStore, {"path": str(folder / "x.csv")}),
    ]
    for store, place in places:
        cls = make_controller({"resource_name": "p", "resource": place, "datastore": store, "model": Person})
        reply = serve(cls).get("/p/")
        problem(reply, 503, "store-unavailable")
        assert str(tmp_path) not in reply.text


# Inheritance


def test_a_subclass_replaces_one_dict() -> None:
    rows = people_rows()[:5]

    class People(Controller):
        resource = {"resource_name": "people", "resource": rows, "model": Person, "datastore": PythonListDataStore}
        controller = {"options": {"pagination": Pagination(2)}}

    class Readers(People):
        controller = {"list_verbs": ["GET"], "unique_verbs": ["GET"]}

    class Addresses(People):
        resource = {**People.resource, "resource_name": "addresses"}

    client = serve(Readers, Addresses)
    assert client.get("/people/").json["meta"]["count"] == 100
    assert client.post("/people/", {"name": "x", "age": 1}).status_int == 405
    assert client.get("/addresses/").json["meta"]["count"] == 2
    assert client.post("/addresses/", {"name": "x", "age": 1}).status_int == 201
    assert client.get("/people/5/").json["name"] == "x"


def test_a_base_without_a_resource_is_no_mistake() -> None:
    class Base(Controller):
        controller = {"options": {"pagination": Pagination(3)}}

    class People(Base):
        resource = {"resource_name": "people", "resource": people_rows(), "datastore": PythonListDataStore}

    assert serve(People).get("/people/").json["meta"]["count"] == 3
    with pytest.raises(ConfigurationError, match="Base has no 'resource' dict"):
        serve(Base)


# The view's options


def test_formatters_shape_every_object(storage: Storage) -> None:
    def shout(response: Any, obj: dict[str, Any]) -> dict[str, Any]:
        obj["title"] = obj["title"].upper() if "title" in obj else None
        return obj

    view = {"options": {"formatters": [add_resource_uri, shout, remove_id]}}
    client = storage.client(Book, BOOKS, view=view)
    shown = client.get("/things/1/").json
    assert (shown["title"], shown["resource_uri"], "id" in shown) == ("THE HOBBIT", "/things/1/", False)
    assert client.objects("/things/?id=2")[0]["title"] == "MYTHOS"
    assert client.post("/things/", {"title": "x"}).json["title"] == "X"
    assert client.get("/things/7/").json["title"] == "X"


def test_formatters_are_not_shared_between_views() -> None:
    plain = serve(over_list([{"id": 1, "a": 1}], view={"options": {"formatters": []}}))
    usual = serve(over_list([{"id": 1, "a": 1}]))
    assert plain.get("/things/1/").json == {"id": 1, "a": 1}
    assert usual.get("/things/1/").json == {"id": 1, "a": 1, "resource_uri": "/things/1/"}


def test_a_formatter_may_replace_the_object() -> None:
    view = {"options": {"formatters": [lambda response, obj: {"wrapped": obj}]}}
    assert serve(over_list([{"id": 1}], view=view)).get("/things/1/").json == {"wrapped": {"id": 1}}


def test_a_response_class_of_one_s_own() -> None:
    class Shouting(JsonResponse):
        media_type = "application/vnd.shout+json"
        content_type = "application/vnd.shout+json"

    client = serve(over_list([{"id": 1}], view={"response_class": [JsonResponse, Shouting]}))
    plain = client.get("/things/1/")
    shouted = client.get("/things/1/", Accept=Shouting.media_type)
    assert plain.headers["Content-Type"] == "application/json"
    assert shouted.headers["Content-Type"] == Shouting.media_type
    assert shouted.headers["Vary"] == plain.headers["Vary"] == "Accept"
    assert shouted.headers["ETag"] != plain.headers["ETag"]
    assert client.get("/things/1/", Accept=Shouting.media_type, If_None_Match=plain.headers["ETag"]).status_int == 200
    assert client.put("/things/1/", {}, If_Match=shouted.headers["ETag"]).status_int == 200
    problem(client.get("/things/1/", Accept="text/html"), 406, "not-acceptable")


# Two complete programs


def test_tweets_end_to_end(tmp_path: Path) -> None:
    class TweetModel(models.Model):
        fields = [
            models.StringField(name="message", required=True),
            models.StringField(name="user", required=True),
            models.PkField(name="id"),
        ]

    class Tweets(Controller):
        resource = {
            "resource_name": "tweets",
            "resource": {"name": str(tmp_path / "twitter.db"), "table": "tweets"},
            "model": TweetModel,
            "datastore": SQLiteDataStore,
        }
        controller = {
            "list_verbs": ["GET", "POST"],
            "unique_verbs": ["GET", "PUT", "DELETE"],
            "options": {"pagination": Pagination(20)},
        }
        view = {"response_class": JsonResponse}

    client = serve(Tweets)
    created = client.post("/tweets/", {"message": "Hello", "user": "ada"})
    assert (created.status_int, created.headers["Location"]) == (201, "/tweets/1/")
    assert client.put("/tweets/1/", {"message": "Bye", "user": "ada"}).json["message"] == "Bye"
    assert client.objects("/tweets/?user=ada&search=bye")[0]["id"] == 1
    assert client.patch("/tweets/1/", {"message": "x"}).status_int == 405
    assert client.delete("/tweets/1/").status_int == 204
    assert client.get("/tweets/").json["meta"]["total_count"] == 0


def test_a_list_s_rows_stay_its_owner_s() -> None:
    day = datetime.date(2024, 1, 2)

    class Note(models.Model):
        fields = [models.PkField("id"), models.DateField("day"), models.StringField("text")]

    rows: list[dict[str, Any]] = [{"id": 1, "day": "2024-01-02", "text": "t"}, {"id": 2, "day": day, "text": "u"}]
    client = serve(over_list(rows, model=Note))
    assert client.values("/things/", "day") == ["2024-01-02", "2024-01-02"]
    assert client.values("/things/?day=2024-01-02") == [1, 2]
    client.patch("/things/1/", {"text": "changed"})
    assert rows[0] == {"id": 1, "day": "2024-01-02", "text": "changed"}
    assert rows[1]["day"] is day


def test_a_table_made_from_the_model_holds_to_it(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    place = {"name": str(path), "table": "people"}
    resource = {"resource_name": "p", "resource": place, "datastore": SQLiteDataStore, "model": Person}
    assert serve(make_controller(resource)).post("/p/", {"name": "Ada", "age": 36}).status_int == 201
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for statement in ("INSERT INTO people (age) VALUES (1)", "INSERT INTO people (name) VALUES ('x')"):
            with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
                connection.execute(statement)


def test_names_are_checked_although_other_keys_are_wrong() -> None:
    with pytest.raises(ConfigurationError) as refused:

        class Wrong(Controller):
            resource = {"resource_name": "x", "resource": 5, "datastore": PythonListDataStore, "model": Person}
            controller = {"options": {"filter_fields": ["agee"], "ordering": "nme", "search_fields": ["names"]}}

    told = "\n".join(refused.value.problems)
    for part in ("not 5", "'agee'", "'nme'", "'names'"):
        assert part in told


def test_a_misspelt_dict_is_no_other_attribute() -> None:
    with pytest.raises(ConfigurationError, match="'controler' is none of the three dicts; did you mean 'controller'"):

        class Wrong(Controller):
            resource = {"resource_name": "x", "resource": [], "datastore": PythonListDataStore}
            controler = {"list_verbs": ["GET"]}


@pytest.mark.parametrize("key", ["ordering", "fields", "search", "name__contains"])
def test_a_paging_parameter_may_not_take_another_ones_name(key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{key!r} has another meaning here already"):

        class Wrong(Controller):
            resource = {"resource_name": "x", "resource": [], "datastore": PythonListDataStore, "model": Person}
            controller = {"options": {"pagination": Pagination(5, offset_key=key)}}


# Formatters by name


def test_the_formatters_of_ours_may_be_named() -> None:
    client = serve(over_list([{"id": 1, "n": 2}], view={"options": {"formatters": ["add_resource_uri", "remove_id"]}}))
    assert client.get("/things/1/").json == {"n": 2, "resource_uri": "/things/1/"}


@pytest.mark.parametrize(
    ("dicts", "complaint"),
    [
        ({"view": {"options": {"formatters": ["add_resource_url"]}}}, "did you mean 'add_resource_uri'?"),
        ({"view": {"options": {"formatters": [5]}}}, "holds 5, which cannot be called"),
        ({"controller": {"options": {"formatters": ["remove_id"]}}}, "holds 'remove_id', which cannot be called"),
    ],
)
def test_a_formatter_that_is_none_is_refused(dicts: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        over_list([{"id": 1}], **dicts)
    assert complaint in str(raised.value)
