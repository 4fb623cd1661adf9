"""Methods of a controller at addresses of their own, and the objects that they work on."""

from __future__ import annotations

import asyncio
import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response as WSGIResponse

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.authentication import Authentication
from rest_kit.controllers import Controller, WSGIDispatcher, action
from rest_kit.errors import ConfigurationError, NotAuthenticated
from rest_kit.pagination import CursorPagination, Pagination
from rest_kit.permissions import AllowAny, IsAdminUser, IsAuthenticated, IsOwner, IsOwnerOrReadOnly, Permission
from rest_kit.query import Filter
from rest_kit.request import Request
from rest_kit.response import Response
from rest_kit.store import Capabilities
from rest_kit.uploads import DirectoryStorage
from rest_kit.users import User
from rest_kit.views import JsonResponse
from rest_kit.views import Response as View
from tests.http.support import Client, Storage, allowed, faults, make_controller, over_list, problem, serve
from tests.http.task_samples import Task, TaskActions, rows, tasks


def acting(rows: list[dict[str, Any]], **members: Any) -> type[Controller]:
    """A controller over a list of tasks, with these members."""
    resource = {"resource_name": "tasks", "resource": rows, "datastore": PythonListDataStore, "model": Task}
    return type("TaskApp", (Controller,), {"resource": resource, **members})


def answering(result: Any, **options: Any) -> Client:
    """A client of tasks with one action at `/tasks/reply/`, which returns that."""

    @action(detail=False, methods=["GET", "POST"], **options)
    def reply(self: Controller, request: Request) -> Any:
        return result(self, request) if callable(result) else result

    return serve(acting(rows(), reply=reply))


# As the sources have it


def test_an_action_changes_one_object(storage: Storage) -> None:
    client = tasks(storage)
    reply = client.post("/tasks/1/complete/")
    assert (reply.status_int, reply.json) == (200, {"status": "completed"})
    assert client.get("/tasks/1/").json["completed"] is True
    assert client.get("/tasks/1/").json["completed_at"] == "2024-05-17T12:00:00Z"
    assert client.get("/tasks/2/").json["completed"] is False


def test_an_action_works_on_all_objects(storage: Storage) -> None:
    client = tasks(storage)
    assert client.post("/tasks/complete_all/").json == {"status": "completed", "count": 2}
    assert client.values("/tasks/", "completed") == [True, True, True]


def test_toggle_goes_there_and_back(storage: Storage) -> None:
    client = tasks(storage)
    assert [client.post("/tasks/1/toggle/").json for _ in range(3)] == [
        {"completed": True},
        {"completed": False},
        {"completed": True},
    ]


def test_the_newest_come_first_and_are_shown_as_in_the_list(storage: Storage) -> None:
    client = tasks(storage)
    found = client.get("/tasks/recent/").json
    assert [task["id"] for task in found] == [3, 2]
    assert found == [client.get(f"/tasks/{pk}/").json for pk in (3, 2)]
    assert "note" not in found[0]


def test_a_body_is_read_and_the_object_returned_with_a_status(storage: Storage) -> None:
    client = tasks(storage)
    reply = client.put("/tasks/2/title/", {"title": "Buy ham"})
    assert reply.status_int == 202
    assert reply.json == client.get("/tasks/2/").json
    assert reply.json["title"] == "Buy ham"
    assert client.delete("/tasks/2/title/").status_int == 204
    problem(client.get("/tasks/2/"), 404, "not-found")


# Addresses and verbs


def test_the_slash_may_be_left_out(storage: Storage) -> None:
    client = tasks(storage)
    assert client.get("/tasks/recent").body == client.get("/tasks/recent/").body
    assert client.post("/tasks/1/complete").status_int == 200


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tasks/1/complete/", ["POST", "OPTIONS"]),
        ("/tasks/recent/", ["GET", "HEAD", "OPTIONS"]),
        ("/tasks/1/title/", ["PUT", "DELETE", "OPTIONS"]),
    ],
)
def test_other_verbs_are_refused_with_those_that_are_served(path: str, expected: list[str]) -> None:
    client = serve(type("App", (TaskActions,), {"resource": acting(rows()).resource}))
    reply = client.options(path)
    assert (reply.status_int, allowed(reply)) == (204, expected)
    for verb in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(expected):
        reply = client.ask(verb, path)
        problem(reply, 405, "method-not-allowed")
        assert allowed(reply) == expected


def test_head_is_get_without_the_body() -> None:
    client = answering({"n": 1})
    assert client.head("/tasks/reply/").headers["Content-Length"] == str(len(client.get("/tasks/reply/").body))


@pytest.mark.parametrize("path", ["/tasks/9/complete/", "/tasks/01/complete/", "/tasks/x/complete/"])
def test_an_object_that_is_not_there_is_not_found(path: str) -> None:
    client = serve(type("App", (TaskActions,), {"resource": acting(rows()).resource}))
    problem(client.post(path), 404, "not-found")


@pytest.mark.parametrize(
    "path", ["/tasks/1/recent/", "/tasks/1/complete/x/", "/tasks/recent/1/", "/tasks/recent/title/"]
)
def test_there_is_nothing_at_other_addresses(path: str) -> None:
    client = serve(type("App", (TaskActions,), {"resource": acting(rows()).resource}))
    problem(client.put(path), 404, "not-found")


def test_a_misspelt_action_brings_the_nearest_one() -> None:
    client = serve(type("App", (TaskActions,), {"resource": acting(rows()).resource}))
    assert "did you mean 'complete'?" in client.post("/tasks/1/compleet/").json["detail"]


def test_the_object_need_not_be_there_where_nobody_asks_for_it() -> None:
    @action(detail=True)
    def echo(self: Controller, request: Request, pk: int) -> Any:
        return {"pk": pk, "action": request.action, "same": request.pk == pk}

    client = serve(acting(rows(), echo=echo))
    assert client.get("/tasks/77/echo/").json == {"pk": 77, "action": "echo", "same": True}


def test_an_action_takes_the_place_of_a_key_made_of_text() -> None:
    class Page(models.Model):
        fields = [models.StringPkField("slug"), models.StringField("text")]

    @action(detail=False)
    def newest(self: Controller, request: Request) -> Any:
        return {"newest": True}

    made = over_list([{"slug": "a", "text": "x"}], model=Page)
    client = serve(type("Pages", (made,), {"newest": newest}))
    assert client.get("/things/newest/").json == {"newest": True}
    assert faults(client.post("/things/", {"slug": "newest"})) == [("#/slug", "reserved")]
    assert client.post("/things/", {"slug": "oldest"}).status_int == 201
    old = over_list([{"slug": "newest", "text": "x"}], model=Page)
    client = serve(type("Pages", (old,), {"newest": newest}))
    assert client.values("/things/", "resource_uri") == ["/things/newest/"]
    assert client.get("/things/newest/").json == {"newest": True}


def test_two_controllers_of_one_name_each_have_their_actions() -> None:
    @action(detail=False)
    def recent(self: Controller, request: Request) -> Any:
        return {"by": type(self).__name__}

    @action(detail=True)
    def history(self: Controller, request: Request, pk: str) -> Any:
        return {"by": type(self).__name__, "pk": pk}

    class Page(models.Model):
        fields = [models.StringPkField("slug")]

    resource: Any = {"resource_name": "pages", "resource": [], "datastore": PythonListDataStore, "model": Page}
    lists, items = {"unique_verbs": []}, {"list_verbs": []}
    many = type("Many", (make_controller(resource, lists),), {"history": history})
    one = type("One", (make_controller(resource, items),), {"recent": recent})
    client = serve(many, one)
    assert client.get("/pages/recent/").json == {"by": "One"}
    assert client.get("/pages/x/history/").json == {"by": "Many", "pk": "x"}
    assert faults(client.post("/pages/", {"slug": "recent"})) == [("#/slug", "reserved")]
    with pytest.raises(ConfigurationError, match="Many and One share a name, and each has an action 'history'"):
        WSGIDispatcher([many, type("One", (one,), {"history": history})])


def test_a_relation_has_its_address_for_itself() -> None:
    class Author(models.Model):
        fields = [models.PkField("id")]

    class Book(models.Model):
        fields = [models.PkField("id"), models.IntForeign("author_id", resource="authors", related_name="books")]

    @action(detail=True)
    def books(self: Controller, request: Request, pk: int) -> Any:
        return []

    def over(name: str, model: Any, **members: Any) -> type[Controller]:
        return type(name, (over_list([], model=model, resource={"resource_name": name}),), members)

    with pytest.raises(ConfigurationError, match="authors has an action 'books', and 'authors' a relation"):
        WSGIDispatcher([over("authors", Author, books=books), over("books", Book)])


def test_a_file_has_its_address_for_itself(tmp_path: Path) -> None:
    class Person(models.Model):
        fields = [models.PkField("id"), models.FileField("portrait"), models.StringField("name")]

    @action(detail=True)
    def portrait(self: Controller, request: Request, pk: int) -> Any:
        return None

    @action(detail=True, methods=["POST"])
    def rename(self: Controller, request: Request, pk: int) -> Any:
        person = self.get_object(request, pk)
        person.name = "Ada"
        person.save()
        return person

    def over(**members: Any) -> type[Controller]:
        rows: list[dict[str, Any]] = []
        resource = {"options": {"files": DirectoryStorage(tmp_path)}}
        return type("People", (over_list(rows, model=Person, resource=resource),), members)

    with pytest.raises(ConfigurationError, match="an action and a file have one address: 'portrait'"):
        serve(over(portrait=portrait))
    client = serve(over(rename=rename))
    made = client.post("/things/", {"name": "?"})
    place = made.headers["Location"]
    assert client.ask("PUT", f"{place}portrait/", body=b"text", type="text/plain").status_int in (200, 201, 204)
    shown = client.get(place).json
    assert client.post(f"{place}rename/").json == {**shown, "name": "Ada"}
    assert client.get(f"{place}portrait/").body == b"text"


def test_a_controller_may_be_mounted_by_itself() -> None:
    made = type("App", (TaskActions,), {"resource": acting(rows()).resource})
    assert Client(made()).get("/recent/").json[0]["resource_uri"] == "/3/"


# Declarations


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"methods": ["FETCH"]}, "methods must be a list of GET, POST"),
        ({"methods": "POST"}, "methods must be a list of GET, POST"),
        ({"methods": []}, "methods must be a list of GET, POST"),
        ({"name": "a/b"}, "name must be a letter"),
        ({"name": "7"}, "name must be a letter"),
        ({"name": "events"}, "'events' stands for something else in URLs"),
        ({"permissions": [AllowAny]}, "holds the class AllowAny; it must be an instance"),
        ({"max_body": 0}, "max_body must be a positive number of bytes"),
        ({"detail": "yes"}, "detail must be True, for one object, or False"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(options: dict[str, Any], complaint: str) -> None:
    @action(**{"detail": False, **options})
    def go(self: Controller, request: Request) -> Any:
        return None

    with pytest.raises(ConfigurationError, match="@action go") as raised:
        acting([], go=go)
    assert complaint in str(raised.value)


def test_every_mistake_is_told_at_once() -> None:
    @action(detail=True, methods=["FETCH"], name="1")
    def go(self: Controller, request: Request) -> Any:
        return None

    with pytest.raises(ConfigurationError) as raised:
        acting([], go=go, controller={"lst_verbs": []})
    assert len(raised.value.problems) == 4


@pytest.mark.parametrize("name", ["get_list", "handle", "find", "create", "partial_update"])
def test_a_method_that_is_called_like_something_else_is_refused(name: str) -> None:
    def go(self: Controller, request: Request) -> Any:
        return None

    go.__name__ = name
    with pytest.raises(ConfigurationError, match="choose another"):
        acting([], **{name: action(detail=False)(go)})


def test_whatever_a_controller_keeps_for_itself_is_no_name_for_an_action() -> None:
    made = acting(rows())()
    assert [name for name in vars(made) if declarable(name)] == []


def declarable(name: str) -> bool:
    """Whether a method of this name may be an action."""

    def go(self: Controller, request: Request) -> Any:
        return None

    go.__name__ = name
    try:
        acting([], **{name: action(detail=False, name="go")(go)})
    except ConfigurationError as exc:
        return "choose another" not in str(exc)
    return True


def test_two_actions_cannot_share_an_address() -> None:
    @action(detail=False)
    def one(self: Controller, request: Request) -> Any:
        return None

    @action(detail=False, name="one")
    def two(self: Controller, request: Request) -> Any:
        return None

    with pytest.raises(ConfigurationError, match="two and one have one address"):
        acting([], one=one, two=two)


def test_a_generator_is_no_action() -> None:
    @action(detail=False)
    def go(self: Any, request: Request) -> Any:
        yield 1

    with pytest.raises(ConfigurationError, match=r"@action go must be .*, and does not yield"):
        acting([], go=go)


def test_a_static_method_is_no_action() -> None:
    @staticmethod
    @action(detail=False)
    def go(self: Any, request: Request) -> Any:
        return None

    with pytest.raises(ConfigurationError, match="must be a plain method that takes"):
        acting([], go=go)


class Polite(TaskActions):
    """Has one action less, and one that says something else."""

    recent = None  # type: ignore[assignment]

    def toggle(self, request: Request, pk: int) -> Any:
        """Ask first."""
        return {"please": True}


def test_a_subclass_may_take_the_place_of_an_action_or_remove_it(storage: Storage) -> None:
    client = tasks(storage, Polite)
    assert client.post("/tasks/1/toggle/").json == {"please": True}
    assert client.post("/tasks/1/complete/").status_int == 200
    problem(client.get("/tasks/recent/"), 404, "not-found")


def test_the_schema_tells_of_the_actions(storage: Storage) -> None:
    told = tasks(storage, Polite).get("/schema/tasks/").json["actions"]
    assert [one["name"] for one in told] == ["complete", "toggle", "complete_all", "title"]
    assert told[1] == {
        "name": "toggle",
        "url": "/tasks/{id}/toggle/",
        "methods": ["POST"],
        "detail": True,
        "description": "Ask first.",
    }
    assert told[2]["url"] == "/tasks/complete_all/"


# What comes back


def test_none_is_an_empty_reply() -> None:
    reply = answering(None).get("/tasks/reply/")
    assert (reply.status_int, reply.body) == (204, b"")


def test_typed_values_are_written_as_models_write_them() -> None:
    data = {"at": datetime.date(2024, 5, 17), "price": Decimal("9.90"), "rows": [{"n": 1}]}
    assert answering(data).get("/tasks/reply/").json == {"at": "2024-05-17", "price": "9.90", "rows": [{"n": 1}]}


def test_a_response_brings_its_status_and_headers() -> None:
    reply = answering(Response({"n": 1}, 202, {"X-Job": "7"})).post("/tasks/reply/")
    assert (reply.status_int, reply.json, reply.headers["X-Job"]) == (202, {"n": 1}, "7")


def test_a_header_cannot_smuggle_another_one_in() -> None:
    with pytest.raises(ValueError, match="the header 'X-Name' must be a line of text"):
        Response({}, headers={"X-Name": "a\r\nSet-Cookie: b"})


def test_werkzeugs_response_goes_out_as_it_is() -> None:
    reply = answering(lambda view, request: WSGIResponse("a,b", mimetype="text/csv")).get("/tasks/reply/")
    assert (reply.headers["Content-Type"], reply.text) == ("text/csv; charset=utf-8", "a,b")


def test_the_reply_of_a_verb_may_be_handed_on() -> None:
    client = answering(lambda view, request: view.get_item(request, 1))
    reply = client.get("/tasks/reply/")
    assert reply.json == client.get("/tasks/1/").json
    assert reply.headers["ETag"] == client.get("/tasks/1/").headers["ETag"]


class Shouting(View):
    """JSON in capitals."""

    media_type = content_type = "application/shout"

    @staticmethod
    def render(data: Any) -> bytes:
        return JsonResponse.render(data).upper()


def test_data_are_written_by_the_view_that_the_caller_prefers() -> None:
    @action(detail=False)
    def reply(self: Controller, request: Request) -> Any:
        calls.append(1)
        return {"a": "b"}

    calls: list[int] = []
    client = serve(acting(rows(), reply=reply, view={"response_class": [JsonResponse, Shouting]}))
    reply = client.get("/tasks/reply/", Accept="application/shout")
    assert (reply.text, reply.headers["Content-Type"], reply.headers["Vary"]) == (
        '{"A":"B"}',
        "application/shout",
        "Accept",
    )
    problem(client.get("/tasks/reply/", Accept="text/html"), 406, "not-acceptable")
    assert calls == [1]


def test_the_formatters_of_the_view_shape_returned_objects() -> None:
    @action(detail=False)
    def first(self: Controller, request: Request) -> Any:
        return {"task": self.find(request, count=1)[0], "plain": {"id": 1}}

    view = {"options": {"formatters": ["add_resource_uri", "remove_id"]}}
    found = serve(acting(rows(), first=first, view=view)).get("/tasks/first/").json
    assert found["task"]["resource_uri"] == "/tasks/1/"
    assert "id" not in found["task"]
    assert found["plain"] == {"id": 1}


def test_what_cannot_be_written_is_an_error_of_ours() -> None:
    problem(answering({"x": object()}).get("/tasks/reply/"), 500, "internal")


def test_a_coroutine_runs_beside_a_loop_that_runs_already(storage: Storage) -> None:
    client = tasks(storage)

    async def within_a_loop() -> Any:
        return client.post("/tasks/complete_all/").json

    assert asyncio.run(within_a_loop()) == {"status": "completed", "count": 2}


# What comes in


def test_a_body_is_strict_json() -> None:
    client = answering(lambda view, request: {"got": [request.data, request.data]}, max_body=20)
    assert client.post("/tasks/reply/", {"a": 1}).json == {"got": [{"a": 1}, {"a": 1}]}
    problem(client.post("/tasks/reply/", body=b"{"), 400, "malformed-body")
    problem(client.post("/tasks/reply/", body=b"a=1", type="text/plain"), 415, "unsupported-media-type")
    problem(client.post("/tasks/reply/", {"a": "x" * 20}), 413, "body-too-large")


def form(boundary: str, text: str) -> bytes:
    """A form with one value."""
    return f'--{boundary}\r\nContent-Disposition: form-data; name="q"\r\n\r\n{text}\r\n--{boundary}--\r\n'.encode()


@pytest.mark.parametrize(
    ("media_type", "largest", "larger"),
    [
        ("text/plain", b"x" * 200, b"x" * 201),
        ("application/x-www-form-urlencoded", b"q=" + b"x" * 198, b"q=" + b"x" * 199),
        ("multipart/form-data; boundary=b", form("b", "x" * 100), form("b", "x" * 200)),
    ],
)
def test_no_body_is_larger_than_is_said_however_it_is_read(media_type: str, largest: bytes, larger: bytes) -> None:
    def read(view: Controller, request: Request) -> Any:
        return {"got": len(request.http.form.get("q", "")) or len(request.http.get_data())}

    client = answering(read, max_body=200)
    assert client.post("/tasks/reply/", body=largest, type=media_type).json["got"] > 99
    problem(client.post("/tasks/reply/", body=larger, type=media_type), 413, "body-too-large")


def test_a_verb_that_reads_the_body_itself_reads_what_its_resource_takes() -> None:
    class Counting(over_list([{"id": 1}], controller={"options": {"max_body": 3_000_000}})):  # type: ignore[misc]
        def post_list(self, request: Request) -> Any:
            return "200 OK", [("Content-Type", "text/plain")], str(len(request.http.get_data())).encode()

    client = serve(Counting)
    assert client.post("/things/", body=b"x" * 2_000_000, type="text/plain").body == b"2000000"
    problem(client.post("/things/", body=b"x" * 3_000_001, type="text/plain"), 413, "body-too-large")


def test_a_model_reads_the_body_of_an_action() -> None:
    class Login(models.Model):
        fields = [
            models.StringField("name", required=True),
            models.StringField("password", required=True, messages={"required": "say the word"}),
        ]

    client = answering(lambda view, request: {"name": Login().load(request.data)["name"]})
    assert client.post("/tasks/reply/", {"name": "ada", "password": "x"}).json == {"name": "ada"}
    reply = client.post("/tasks/reply/", {"name": 5})
    assert faults(reply) == [("#/name", "type"), ("#/password", "required")]
    assert reply.json["errors"][1]["detail"] == "say the word"


# Objects


def working(work: Any, storage: Storage | None = None, **arguments: Any) -> Client:
    """A client of tasks with one action, POST at `/tasks/<pk>/do/`, which is that function of the object."""

    @action(detail=True, methods=["POST"], name="do")
    def work_(self: Controller, request: Request, pk: int) -> Any:
        return work(self.get_object(request, pk))

    if storage is not None:
        return tasks(storage, TaskActions, members={"work_": work_}, **arguments)
    return serve(acting(rows(), work_=work_), **arguments)


def test_what_an_action_spoils_and_returns_unsaved_is_not_the_callers_fault(caplog: pytest.LogCaptureFixture) -> None:
    def spoil(task: Any) -> Any:
        task.title = 5
        return task

    problem(working(spoil).post("/tasks/1/do/"), 500, "internal")
    assert "<tasks 1> cannot be shown: " in caplog.text


def test_fields_are_attributes_and_members() -> None:
    def look(task: Any) -> Any:
        assert task.title == task["title"] == "Buy milk"
        assert "title" in task
        assert "nothing" not in task
        assert list(task) == list(task.keys()) == ["id", "title", "completed", "completed_at", "labels", "note"]
        assert dict(task)["note"] == "hidden"
        assert repr(task) == "<tasks 1>"
        assert task == dict(task)
        with pytest.raises(AttributeError, match="tasks has no field 'titel'; did you mean 'title'"):
            task.titel = "x"
        with pytest.raises(AttributeError, match="did you mean 'title'"):
            _ = task.titl
        with pytest.raises(KeyError, match="did you mean 'title'"):
            task["titel"] = "x"
        with pytest.raises(AttributeError, match="'save' is a method"):
            task.save = "x"

    assert working(look).post("/tasks/1/do/").status_int == 204


def changing(**values: Any) -> Any:
    def change(task: Any) -> Any:
        for name, value in values.items():
            setattr(task, name, value)
        task.save()
        return task

    return change


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"title": None, "completed": "yes"}, [("#/title", "null"), ("#/completed", "type")]),
        ({"title": "x" * 21}, [("#/title", "max_length")]),
        ({"completed_at": "yesterday"}, [("#/completed_at", "type")]),
        ({"title": "URGENT", "completed": True}, [("#", "invalid")]),
        ({"completed": 1}, [("#/completed", "type")]),
    ],
)
def test_what_is_saved_fits_the_model(values: Any, expected: Any, storage: Storage) -> None:
    client = working(changing(**values), storage)
    before = client.get("/tasks/1/").json
    assert faults(client.post("/tasks/1/do/")) == expected
    assert client.get("/tasks/1/").json == before


def test_values_may_be_typed_or_as_json_writes_them(storage: Storage) -> None:
    day = datetime.datetime(2024, 1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    assert working(changing(completed_at=day), storage).post("/tasks/1/do/").json["completed_at"] == (
        "2024-01-02T02:00:00Z"
    )
    text = working(changing(completed_at="2024-01-02T03:00:00+01:00"), storage)
    assert text.post("/tasks/1/do/").json["completed_at"] == "2024-01-02T02:00:00Z"


def test_a_list_may_be_changed_in_place(storage: Storage) -> None:
    def label(task: Any) -> Any:
        task.labels.append("urgent")
        task.save()

    client = working(label, storage)
    client.post("/tasks/1/do/")
    client.post("/tasks/1/do/")
    assert client.get("/tasks/1/").json["labels"] == ["home", "urgent", "urgent"]


def test_a_value_that_is_taken_is_a_conflict(storage: Storage) -> None:
    client = working(changing(title="Buy eggs"), storage)
    reply = client.post("/tasks/1/do/")
    assert faults(reply, 409, "conflict") == [("#/title", "unique")]


def test_a_key_cannot_be_changed() -> None:
    problem(working(changing(id=9)).post("/tasks/1/do/"), 500, "internal")


@pytest.mark.parametrize(
    "change",
    [
        lambda self, request, pk: self.get_object(request, pk).save(),
        lambda self, request, pk: self.save_all([self.get_object(request, pk)]),
        lambda self, request, pk: self.get_object(request, pk).delete(),
        lambda self, request, pk: self.delete_item(request, pk),
    ],
)
@pytest.mark.parametrize("permissions", [[], IsOwnerOrReadOnly("title")])
def test_what_is_got_changes_nothing(change: Any, permissions: Any, caplog: pytest.LogCaptureFixture) -> None:
    @action(detail=True)
    def do(self: Any, request: Request, pk: int) -> None:
        change(self, request, pk)

    stored = rows()
    client = serve(acting(stored, do=do, controller={"options": {"permissions": permissions}}))
    for method in ("GET", "HEAD"):
        assert client.ask(method, "/tasks/1/do/").status_int == 500
        assert 'say @action(..., methods=["POST"]) for what writes' in caplog.text
        caplog.clear()
    assert stored == rows()


def test_only_what_nobody_has_changed_meanwhile_is_saved(storage: Storage) -> None:
    others: list[Any] = []

    def late(task: Any) -> Any:
        others[0].patch("/tasks/1/", {"title": "Buy soy"})
        task.completed = True
        task.save()

    others.append(working(late, storage))
    reply = others[0].post("/tasks/1/do/")
    assert "has changed since it was read" in problem(reply, 409, "conflict")["detail"]
    found = others[0].get("/tasks/1/").json
    assert (found["title"], found["completed"]) == ("Buy soy", False)


def test_only_what_nobody_has_changed_meanwhile_is_deleted(storage: Storage) -> None:
    others: list[Any] = []

    def late(task: Any) -> Any:
        others[0].patch("/tasks/1/", {"title": "Buy soy"})
        task.delete()

    others.append(working(late, storage))
    problem(others[0].post("/tasks/1/do/"), 409, "conflict")
    assert others[0].get("/tasks/1/").status_int == 200


def test_force_writes_what_was_changed_over_whatever_is_there(storage: Storage) -> None:
    others: list[Any] = []

    def late(task: Any) -> Any:
        others[0].patch("/tasks/1/", {"title": "Buy soy"})
        task.completed = True
        task.save(force=True)
        return task

    others.append(working(late, storage))
    found = others[0].post("/tasks/1/do/").json
    assert (found["title"], found["completed"]) == ("Buy soy", True)


def test_what_is_gone_cannot_be_saved(storage: Storage) -> None:
    def late(task: Any) -> Any:
        task.delete()
        task.save()

    client = working(late, storage)
    problem(client.post("/tasks/1/do/"), 404, "not-found")
    problem(client.get("/tasks/1/"), 404, "not-found")


def test_an_object_may_be_saved_again_and_read_again(storage: Storage) -> None:
    def twice(task: Any) -> Any:
        task.title = "one"
        task.save()
        task.title = "two"
        task.save()
        task.title = "three"
        task.refresh()
        return task

    assert working(twice, storage).post("/tasks/1/do/").json["title"] == "two"


def test_objects_are_saved_together_or_not_at_all(storage: Storage) -> None:
    @action(detail=False, methods=["POST"])
    def spoil(self: Controller, request: Request) -> Any:
        found = self.find(request, ordering="id")
        for task in found:
            task.completed = True
        found[2].title = "x" * 30
        self.save_all(found)

    client = tasks(storage, TaskActions, members={"spoil": spoil})
    assert faults(client.post("/tasks/spoil/")) == [("#/title", "max_length")]
    assert client.values("/tasks/", "completed") == [False, False, True]


class Unconditional(PythonListDataStore):
    """Says of itself that others may write between its check and its write."""

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(conditional=False)


def test_a_store_that_cannot_check_and_write_at_once_says_so() -> None:
    def save(task: Any) -> Any:
        task.completed = True
        task.save(force=request_force[0])

    @action(detail=True, methods=["POST"])
    def do(self: Controller, request: Request, pk: int) -> Any:
        return save(self.get_object(request, pk))

    request_force = [False]
    resource = {**acting(rows()).resource, "datastore": Unconditional}
    client = serve(acting([], do=do, resource=resource))
    problem(client.post("/tasks/1/do/"), 501, "unsupported")
    request_force[0] = True
    assert client.post("/tasks/1/do/").status_int == 204


def test_a_list_behind_several_processes_is_not_written_to() -> None:
    client = working(changing(completed=True))
    reply = client.post("/tasks/1/do/", environ={"wsgi.multiprocess": True})
    problem(reply, 503, "unavailable")


def test_references_are_checked_as_for_a_patch() -> None:
    class Author(models.Model):
        fields = [models.PkField("id")]

    class Book(models.Model):
        fields = [models.PkField("id"), models.IntForeign("author_id", resource="authors", related_name="books")]

    @action(detail=True, methods=["PUT"], name="by")
    def give_to(self: Controller, request: Request, pk: int) -> Any:
        book = self.get_object(request, pk)
        book.author_id = request.data
        book.save()
        return book

    @action(detail=True, methods=["POST"])
    def retire(self: Controller, request: Request, pk: int) -> Any:
        self.get_object(request, pk).delete()

    def over(name: str, model: Any, rows: Any, **members: Any) -> type[Controller]:
        return type(name, (over_list(rows, model=model, resource={"resource_name": name}),), members)

    authors = over("authors", Author, [{"id": 1}, {"id": 2}], retire=retire)
    books = over("books", Book, [{"id": 7, "author_id": 1}], give_to=give_to)
    client = serve(authors, books)
    assert client.put("/books/7/by/", 2).json["author_id"] == 2
    assert faults(client.put("/books/7/by/", 9), 409, "conflict") == [("#/author_id", "foreign_key")]
    problem(client.post("/authors/2/retire/"), 409, "conflict")
    assert client.post("/authors/1/retire/").status_int == 204


# Finding


def test_objects_are_found_by_the_filters_of_lists(storage: Storage) -> None:
    @action(detail=False)
    def found(self: Controller, request: Request) -> Any:
        return [
            [task.id for task in self.find(request, **filters)]
            for filters in (
                {"title__startswith": "Buy", "completed": False},
                {"id__in": [1, 3]},
                {"completed_at__isnull": True},
                {"id__range": (2, 3), "ordering": "-id"},
                {"where": Filter("id", "gt", 1), "count": 1, "ordering": ["title"]},
            )
        ]

    client = tasks(storage, TaskActions, members={"found": found})
    assert client.get("/tasks/found/").json == [[1, 2], [1, 3], [1, 2], [3, 2], [2]]


@pytest.mark.parametrize(
    ("asked", "error", "text"),
    [
        ({"titel": "x"}, TypeError, "did you mean 'title'?"),
        ({"title__like": "x"}, TypeError, "title has no such operator"),
        ({"completed_at": None}, ValueError, "completed_at__isnull=True"),
        ({"id": "x"}, ValueError, "not an integer"),
        ({"count": -1}, ValueError, "count must be 0 or more, or None for all, not -1"),
        ({"count": "2"}, ValueError, "not '2'"),
        ({"ordering": "titel"}, ValueError, "did you mean 'title'?"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(asked: Any, error: type[Exception], text: str) -> None:
    def ask(view: Controller, request: Request) -> Any:
        with pytest.raises(error) as raised:
            view.find(request, **asked)
        return {"said": str(raised.value)}

    assert text in answering(ask).get("/tasks/reply/").json["said"]


@pytest.mark.parametrize("pagination", [Pagination(1), CursorPagination(1)])
def test_a_page_of_some_objects_is_read_like_the_list(pagination: Any, storage: Storage) -> None:
    @action(detail=False)
    def open_(self: Controller, request: Request) -> Any:
        return self.page(request, completed=False)

    members = {"open_": open_, "controller": {"options": {"pagination": pagination}}}
    client = tasks(storage, TaskActions, members=members, prefix="/api", secret="x" * 20)
    first = client.get("/api/tasks/open_/?ordering=-id").json
    assert [one["id"] for one in first["object_list"]] == [2]
    assert first["meta"]["next"].startswith("/api/tasks/open_/?")
    second = client.get(first["meta"]["next"]).json
    assert [one["id"] for one in second["object_list"]] == [1]
    assert second["meta"]["next"] is None
    assert faults(client.get("/api/tasks/open_/?titel=x"), 400, "invalid-parameter") == [("titel", "unknown")]


# Policies


class Named(Authentication):
    """Believes whoever says who they are."""

    challenge = "Named"

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        name = request.header("X_NAME")
        return (User(name, is_admin=name == "root"), None) if name else None


class Stern(Named):
    """Wants another header."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        if request.header("X_STERN") is None:
            raise NotAuthenticated
        return User("stern"), None


class Note(models.Model):
    """Belongs to somebody."""

    fields = [models.PkField("id"), models.StringField("owner"), models.StringField("text")]


def notes(**members: Any) -> Client:
    """Two notes, each of which only its owner sees."""
    rows = [{"id": 1, "owner": "ada", "text": "a"}, {"id": 2, "owner": "bob", "text": "b"}]
    options = {"authentication": Named(), "permissions": [IsAuthenticated(), IsOwner("owner")]}
    resource = {"resource_name": "notes", "resource": rows, "datastore": PythonListDataStore, "model": Note}
    return serve(type("Notes", (Controller,), {"resource": resource, "controller": {"options": options}, **members}))


@action(detail=False, methods=["POST"])
def shout(self: Controller, request: Request) -> Any:
    """Turn all notes into capitals."""
    found = self.find(request)
    for note in found:
        note.text = note.text.upper()
    self.save_all(found)
    return [note.id for note in found]


@action(detail=True, methods=["POST"])
def give(self: Controller, request: Request, pk: int) -> Any:
    """Make a note somebody else's."""
    note = self.get_object(request, pk)
    note.owner = request.data["to"]
    note.save()
    return note


def test_an_action_sees_what_its_caller_sees() -> None:
    client = notes(shout=shout, give=give)
    assert client.post("/notes/shout/", X_Name="ada").json == [1]
    assert client.get("/notes/2/", X_Name="bob").json["text"] == "b"
    problem(client.post("/notes/2/give/", {"to": "ada"}, X_Name="ada"), 404, "not-found")
    problem(client.post("/notes/shout/"), 401, "not-authenticated")


def test_no_action_moves_an_object_out_of_sight() -> None:
    client = notes(give=give)
    problem(client.post("/notes/1/give/", {"to": "bob"}, X_Name="ada"), 403, "permission-denied")
    assert client.get("/notes/1/", X_Name="ada").json["owner"] == "ada"


def test_policies_of_its_own_take_the_place_of_the_controllers() -> None:
    own = action(detail=False, methods=["POST"], name="all", permissions=[IsAdminUser()])(shout_all)
    client = notes(shout=shout, shout_all=own)
    problem(client.post("/notes/all/", X_Name="ada"), 403, "permission-denied")
    assert client.post("/notes/all/", X_Name="root").json == [1, 2]
    assert client.get("/notes/2/", X_Name="bob").json["text"] == "B"
    assert client.post("/notes/shout/", X_Name="root").json == []


def shout_all(self: Controller, request: Request) -> Any:
    """Turn everybody's notes into capitals."""
    found = self.find(request)
    for note in found:
        note.text = note.text.upper()
        note.save()
    return [note.id for note in found]


def test_an_action_may_be_open_to_everybody_or_ask_for_other_credentials() -> None:
    def who(self: Controller, request: Request) -> Any:
        return {"who": request.user.pk, "view": request.view is self}

    def whom(self: Controller, request: Request) -> Any:
        return {"who": request.user.pk}

    anybody = action(detail=False, permissions=[AllowAny()])(who)
    stern = action(detail=False, authentication=Stern(), permissions=[])(whom)
    client = notes(who=anybody, whom=stern)
    assert client.get("/notes/who/").json == {"who": None, "view": True}
    problem(client.get("/notes/whom/", X_Name="ada"), 401, "not-authenticated")
    assert client.get("/notes/whom/", X_Stern="1").json == {"who": "stern"}


def test_permissions_know_which_action_is_meant() -> None:
    class ReadsAlone(Permission):
        def has_permission(self, request: Request, view: Any) -> bool:
            asked.append(request.action)
            return request.action != "shout"

    asked: list[str] = []
    client = notes(shout=shout, controller={"options": {"permissions": [ReadsAlone()]}})
    problem(client.post("/notes/shout/"), 403, "permission-denied")
    client.get("/notes/")
    assert asked == ["shout", "list"]


def test_a_permission_of_an_action_must_fit_the_model() -> None:
    own = action(detail=False, permissions=[IsOwner("ownr")])(shout_all)
    with pytest.raises(ConfigurationError, match="ownr"):
        notes(shout_all=own)


def test_an_action_shows_no_field_that_its_caller_may_not_read() -> None:
    @action(detail=True, methods=["POST"], permissions=[AllowAny()])
    def touch(self: Controller, request: Request, pk: int) -> Any:
        note = self.get_object(request, pk)
        note.text += "!"
        note.save()
        return note

    options = {
        "authentication": Named(),
        "permissions": [IsAuthenticated()],
        "field_permissions": {"text": IsAdminUser()},
    }
    client = notes(touch=touch, controller={"options": options})
    assert client.post("/notes/1/touch/").json == {"id": 1, "owner": "ada", "resource_uri": "/notes/1/"}
    assert client.post("/notes/1/touch/", X_Name="root").json == {
        "id": 1,
        "owner": "ada",
        "text": "a!!",
        "resource_uri": "/notes/1/",
    }


def test_an_action_is_carried_out_once_for_each_key(storage: Storage) -> None:
    client = tasks(storage, TaskActions, members={"controller": {"options": {"idempotency": True}}})
    first = client.post("/tasks/1/toggle/", Idempotency_Key="a")
    again = client.post("/tasks/1/toggle/", Idempotency_Key="a")
    assert first.json == again.json == {"completed": True}
    assert again.headers["Idempotent-Replayed"] == "true"
    assert client.post("/tasks/1/toggle/", Idempotency_Key="b").json == {"completed": False}
    problem(client.post("/tasks/1/toggle/", {"other": 1}, Idempotency_Key="a"), 422, "idempotency-key-reused")
    assert client.get("/tasks/recent/", Idempotency_Key="a").status_int == 200
