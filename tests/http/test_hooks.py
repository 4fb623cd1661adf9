"""What a controller's own methods do around its writes: before, within the transaction; after, once it is kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from datastores import PythonListDataStore, SQLDataStore
from rest_kit import models
from rest_kit.controllers import Controller, action
from rest_kit.errors import Fault, PermissionDenied, ValidationError
from rest_kit.request import Request
from rest_kit.store import Tx
from rest_kit.types import Record
from tests.http.support import Client, Storage, faults, make_controller, over_list, problem, serve
from tests.http.task_samples import Task, TaskActions, tasks
from tests.servers import Place, places

T = TypeVar("T")


class Diary:
    """Hooks that write down what they are told."""

    def __init__(self) -> None:
        self.entries: list[tuple[Any, ...]] = []

    def members(self) -> dict[str, Any]:
        """All six hooks, each writing down its name and the titles that it is given."""
        return {name: self.hook(name) for name in HOOKS}

    def hook(self, name: str) -> Callable[..., None]:
        def run(view: Controller, request: Request, *records: Record) -> None:
            self.entries.append((name, *(record["title"] for record in records)))

        return run

    def read(self) -> list[tuple[Any, ...]]:
        """What has been written down since the last time."""
        entries, self.entries = self.entries, []
        return entries


HOOKS = ("before_create", "before_update", "before_delete", "after_create", "after_update", "after_delete")


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def client(storage: Storage, diary: Diary) -> Client:
    """The tasks, with every hook."""
    return tasks(storage, TaskActions, members=diary.members())


def hooked(storage: Storage, **hooks: Any) -> Client:
    """The tasks, with these hooks."""
    return tasks(storage, TaskActions, members=hooks)


# Which run, and when


def test_each_write_has_its_two_hooks(client: Client, diary: Diary) -> None:
    client.post("/tasks/", {"title": "new"})
    assert diary.read() == [("before_create", "new"), ("after_create", "new")]
    client.put("/tasks/1/", {"title": "one"})
    assert diary.read() == [("before_update", "Buy milk", "one"), ("after_update", "Buy milk", "one")]
    client.patch("/tasks/2/", {"title": "two"})
    assert diary.read() == [("before_update", "Buy eggs", "two"), ("after_update", "Buy eggs", "two")]
    client.delete("/tasks/1/")
    assert diary.read() == [("before_delete", "one"), ("after_delete", "one")]


def test_many_writes_have_their_hooks_in_order_those_that_follow_at_the_end(client: Client, diary: Diary) -> None:
    client.post("/tasks/", [{"title": "a"}, {"title": "b"}])
    assert diary.read() == [(name, title) for name in ("before_create", "after_create") for title in "ab"]
    client.put("/tasks/", [{"id": 1, "title": "c"}, {"id": 2, "title": "d"}])
    pairs = [("Buy milk", "c"), ("Buy eggs", "d")]
    assert diary.read() == [(name, *pair) for name in ("before_update", "after_update") for pair in pairs]
    client.patch("/tasks/?id__in=1,2", {"completed": True})
    pairs = [("c", "c"), ("d", "d")]
    assert diary.read() == [(name, *pair) for name in ("before_update", "after_update") for pair in pairs]
    client.delete("/tasks/?id__in=1,2")
    assert diary.read() == [(name, title) for name in ("before_delete", "after_delete") for title in "cd"]


def test_a_hook_is_told_what_is_done_and_where(storage: Storage) -> None:
    """Also where there are no policies."""
    asked: list[tuple[str, str]] = []

    def note(view: Controller, request: Request, *records: Record) -> None:
        assert request.view is view
        asked.append((request.action, request.method))

    client = hooked(storage, **dict.fromkeys(HOOKS[:3], note))
    client.post("/tasks/", {"title": "new"})
    client.put("/tasks/1/", {"title": "one"})
    client.patch("/tasks/?id=1", {"title": "two"})
    client.delete("/tasks/1/")
    wanted = [("create", "POST"), ("update", "PUT"), ("bulk_partial_update", "PATCH"), ("destroy", "DELETE")]
    assert asked == wanted


def test_reading_has_none(client: Client, diary: Diary) -> None:
    client.get("/tasks/")
    client.get("/tasks/1/")
    assert diary.read() == []


def test_an_action_that_saves_or_deletes_has_them_too(client: Client, diary: Diary) -> None:
    client.put("/tasks/1/title/", {"title": "one"})
    assert diary.read() == [("before_update", "Buy milk", "one"), ("after_update", "Buy milk", "one")]
    client.delete("/tasks/1/title/")
    assert diary.read() == [("before_delete", "one"), ("after_delete", "one")]


@pytest.mark.parametrize("body", [{"title": "Buy eggs"}, {"title": "x" * 30}, {"titel": "x"}])
def test_what_is_not_kept_has_no_hooks_behind_it(client: Client, diary: Diary, body: Any) -> None:
    assert client.post("/tasks/", body).status_int in (400, 409)
    assert client.patch("/tasks/1/", body).status_int in (400, 409)
    assert not [entry for entry in diary.read() if entry[0].startswith("after")]


def test_one_failure_among_many_leaves_none_behind_it(client: Client, diary: Diary) -> None:
    assert client.post("/tasks/", [{"title": "a"}, {"title": "Buy eggs"}]).status_int == 409
    assert diary.read() == [("before_create", "a"), ("before_create", "Buy eggs")]
    assert client.get("/tasks/").json["meta"]["total_count"] == 3


class TriesTwice(PythonListDataStore):
    """Loses its first attempt at every write, as a database does on a deadlock."""

    def atomic(self, work: Callable[[Tx], T]) -> T:
        def lost(tx: Tx) -> T:
            work(tx)
            raise Deadlock

        with pytest.raises(Deadlock):
            super().atomic(lost)
        return super().atomic(work)


class Deadlock(Exception):
    """The database asks to try again."""


def test_a_write_that_is_tried_again_has_those_before_it_again_and_those_behind_it_once(diary: Diary) -> None:
    resource = {"resource_name": "tasks", "resource": [], "datastore": TriesTwice, "model": Task}
    client = serve(type("App", (make_controller(resource),), diary.members()))
    made = client.post("/tasks/", {"title": "new"})
    assert diary.read() == [("before_create", "new"), ("before_create", "new"), ("after_create", "new")]
    client.delete(made.headers["Location"])
    assert diary.read() == [("before_delete", "new"), ("before_delete", "new"), ("after_delete", "new")]


def test_headers_of_an_attempt_in_vain_are_not_sent() -> None:
    def before_create(self: Controller, request: Request, record: Record) -> None:
        request.add_headers(("X-Title", record["title"]))

    resource = {"resource_name": "tasks", "resource": [], "datastore": TriesTwice, "model": Task}
    client = serve(type("App", (make_controller(resource),), {"before_create": before_create}))
    assert client.post("/tasks/", {"title": "new"}).headers.getall("X-Title") == ["new"]


def test_nested_posts_have_the_hooks_of_the_list(diary: Diary) -> None:
    class Author(models.Model):
        fields = [models.PkField("id"), models.StringField("title")]

    class Book(models.Model):
        fields = [
            models.PkField("id"),
            models.StringField("title"),
            models.IntForeign("author_id", resource="authors", related_name="books", on_delete="cascade"),
        ]

    authors = over_list([{"id": 1, "title": "Ada"}], model=Author, resource={"resource_name": "authors"})
    books = over_list([], model=Book, resource={"resource_name": "books"})
    client = serve(authors, type("Books", (books,), diary.members()))
    assert client.post("/authors/1/books/", {"title": "new"}).json["author_id"] == 1
    found = diary.read()
    assert found[-1] == ("after_create", "new")
    assert set(found[:-1]) == {("before_create", "new")}
    client.delete("/authors/1/")
    assert client.objects("/books/") == []
    assert diary.read() == []  # what goes along has no hooks of its own


# What they may do


def test_what_a_hook_changes_is_stored(storage: Storage) -> None:
    def before_create(self: Controller, request: Request, record: Record) -> None:
        record["title"] = record["title"].strip()
        record["labels"] = ["new"]

    def before_update(self: Controller, request: Request, before: Record, record: Record) -> None:
        record["labels"] = [*before["labels"], "changed"]

    client = hooked(storage, before_create=before_create, before_update=before_update)
    made = client.post("/tasks/", {"title": "  a  "})
    assert (made.json["title"], made.json["labels"]) == ("a", ["new"])
    changed = client.patch(made.headers["Location"], {"title": "b"})
    assert changed.json["labels"] == ["new", "changed"]
    assert client.get(made.headers["Location"]).json == changed.json


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"title": "x" * 21}, ("#/title", "max_length")),
        ({"title": None}, ("#/title", "null")),
        ({"completed": "yes"}, ("#/completed", "type")),
        ({"title": "URGENT", "completed": True}, ("#", "invalid")),
    ],
)
def test_what_a_hook_changes_must_fit_the_model(storage: Storage, change: Any, expected: tuple[str, str]) -> None:
    def before_create(self: Controller, request: Request, record: Record) -> None:
        record.update(change)

    def before_update(self: Controller, request: Request, before: Record, record: Record) -> None:
        record.update(change)

    client = hooked(storage, before_create=before_create, before_update=before_update)
    assert faults(client.post("/tasks/", {"title": "a"})) == [expected]
    pointer = expected[0].replace("#", "#/1")
    assert faults(client.post("/tasks/", [{"title": "a"}, {"title": "b"}])) == [
        (pointer.replace("1", place), expected[1]) for place in "01"
    ]
    assert faults(client.patch("/tasks/1/", {"labels": []})) == [expected]
    assert client.get("/tasks/1/").json["labels"] == ["home"]


def test_a_hook_that_names_no_field_or_another_key_is_an_error_of_ours(storage: Storage) -> None:
    def before_create(self: Controller, request: Request, record: Record) -> None:
        record["titel"] = "x"

    def before_update(self: Controller, request: Request, before: Record, record: Record) -> None:
        record["id"] = 77

    client = hooked(storage, before_create=before_create, before_update=before_update)
    problem(client.post("/tasks/", {"title": "a"}), 500, "internal")
    problem(client.patch("/tasks/1/", {"title": "a"}), 500, "internal")
    assert client.values("/tasks/", "title") == ["Buy milk", "Buy eggs", "Write tests"]


def refusing(error: Exception) -> dict[str, Any]:
    """Hooks that refuse every write."""

    def refuse(self: Controller, request: Request, *records: Record) -> None:
        raise error

    return {name: refuse for name in HOOKS if name.startswith("before")}


def test_a_hook_refuses_with_what_it_raises(storage: Storage) -> None:
    fault = Fault("busy", "is busy", ("title",))
    client = hooked(storage, **refusing(ValidationError(fault)))
    assert faults(client.post("/tasks/", {"title": "a"})) == [("#/title", "busy")]
    assert faults(client.post("/tasks/", [{"title": "a"}])) == [("#/0/title", "busy")]
    assert faults(client.put("/tasks/1/", {"title": "a"})) == [("#/title", "busy")]
    assert faults(client.delete("/tasks/1/")) == [("#/title", "busy")]
    client = hooked(storage, **refusing(PermissionDenied("not on Sundays")))
    for reply in (client.post("/tasks/", {"title": "a"}), client.delete("/tasks/1/"), client.post("/tasks/1/toggle/")):
        assert problem(reply, 403, "permission-denied")["detail"] == "not on Sundays"
    assert client.values("/tasks/", "title") == ["Buy milk", "Buy eggs", "Write tests"]


def test_a_hook_that_fails_takes_the_write_with_it(storage: Storage) -> None:
    client = hooked(storage, **refusing(RuntimeError("no mail today")))
    problem(client.post("/tasks/", {"title": "a"}), 500, "internal")
    problem(client.delete("/tasks/?id__gte=1"), 500, "internal")
    assert client.get("/tasks/").json["meta"]["total_count"] == 3


def test_a_hook_behind_a_write_that_fails_is_logged_and_the_reply_stands(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    def after_create(self: Controller, request: Request, record: Record) -> None:
        calls.append(record["title"])
        raise RuntimeError("no mail today")

    calls: list[str] = []
    client = hooked(storage, after_create=after_create)
    with caplog.at_level(logging.ERROR, "rest_kit"):
        reply = client.post("/tasks/", [{"title": "a"}, {"title": "b"}], X_Request_ID="abc")
    assert reply.status_int == 201
    assert calls == ["a", "b"]
    assert client.get("/tasks/").json["meta"]["total_count"] == 5
    assert ["after_create has failed (request abc)" in entry.getMessage() for entry in caplog.records] == [True, True]


def test_a_hook_behind_a_write_cannot_change_the_reply(storage: Storage) -> None:
    def after_create(self: Controller, request: Request, record: Record) -> None:
        record["labels"].append("spoilt")
        record["title"] = "spoilt"

    reply = hooked(storage, after_create=after_create).post("/tasks/", {"title": "a", "labels": ["x"]})
    assert (reply.json["title"], reply.json["labels"]) == ("a", ["x"])


def test_those_behind_a_write_run_even_where_its_reply_cannot_be_made(diary: Diary, storage: Storage) -> None:
    def broken(response: Any, obj: Record) -> Record:
        raise RuntimeError("cannot be shown")

    members = {**diary.members(), "view": {"options": {"formatters": [broken]}}}
    client = tasks(storage, TaskActions, members=members)
    problem(client.post("/tasks/", {"title": "new"}), 500, "internal")
    assert diary.read() == [("before_create", "new"), ("after_create", "new")]


def test_a_hook_may_be_async(storage: Storage) -> None:
    async def before_create(self: Controller, request: Request, record: Record) -> None:
        record["title"] = "from a coroutine"

    reply = hooked(storage, before_create=before_create).post("/tasks/", {"title": "a"})
    assert reply.json["title"] == "from a coroutine"


def test_a_hook_may_look_at_the_body_again(storage: Storage) -> None:
    def before_create(self: Controller, request: Request, record: Record) -> None:
        record["note"] = f"sent with {len(request.data)} members"

    @action(detail=True)
    def note(self: Controller, request: Request, pk: int) -> Any:
        return {"note": self.get_object(request, pk).note}

    client = hooked(storage, before_create=before_create, note=note)
    made = client.post("/tasks/", {"title": "a", "labels": []})
    assert client.get(f"{made.headers['Location']}note/").json == {"note": "sent with 2 members"}


def test_a_key_that_a_hook_makes_must_have_an_address() -> None:
    class Page(models.Model):
        fields = [models.StringPkField("slug"), models.StringField("title")]

    def before_create(self: Controller, request: Request, record: Record) -> None:
        record["slug"] = record["title"].lower()

    client = serve(type("Pages", (over_list([], model=Page),), {"before_create": before_create}))
    assert client.post("/things/", {"slug": "x", "title": "Hello"}).headers["Location"] == "/things/hello/"
    assert faults(client.post("/things/", {"slug": "x", "title": "Events"})) == [("#/slug", "reserved")]


# In a database


@pytest.fixture(params=["postgresql", "mariadb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place in each database."""
    yield from places(request.param)


def test_a_refused_write_is_rolled_back_in_a_database(place: Place, diary: Diary) -> None:
    def before_update(self: Controller, request: Request, before: Record, record: Record) -> None:
        if record["title"] == "b":
            raise PermissionDenied

    resource = {
        "resource_name": "tasks",
        "resource": {"url": place.url, "table": place.table()},
        "datastore": SQLDataStore,
        "model": Task,
    }
    members = {**diary.members(), "before_update": before_update}
    client = serve(type("App", (make_controller(resource), TaskActions), members))
    client.post("/tasks/", [{"title": "x"}, {"title": "y"}])
    assert [entry for entry in diary.read() if entry[0] == "after_create"] == [
        ("after_create", "x"),
        ("after_create", "y"),
    ]
    problem(client.put("/tasks/", [{"id": 1, "title": "a"}, {"id": 2, "title": "b"}]), 403, "permission-denied")
    assert client.values("/tasks/", "title") == ["x", "y"]
    assert diary.read() == []
    assert client.post("/tasks/1/complete/").json == {"status": "completed"}
    assert client.get("/tasks/1/").json["completed"] is True
    assert diary.read() == [("after_update", "x", "x")]
