"""Relations over HTTP: foreign keys checked, written as URIs, and followed by nested routes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.controllers import WSGIDispatcher
from rest_kit.errors import ConfigurationError
from rest_kit.pagination import CursorPagination
from tests.http.relation_samples import AUTHORS, BOOKS, PAIRS, Author, Book, Counted, listed, shelf
from tests.http.support import Client, Storage, allowed, complaint, faults, make_controller, over_list, problem, serve


@pytest.fixture(params=PAIRS)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Client:
    """Authors and books over each pair of stores."""
    return shelf(request.param, tmp_path)


# --- declaration ------------------------------------------------------------------------------------------------------


def refused(*controllers: Any) -> list[str]:
    """The problems of a dispatcher over these controllers."""
    with pytest.raises(ConfigurationError) as caught:
        WSGIDispatcher(list(controllers))
    return caught.value.problems


def test_all_mistakes_are_told_at_once() -> None:
    authors = listed("authors", [], models.StringField("name"))
    books = listed(
        "books",
        [],
        models.IntForeign("a", resource="auhtors"),
        models.StringForeign("b", resource="authors"),
        models.IntForeign("c", resource="authors", related_name="name"),
        models.IntForeign("d", resource="authors", related_name="works"),
        models.IntForeign("e", resource="authors", related_name="works"),
    )
    problems = refused(authors, books)
    assert problems == [
        "the field 'a' of 'books': resource='auhtors' is not served here; did you mean 'authors'?",
        "the field 'b' of 'books' is string, but the key of 'authors' is integer",
        "the field 'c' of 'books': related_name='name' is a field of 'authors'",
        "the field 'e' of 'books': 'authors' has two relations named 'works'",
    ]


def test_two_models_of_one_resource_agree_on_what_it_refers_to() -> None:
    key = models.IntForeign("author", resource="authors")
    hidden = models.IntForeign("author", resource="authors", write_only=True)
    for lists, items in (([], [key]), ([key], []), ([hidden], [key]), ([key], [hidden])):
        problems = refused(
            listed("authors", []),
            listed("books", [], *lists, controller={"unique_verbs": []}),
            listed("books", [], *items, controller={"list_verbs": []}),
        )
        assert problems == [
            "the field 'author' of 'books' must be in the models of both its controllers, "
            "and write_only in both or in neither"
        ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"id": "ada"}, "the field 'a' of 'books' is integer, but the key of 'authors' is string"),
        ({"id": 1, "books": 3}, "the field 'a' of 'books': related_name='books' is a field of 'authors'"),
    ],
)
def test_what_the_data_show_too_late_is_told_then(row: Any, told: str, caplog: pytest.LogCaptureFixture) -> None:
    key = models.IntForeign("a", resource="authors", related_name="books")
    client = serve(over_list([row], resource={"resource_name": "authors"}), listed("books", [{"id": 1, "a": 1}], key))
    assert client.get("/books/1/").status_int == 200
    problem(client.get("/books/1/?expand=a"), 500, "internal")
    problem(client.post("/books/", {"a": 1}), 500, "internal")
    assert told in caplog.text


def test_nothing_takes_the_place_of_the_link() -> None:
    with pytest.raises(ConfigurationError, match="not 'resource_uri'"):
        models.IntForeign("a", resource="authors", related_name="resource_uri")
    key = models.IntForeign("resource_uri_id", resource="authors")
    client = serve(listed("authors", [{"id": 1}]), listed("books", [{"id": 1, "resource_uri_id": 1}], key))
    shown = client.get("/books/1/?expand=resource_uri_id").json
    assert shown == {"id": 1, "resource_uri_id": {"id": 1, "resource_uri": "/authors/1/"}, "resource_uri": "/books/1/"}


def test_what_may_be_expanded_is_checked() -> None:
    options = {"options": {"expand_fields": ["auhtor"], "expand_max": 0}}
    with pytest.raises(ConfigurationError, match="expand_max"):
        listed("books", [], models.IntForeign("author", resource="authors"), controller=options)
    books = listed(
        "books",
        [],
        models.IntForeign("author", resource="authors"),
        controller={"options": {"expand_fields": ["auhtor"]}},
    )
    assert "did you mean 'author'" in refused(listed("authors", []), books)[0]
    with pytest.raises(ConfigurationError, match="foreign_keys"):
        listed("books", [], view={"options": {"foreign_keys": "url"}})


# --- checked on write -------------------------------------------------------------------------------------------------


def test_what_is_referred_to_must_exist(library: Client) -> None:
    requests: list[tuple[str, str, Any, str]] = [
        ("POST", "/books/", {"title": "x", "author_id": 9}, "#/author_id"),
        ("PUT", "/books/1/", {"title": "x", "author_id": 9}, "#/author_id"),
        ("PATCH", "/books/1/", {"author_id": 9}, "#/author_id"),
        ("POST", "/books/", [{"title": "x"}, {"title": "y", "author_id": 9}], "#/1/author_id"),
        ("PUT", "/books/", [{"id": 1, "title": "x"}, {"id": 2, "title": "y", "author_id": 9}], "#/1/author_id"),
        ("PATCH", "/books/?title=Notes", {"author_id": 9}, "#/author_id"),
    ]
    for method, path, sent, pointer in requests:
        reply = library.ask(method, path, sent)
        assert faults(reply, 409, "conflict") == [(pointer, "foreign_key")], (method, path)
        assert reply.json["detail"] == "author_id names a record that does not exist"
    patch = [{"op": "replace", "path": "/author_id", "value": 9}]
    reply = library.patch("/books/1/", patch, type="application/json-patch+json")
    assert faults(reply, 409, "conflict") == [("#/author_id", "foreign_key")]
    assert library.values("/books/", "author_id") == [1, 1, 2, None]


def test_what_exists_is_accepted(library: Client) -> None:
    assert library.post("/books/", {"title": "x", "author_id": 2}).status_int == 201
    assert library.post("/books/", [{"title": "y", "author_id": 3}, {"title": "z"}]).status_int == 201
    assert library.patch("/books/4/", {"author_id": 3}).json["author_id"] == 3
    assert library.put("/books/1/", {"title": "Notes", "author_id": None}).json["author_id"] is None
    assert library.post("/authors/", {"name": "Di", "mentor": 3}).status_int == 201


def test_a_key_that_does_not_change_is_not_checked() -> None:
    rows = [{"id": 1, "title": "Lost", "author_id": 77}]
    client = serve(Storage("list", Path()).controller(Author, AUTHORS, name="authors"), over_books(rows))
    assert client.patch("/books/1/", {"title": "Found"}).json["author_id"] == 77
    assert client.put("/books/1/", client.get("/books/1/").json).status_int == 200
    assert client.get("/books/1/?expand=author").json["author"] is None
    assert client.get("/books/1/author/").status_int == 404


def over_books(rows: list[dict[str, Any]], **dicts: Any) -> Any:
    resource = {"resource_name": "books", "resource": rows, "datastore": PythonListDataStore, "model": Book}
    return make_controller(resource, **dicts)


def test_one_query_for_a_field_whatever_the_number_of_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    authors = Storage("list", Path()).controller(Author, AUTHORS, name="authors")
    client = serve(authors, over_books([]))
    assert authors.spec_ is not None
    counted = Counted(authors.spec_.store, monkeypatch)
    assert client.post("/books/", [{"title": "t", "author_id": 1 + n % 3} for n in range(50)]).status_int == 201
    assert len(counted.queries) == 1


def test_objects_that_come_together_may_refer_to_each_other(storage: Storage) -> None:
    class Node(models.Model):
        fields = [models.StringPkField("slug"), models.StringForeign("parent", resource="nodes", related_name="nodes")]

    client = storage.client(Node, name="nodes")
    assert client.post("/nodes/", [{"slug": "a"}, {"slug": "b", "parent": "a"}]).status_int == 201
    assert client.post("/nodes/", {"slug": "c", "parent": "c"}).status_int == 201
    reply = client.post("/nodes/", [{"slug": "d"}, {"slug": "e", "parent": "x"}])
    assert faults(reply, 409, "conflict") == [("#/1/parent", "foreign_key")]
    assert client.values("/nodes/a/nodes/", "slug") == ["b"]
    assert client.get("/nodes/b/?expand=parent,nodes").json["parent"]["slug"] == "a"


# --- URIs -------------------------------------------------------------------------------------------------------------


def test_a_uri_stands_for_its_key(library: Client) -> None:
    assert library.post("/books/", {"title": "x", "author_id": "/authors/2/"}).json["author_id"] == 2
    assert library.patch("/books/1/", {"author_id": "/authors/3/"}).json["author_id"] == 3
    patch = [
        {"op": "test", "path": "/author_id", "value": "/authors/3/"},
        {"op": "replace", "path": "/author_id", "value": "/authors/1/"},
    ]
    assert library.patch("/books/1/", patch, type="application/json-patch+json").json["author_id"] == 1
    assert library.values("/books/?author_id=/authors/2/") == [3, 5]
    assert library.values("/books/?author_id__in=/authors/2/,1") == [1, 2, 3, 5]
    assert library.values("/books/?author_id=%2Fauthors%2F2%2F") == [3, 5]


@pytest.mark.parametrize(
    "text",
    ["/books/1/", "//authors/3/", "/authors/003/", "/authors/3", "http://x/authors/3/", "/authors/", "/%61uthors/3/"],
)
def test_another_uri_is_refused(library: Client, text: str) -> None:
    reply = library.post("/books/", [{"title": "ok"}, {"title": 5, "author_id": text}])
    assert faults(reply) == [("#/1/title", "type"), ("#/1/author_id", "reference")]
    assert "'authors'" in reply.json["errors"][1]["detail"]
    assert faults(library.patch("/books/1/", {"author_id": text})) == [("#/author_id", "reference")]
    found = complaint(library.get("/books/?author_id=" + text.replace("%", "%25")))
    assert (found["parameter"], "'authors'" in found["detail"]) == ("author_id", True)


def test_an_expanded_object_does_not_come_back(library: Client) -> None:
    reply = library.put("/books/1/", {"title": "x", "author_id": {"id": 1, "name": "Ada"}})
    assert faults(reply) == [("#/author_id", "reference")]
    assert "send its key" in reply.json["errors"][0]["detail"]


@pytest.mark.parametrize(("prefix", "script"), [("", ""), ("/api/v1", ""), ("", "/mounted"), ("/api", "/up/here")])
def test_keys_are_shown_as_uris_where_asked_for(prefix: str, script: str) -> None:
    view = {"options": {"foreign_keys": "uri"}}
    authors = Storage("list", Path()).controller(Author, AUTHORS, name="authors")
    client = serve(authors, over_books([dict(book) for book in BOOKS], view=view), prefix=prefix)
    environ = {"SCRIPT_NAME": script}
    uri = f"{script}{prefix}/authors/1/"

    def ask(method: str, path: str, *sent: Any, **rest: Any) -> Any:
        return client.ask(method, f"{script}{prefix}{path}", *sent, environ=environ, **rest)

    one = ask("GET", "/books/1/")
    assert one.json["author_id"] == uri
    assert ask("PUT", "/books/1/", one.json).json == one.json
    assert ask("GET", "/books/4/").json["author_id"] is None
    assert [b["author_id"] for b in ask("GET", f"/books/?author_id={uri}").json["object_list"]] == [uri, uri]
    assert ask("GET", "/books/?fields=author_id&count=1").json["object_list"][0]["author_id"] == uri
    nested = ask("GET", "/authors/1/books/?count=1")
    assert nested.json["meta"]["next"] == f"{script}{prefix}/authors/1/books/?offset=1&count=1"
    assert nested.json["object_list"][0]["resource_uri"] == f"{script}{prefix}/books/1/"
    expanded = ask("GET", "/books/1/?expand=author").json
    assert expanded["author"]["resource_uri"] == uri
    if script:
        assert faults(ask("PATCH", "/books/1/", {"author_id": f"{prefix}/authors/1/"})) == [
            ("#/author_id", "reference")
        ]


def test_a_key_that_is_a_reference_stays_a_key() -> None:
    key = models.IntForeign("id", resource="users", related_name="profiles", required=True)
    model = type("Profile", (models.Model,), {"fields": [key, models.StringField("bio")]})
    resource = {"resource_name": "profiles", "resource": [{"id": 1, "bio": "x"}], "datastore": PythonListDataStore}
    profiles = make_controller({**resource, "model": model}, view={"options": {"foreign_keys": "uri"}})
    client = serve(listed("users", [{"id": 1}, {"id": 2}]), profiles)
    shown = {"id": 1, "bio": "x", "resource_uri": "/profiles/1/"}
    assert client.get("/profiles/1/").json == client.put("/profiles/1/", shown).json == shown
    assert client.get("/users/1/?expand=profiles").json["profiles"] == [shown]
    reply = client.post("/profiles/", {"id": "/users/2/", "bio": "y"})
    assert (reply.headers["Location"], reply.json["resource_uri"]) == ("/profiles/2/", "/profiles/2/")


def test_uris_of_text_keys_are_encoded_as_replies_encode_them() -> None:
    class Tag(models.Model):
        fields = [models.StringPkField("slug"), models.StringField("label")]

    tags = [{"slug": "a/b", "label": "x"}, {"slug": "ü", "label": "y"}]
    resource = {"resource_name": "tags", "resource": tags, "datastore": PythonListDataStore, "model": Tag}
    notes = listed("notes", [], models.StringForeign("tag", resource="tags"), view={"options": {"foreign_keys": "uri"}})
    client = serve(make_controller(resource), notes)
    assert client.post("/notes/", {"tag": "a/b"}).json["tag"] == "/tags/a%2Fb/"
    assert client.post("/notes/", {"tag": "/tags/%C3%BC/"}).json["tag"] == "/tags/%C3%BC/"
    assert client.values("/notes/?tag=/tags/a%252Fb/") == [1]
    assert client.values("/notes/?tag=a/b") == [1]
    assert client.values("/notes/?tag__startswith=a/") == [1]
    for text in ("/tags/%61%2Fb/", "/tags/a/b/", "/tags//", "/notes/1/"):
        assert faults(client.post("/notes/", {"tag": text})) == [("#/tag", "reference")], text
    assert faults(client.post("/notes/", {"tag": "/elsewhere/"}), 409, "conflict") == [("#/tag", "foreign_key")]


# --- nested routes ----------------------------------------------------------------------------------------------------


def test_a_nested_list_is_the_list_of_what_refers_to_an_item(library: Client) -> None:
    reply = library.get("/authors/1/books/?count=1&fields=title&expand=author")
    assert reply.json["meta"]["total_count"] == 2
    assert reply.json["meta"]["filters"] == {}
    assert reply.json["meta"]["next"] == "/authors/1/books/?fields=title&expand=author&offset=1&count=1"
    assert '</authors/1/books/?fields=title&expand=author&offset=1&count=1>; rel="next"' in reply.headers["Link"]
    found = reply.json["object_list"]
    assert [(b["id"], b["title"], b["author"]["name"], b["resource_uri"]) for b in found] == [
        (1, "Notes", "Ada", "/books/1/")
    ]
    assert library.values("/authors/1/books/?title=More") == [2]
    assert library.values("/authors/1/books/?author_id=2") == []
    assert library.values("/authors/1/books/?ordering=-title&search=o") == [1, 2]
    assert library.values("/authors/1/pupils/") == [2]
    assert library.head("/authors/1/books/").status_int == 200


def test_what_nested_routes_do_not_serve(library: Client) -> None:
    for path in (
        "/authors/9/books/",
        "/authors/01/books/",
        "/authors/1/boks/",
        "/authors/1/books/1/",
        "/books/4/author/",
    ):
        problem(library.get(path), 404, "not-found")
    assert allowed(library.options("/authors/1/books/")) == ["GET", "HEAD", "POST", "OPTIONS"]
    assert allowed(library.delete("/authors/1/books/")) == ["GET", "HEAD", "POST", "OPTIONS"]
    assert allowed(library.put("/books/1/author/", {})) == ["GET", "HEAD", "OPTIONS"]
    assert complaint(library.get("/authors/1/books/?autor_id=1"))["code"] == "unknown"


def test_a_key_that_cannot_be_set_takes_no_nested_post() -> None:
    key = models.IntForeign("customer_id", resource="customers", related_name="orders", read_only=True)
    orders = listed("orders", [{"id": 1, "customer_id": 1}], key)
    client = serve(listed("customers", [{"id": 1}]), orders)
    assert client.values("/customers/1/orders/") == [1]
    assert allowed(client.options("/customers/1/orders/")) == ["GET", "HEAD", "OPTIONS"]
    problem(client.post("/customers/1/orders/", {}), 405, "method-not-allowed")
    assert client.post("/orders/", {}).json["customer_id"] is None


def test_a_nested_post_sets_the_parent(library: Client) -> None:
    made = library.post("/authors/2/books/", {"title": "New"})
    assert (made.status_int, made.json["author_id"], made.headers["Location"]) == (201, 2, "/books/5/")
    assert library.post("/authors/2/books/", {"title": "Same", "author_id": "/authors/2/"}).status_int == 201
    reply = library.post("/authors/2/books/", [{"title": "a"}, {"title": "b", "author_id": 1}])
    assert faults(reply) == [("#/1/author_id", "reference")]
    assert faults(library.post("/authors/2/books/", {"title": "a", "author_id": None})) == [
        ("#/author_id", "reference")
    ]
    assert library.post("/authors/9/books/", {"title": "x"}).status_int == 404
    assert library.values("/authors/2/books/") == [3, 5, 6]


def test_a_nested_item_says_where_it_is(library: Client) -> None:
    reply = library.get("/books/3/author/?fields=name")
    assert reply.json == {"id": 2, "name": "Bob", "resource_uri": "/authors/2/"}
    assert reply.headers["Content-Location"] == "/authors/2/"
    again = library.get("/books/3/author/?fields=name", If_None_Match=reply.headers["ETag"])
    assert again.status_int == 304
    assert "secret" not in library.get("/books/1/author/").json


def test_what_may_not_be_read_does_not_lead_on() -> None:
    key = models.IntForeign("customer_id", resource="customers", related_name="orders")
    verbs = {"list_verbs": ["POST"], "unique_verbs": ["DELETE"]}
    orders = listed("orders", [{"id": 1, "customer_id": 1}], key, controller=verbs)
    client = serve(listed("customers", [{"id": 1}]), orders)
    assert client.get("/orders/1/customer/").status_int == 404
    assert client.post("/customers/1/orders/", {}).status_int == 201


def test_nobody_learns_from_a_nested_list_which_parents_there_are() -> None:
    owner = models.IntForeign("owner", resource="people", related_name="notes")
    people = listed("people", [{"id": 1}], controller={"list_verbs": ["POST"], "unique_verbs": ["DELETE"]})
    client = serve(people, listed("notes", [{"id": 1, "owner": 1}], owner))
    there, missing = client.get("/people/1/notes/"), client.get("/people/2/notes/")
    assert (there.status_int, missing.status_int) == (404, 404)
    assert there.json["detail"] == missing.json["detail"]


def test_a_cursor_belongs_to_its_parent(storage: Storage) -> None:
    authors = Storage("list", Path()).controller(Author, AUTHORS, name="authors")
    options = {"options": {"pagination": CursorPagination(1)}}
    rows = [{"id": n, "title": f"t{n}", "author_id": 1 + n % 2} for n in range(1, 7)]
    client = serve(authors, storage.controller(Book, rows, name="books", controller=options))
    found, url = [], "/authors/1/books/"
    while url:
        reply = client.get(url)
        found += [obj["id"] for obj in reply.json["object_list"]]
        url = reply.json["meta"]["next"]
    assert found == [2, 4, 6]
    cursor = client.get("/authors/1/books/").json["meta"]["next"].partition("?")[2]
    for other in ("/authors/2/books/", "/books/", "/books/?author_id=1&"):
        assert complaint(client.get(f"{other.rstrip('?&')}{'&' if '=' in other else '?'}{cursor}"))["code"] == "cursor"


def test_a_relation_is_no_key() -> None:
    class Node(models.Model):
        fields = [models.StringPkField("slug"), models.StringForeign("parent", resource="nodes", related_name="below")]

    resource = {"resource_name": "nodes", "resource": [], "datastore": PythonListDataStore, "model": Node}
    client = serve(make_controller(resource))
    for word in ("parent", "below"):
        assert faults(client.post("/nodes/", {"slug": word})) == [("#/slug", "reserved")]
        assert client.get(f"/nodes/{word}/").status_int == 404


def test_the_schema_shows_relations(library: Client) -> None:
    assert library.get("/schema/books/").json["relations"] == [
        {
            "name": "author",
            "kind": "to-one",
            "resource": "authors",
            "field": "author_id",
            "related_name": "books",
            "on_delete": "restrict",
        }
    ]
    found = library.get("/schema/authors/").json["relations"]
    assert [(one["name"], one["kind"], one["resource"]) for one in found] == [
        ("mentor", "to-one", "authors"),
        ("pupils", "to-many", "authors"),
        ("books", "to-many", "books"),
    ]


def test_one_name_may_be_served_by_two_controllers() -> None:
    authors = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}]
    name = models.StringField("name")
    lists = listed("authors", authors, name, controller={"unique_verbs": []})
    items = listed("authors", authors, name, controller={"list_verbs": []})
    key = models.IntForeign("author", resource="authors", related_name="books")
    books = [{"id": 1, "author": 1}]
    book_lists = listed("books", books, key, controller={"unique_verbs": []})
    book_items = listed("books", books, key, controller={"list_verbs": []})
    client = serve(lists, items, book_lists, book_items)
    assert client.get("/books/1/?expand=author").json["author"]["name"] == "Ada"
    assert client.objects("/authors/?expand=books")[0]["books"][0]["id"] == 1
    assert client.values("/authors/1/books/") == [1]
    assert faults(client.patch("/books/1/", {"author": 9}), 409, "conflict") == [("#/author", "foreign_key")]
    assert faults(client.post("/books/", {"author": 9}), 409, "conflict") == [("#/author", "foreign_key")]
    assert client.delete("/authors/1/").status_int == 409


def test_a_deletion_does_not_write_where_writes_would_be_lost(tmp_path: Path) -> None:
    key = models.IntForeign("author_id", resource="authors", on_delete="cascade")
    authors = Storage("sqlite", tmp_path).controller(Author, AUTHORS, name="authors")
    client = serve(authors, listed("books", [{"id": 1, "author_id": 1}], key))
    several = {"wsgi.multiprocess": True}
    problem(client.delete("/authors/1/", environ=several), 503, "unavailable")
    assert client.patch("/authors/1/", {"name": "Eve"}, environ=several).status_int == 200
    assert client.values("/books/") == [1]


def test_a_deletion_that_ends_before_a_list_is_done(tmp_path: Path) -> None:
    author = models.IntForeign("author_id", resource="authors", on_delete="set_null")
    book = models.IntForeign("book_id", resource="books", on_delete="cascade")
    storage = Storage("sqlite", tmp_path)
    books = type("Loose", (models.Model,), {"fields": [models.PkField("id"), author]})
    client = serve(
        storage.controller(Author, AUTHORS, name="authors"),
        storage.controller(books, [{"id": 1, "author_id": 1}], name="books"),
        listed("reviews", [{"id": 1, "book_id": 1}], book),
    )
    several = {"wsgi.multiprocess": True}
    assert client.delete("/authors/1/", environ=several).status_int == 204
    problem(client.delete("/books/1/", environ=several), 503, "unavailable")
    assert client.values("/reviews/", "book_id") == [1]


def test_a_controllers_own_methods_serve_nested_lists() -> None:
    seen = []

    class Books(over_books([dict(book) for book in BOOKS])):  # type: ignore[misc]
        def get_list(self, request: Any) -> Any:
            seen.append(request.within)
            return super().get_list(request)

    client = serve(Storage("list", Path()).controller(Author, AUTHORS, name="authors"), Books)
    assert client.values("/authors/1/books/") == [1, 2]
    assert [(one.field, one.value) for one in seen] == [("author_id", 1)]


def test_an_input_formatter_may_bring_a_uri() -> None:
    def with_author(controller: Any, data: Any) -> Any:
        return {**data, "author_id": "/authors/2/"}

    books = over_books([], controller={"options": {"formatters": [with_author]}})
    client = serve(Storage("list", Path()).controller(Author, AUTHORS, name="authors"), books)
    assert client.post("/books/", {"title": "x"}).json["author_id"] == 2


def test_the_bare_array_is_expanded_too() -> None:
    books = over_books([dict(book) for book in BOOKS], view={"options": {"envelope": False}})
    client = serve(Storage("list", Path()).controller(Author, AUTHORS, name="authors"), books)
    reply = client.get("/authors/1/books/?expand=author")
    assert [book["author"]["name"] for book in reply.json] == ["Ada", "Ada"]
    assert reply.headers["X-Total-Count"] == "2"
