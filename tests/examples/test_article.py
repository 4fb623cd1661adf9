"""The two samples of the article on which rest_kit's design rests: a list of a hundred dicts, and tweets in SQLite.

Each test takes up one sentence of it, in the article's order.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from datastores import PythonListDataStore, SQLiteDataStore
from rest_kit import jsonio, models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.errors import ConfigurationError
from rest_kit.pagination import Pagination
from rest_kit.views import JsonResponse, Response
from tests.http.support import Client

# --- the first sample -------------------------------------------------------------------------------------------------


class KeylessModel(models.Model):
    """As in the article: the primary key is not mentioned."""

    fields = [
        models.IntegerField(name="age", required=True),
        models.StringField(name="name", required=True),
    ]


class PersonModel(models.Model):
    fields = [*KeylessModel.fields, models.PkField(name="id", required=True)]


def address_book(model: type[models.Model] = PersonModel, **changes: Any) -> type[Controller]:
    """The endpoint of the article, over a hundred dicts of its own."""

    class AddressEndPoint(Controller):
        resource = {
            "resource_name": "address",
            "resource": [{"name": "bob", "age": a, "id": a} for a in range(100)],
            "model": model,
            "datastore": PythonListDataStore,
        }
        controller = {"list_verbs": ["GET", "POST"], "unique_verbs": ["GET", "PUT", "DELETE"], **changes}
        view = {"response_class": JsonResponse}

    return AddressEndPoint


@pytest.fixture
def client() -> Client:
    return Client(WSGIDispatcher([address_book()]))


def test_a_list_of_a_hundred_dicts_is_served(client: Client) -> None:
    page = client.get("/address/").json
    assert page["meta"]["total_count"] == 100
    assert page["object_list"][7] == {"age": 7, "name": "bob", "id": 7, "resource_uri": "/address/7/"}


def test_the_sample_without_a_primary_key_works_as_well() -> None:
    client = Client(WSGIDispatcher([address_book(KeylessModel)]))
    assert client.get("/address/7/").json["age"] == 7
    assert client.ask("POST", "/address/", {"name": "eve", "age": 1}).json["id"] == 100


def test_the_resource_name_builds_the_url(client: Client) -> None:
    assert client.get("/").json["resources"] == {"address": "/address/"}
    assert client.get("/people/").status_int == 404


def test_fields_bring_their_validators(client: Client) -> None:
    refused = client.ask("POST", "/address/", {"age": "old"})
    assert refused.status_int == 400
    assert {(fault["pointer"], fault["code"]) for fault in refused.json["errors"]} == {
        ("#/age", "type"),
        ("#/name", "required"),
    }


def test_without_post_nobody_can_create() -> None:
    client = Client(WSGIDispatcher([address_book(list_verbs=["GET"])]))
    refused = client.ask("POST", "/address/", {"name": "eve", "age": 1})
    assert (refused.status_int, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_put_modifies_and_delete_deletes(client: Client) -> None:
    assert client.ask("PUT", "/address/7/", {"name": "eve", "age": 8}).json["name"] == "eve"
    assert client.get("/address/7/").json == {"age": 8, "name": "eve", "id": 7, "resource_uri": "/address/7/"}
    assert client.ask("DELETE", "/address/7/").status_int == 204
    assert client.get("/address/7/").status_int == 404
    assert client.ask("PATCH", "/address/8/", {"age": 9}).status_int == 405


def test_the_view_renders_json(client: Client) -> None:
    assert client.get("/address/7/").headers["Content-Type"] == "application/json"


def test_any_other_view_class_renders_what_it_likes() -> None:
    class ShoutResponse(Response):
        media_type = content_type = "text/x-shout"

        @staticmethod
        def render(data: Any) -> bytes:
            return jsonio.dumps(data).upper()

    class Loud(address_book()):  # type: ignore[misc]
        view = {"response_class": ShoutResponse}

    reply = Client(WSGIDispatcher([Loud])).get("/address/7/")
    assert reply.headers["Content-Type"] == "text/x-shout"
    assert b'"NAME":"BOB"' in reply.body


def test_pages_tell_the_first_and_the_last_one_and_how_many_objects_there_are() -> None:
    client = Client(WSGIDispatcher([address_book(options={"pagination": Pagination(20)})]))
    meta = client.get("/address/").json["meta"]
    assert meta["total_count"] == 100
    assert (meta["first"], meta["previous"]) == ("/address/?offset=0&count=20", None)
    assert meta["last"] == "/address/?offset=80&count=20"
    seen = []
    while meta is not None:
        page = client.get(meta["next"] or meta["last"]).json
        seen += [person["id"] for person in page["object_list"]]
        meta = page["meta"] if page["meta"]["next"] else None
    assert seen == list(range(20, 100))


def test_many_endpoints_live_in_one_dispatcher() -> None:
    class Friends(address_book()):  # type: ignore[misc]
        resource = {**address_book().resource, "resource_name": "friends"}

    client = Client(WSGIDispatcher([address_book(), Friends]))
    assert client.ask("DELETE", "/friends/1/").status_int == 204
    assert client.get("/address/1/").status_int == 200


def test_the_articles_other_spelling_is_refused_with_the_right_one() -> None:
    with pytest.raises(ConfigurationError) as refused:

        class Misspelt(Controller):
            resource = {"ressource_name": "address", "ressource": [], "datastore": PythonListDataStore}  # type: ignore[typeddict-unknown-key]

    told = "\n".join(refused.value.problems)
    assert "'ressource_name'; did you mean 'resource_name'?" in told
    assert "'ressource'; did you mean 'resource'?" in told


# --- the second sample ------------------------------------------------------------------------------------------------


class TweetModel(models.Model):
    fields = [
        models.StringField(name="message", required=True),
        models.StringField(name="user", required=True),
        models.PkField(name="id", required=True),
    ]


def tweets(path: Path) -> type[Controller]:
    """The endpoint of the article: the same as over a list, but for where the data are."""

    class TweetEndPoint(Controller):
        resource = {
            "resource_name": "tweets",
            "resource": {"name": str(path), "table": "tweets"},
            "model": TweetModel,
            "datastore": SQLiteDataStore,
            "options": {"timeout": 2},
        }
        controller = {
            "list_verbs": ["GET", "POST"],
            "unique_verbs": ["GET", "PUT", "DELETE"],
            "options": {"pagination": Pagination(20)},
        }
        view = {"response_class": JsonResponse, "options": {"envelope": True}}

    return TweetEndPoint


def test_the_database_is_created_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "twitter.db"
    client = Client(WSGIDispatcher([tweets(path)]))
    assert not path.exists()
    assert client.get("/tweets/").json["object_list"] == []
    assert path.exists()


def test_tweets_from_the_first_to_the_last(tmp_path: Path) -> None:
    path = tmp_path / "twitter.db"
    client = Client(WSGIDispatcher([tweets(path)]))
    for number in range(45):
        made = client.ask("POST", "/tweets/", {"message": f"tweet {number}", "user": "bob"})
        assert made.status_int == 201
    meta = client.get("/tweets/").json["meta"]
    assert (meta["count"], meta["total_count"], meta["last"]) == (20, 45, "/tweets/?offset=40&count=20")
    found = client.get("/tweets/?message__endswith=44").json["object_list"]
    assert [tweet["id"] for tweet in found] == [45]
    assert client.ask("PUT", "/tweets/45/", {"message": "the end", "user": "eve"}).status_int == 200
    assert client.ask("DELETE", "/tweets/1/").status_int == 204
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT count(*), max(message) FROM tweets WHERE id = 45 OR user = 'eve'").fetchall()
    connection.close()
    assert rows == [(1, "the end")]


def test_a_mistake_in_an_option_is_told_when_the_class_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'timeout'"):

        class Mistaken(Controller):
            resource = {**tweets(tmp_path / "t.db").resource, "options": {"timeuot": 2}}
