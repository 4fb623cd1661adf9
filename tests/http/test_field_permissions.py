"""Fields that only some may read or set: for everybody else they are not there, or read-only."""

from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.errors import ConfigurationError
from rest_kit.pagination import CursorPagination
from rest_kit.permissions import (
    SAFE_METHODS,
    IsAdminUser,
    IsAuthenticated,
    IsAuthenticatedOrReadOnly,
    IsOwner,
    IsOwnerOrReadOnly,
    Permission,
)
from rest_kit.request import Request
from rest_kit.throttling import AddressRateThrottle
from rest_kit.users import User
from tests.http.access_samples import As, ByHeader, told
from tests.http.forms import COVER, PNG, albums, send
from tests.http.support import Client, Storage, allowed, faults, make_controller, over_list, problem, serve


class Worker(models.Model):
    """Somebody with a salary, in a department."""

    fields = (
        models.PkField("id"),
        models.StringField("name", required=True),
        models.IntegerField("salary", required=True),
        models.StringField("remark", nullable=True),
        models.StringField("password", write_only=True),
        models.IntForeign("boss_id", resource="workers", related_name="staff", on_delete="set_null"),
    )
    validators = (models.UniqueTogether("name", "salary"),)


ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "Ann", "salary": 900, "remark": "fine", "password": "x", "boss_id": None},
    {"id": 2, "name": "Ben", "salary": 300, "remark": None, "password": "y", "boss_id": 1},
    {"id": 3, "name": "Cem", "salary": 600, "remark": "late", "password": "z", "boss_id": 1},
]
FIELDS: dict[str, Any] = {
    "salary": IsAdminUser(),
    "remark": {"read": IsAuthenticated(), "write": IsAdminUser()},
    "boss_id": {"read": IsAuthenticated()},
}


def workers(storage: Storage, **options: Any) -> tuple[As, As, As]:
    """The workers as root, Ada and nobody see them."""
    chosen = {"options": {"field_permissions": FIELDS, "authentication": ByHeader(), **options}}
    app = serve(storage.controller(Worker, ROWS, name="workers", controller=chosen), secret="s")
    return As(app, "root"), As(app, "ada"), As(app, None)


def test_each_caller_sees_what_the_caller_may(storage: Storage) -> None:
    root, ada, nobody = workers(storage)
    assert set(root.get("/workers/1/").json) == {"id", "name", "salary", "remark", "boss_id", "resource_uri"}
    assert set(ada.get("/workers/1/").json) == {"id", "name", "remark", "boss_id", "resource_uri"}
    assert set(nobody.get("/workers/1/").json) == {"id", "name", "resource_uri"}
    assert [set(one) for one in nobody.objects("/workers/")] == [{"id", "name", "resource_uri"}] * 3
    assert ada.objects("/workers/?fields=remark") == [
        {"id": n, "remark": remark, "resource_uri": f"/workers/{n}/"}
        for n, remark in ((1, "fine"), (2, None), (3, "late"))
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/workers/?salary=900",
        "/workers/?salary__gt=1",
        "/workers/?salary__isnull=true",
        "/workers/?ordering=salary",
        "/workers/?fields=name,salary",
        "/workers/1/?fields=salary",
        "/workers/?salar=9",
        "/workers/?ordering=salarie",
        "/workers/?fields=salarx",
        "/workers/?salary=9&name=Ann",
    ],
)
def test_a_hidden_field_is_asked_for_like_one_that_is_not_there(path: str, storage: Storage) -> None:
    _, ada, _ = workers(storage)
    reply = ada.get(path)
    assert reply.status_int == 400
    missing = ada.get(path.replace("salar", "zalar"))
    assert told(reply)[2] == told(missing)[2].replace("zalar", "salar")
    assert "'salary'" not in reply.text or "salary" in path


def test_a_hidden_text_is_not_searched(storage: Storage) -> None:
    root, ada, nobody = workers(storage)
    for client, found in ((root, [3]), (ada, [3]), (nobody, [])):
        assert client.values("/workers/?search=late") == found
    _, narrow, none = workers(storage, search_fields=["remark"])
    assert narrow.values("/workers/?search=late") == [3]
    assert [
        one["parameter"] for one in problem(none.get("/workers/?search=late"), 400, "invalid-parameter")["errors"]
    ] == ["search"]


def test_the_usual_order_by_a_hidden_field_is_not_kept_for_whom_it_is_hidden(storage: Storage) -> None:
    root, ada, _ = workers(storage, ordering="-salary", pagination=CursorPagination(2))
    assert root.values("/workers/") == [1, 3]
    assert ada.values("/workers/") == [1, 2]
    link = root.get("/workers/").json["meta"]["next"]
    assert root.values(link) == [2]
    assert ada.get(link).status_int == 400


def test_a_tag_is_of_what_its_caller_sees_and_fits_that_alone(storage: Storage) -> None:
    root, ada, nobody = workers(storage)
    tags = [client.get("/workers/1/").headers["ETag"] for client in (root, ada, nobody)]
    assert len({tag.strip('"').partition("-")[0] for tag in tags}) == 3
    assert ada.get("/workers/1/", If_None_Match=tags[1]).status_int == 304
    assert ada.get("/workers/1/", If_None_Match=tags[0]).status_int == 200
    problem(ada.patch("/workers/1/", {"name": "Anna"}, If_Match=tags[0]), 412, "precondition-failed")
    changed = ada.patch("/workers/1/", {"name": "Anna"}, If_Match=tags[1])
    assert changed.status_int == 200
    assert changed.headers["ETag"] == ada.get("/workers/1/").headers["ETag"]
    problem(ada.patch("/workers/1/", {"name": "Anne"}, If_Match=tags[1]), 412, "precondition-failed")


@pytest.mark.parametrize("query", ["", "?fields=name", "?expand=staff"])
def test_a_tag_does_not_tell_when_the_value_of_a_hidden_field_was_guessed(query: str, storage: Storage) -> None:
    free = {"salary": {"read": IsAdminUser()}}
    root, ada, _ = workers(storage, field_permissions=free)
    seen, known = (client.get(f"/workers/3/{query}").headers["ETag"] for client in (ada, root))
    for guess in (599, 600, 601):
        minimal = ada.patch("/workers/3/", {"salary": guess, "password": str(guess)}, Prefer="return=minimal")
        assert minimal.headers["ETag"] == ada.get("/workers/3/").headers["ETag"]
        assert ada.get(f"/workers/3/{query}").headers["ETag"] == seen
    assert root.get(f"/workers/3/{query}").headers["ETag"] != known


def test_what_is_fixed_can_come_back_unchanged(storage: Storage) -> None:
    _, ada, _ = workers(storage)
    seen = ada.get("/workers/1/").json
    assert ada.put("/workers/1/", {**seen, "name": "Anna"}).json["name"] == "Anna"
    assert faults(ada.put("/workers/1/", {**seen, "remark": "better"})) == [("#/remark", "read_only")]
    assert faults(ada.patch("/workers/1/", {"remark": None})) == [("#/remark", "read_only")]
    patch = [{"op": "replace", "path": "/remark", "value": "x"}]
    assert faults(ada.patch("/workers/1/", patch, type="application/json-patch+json")) == [("#/remark", "read_only")]


def test_what_is_hidden_stays_as_it_is_when_an_object_is_replaced(storage: Storage) -> None:
    root, ada, nobody = workers(storage)
    assert ada.put("/workers/1/", {"name": "Anna", "boss_id": 2}).status_int == 200
    assert root.get("/workers/1/").json["salary"] == 900
    # who may set a field without reading it leaves it alone by leaving it out
    assert nobody.put("/workers/1/", {"name": "Anne"}).status_int == 200
    assert root.get("/workers/1/").json["boss_id"] == 2
    assert nobody.put("/workers/1/", {"name": "Anne", "boss_id": 3}).status_int == 200
    assert root.get("/workers/1/").json["boss_id"] == 3


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
@pytest.mark.parametrize("body", [{"salary": 1}, {"salary": 900}, {"zap": 1, "salary": 2, "zip": 3}, {"salary": "x"}])
def test_a_hidden_field_is_sent_like_one_that_is_not_there(verb: str, body: dict[str, Any], storage: Storage) -> None:
    _, ada, _ = workers(storage)
    missing = {name.replace("salary", "zalary"): value for name, value in body.items()}
    replies = [ada.ask(verb, "/workers/1/", {"name": "Ann", **one}) for one in (body, missing)]
    assert replies[0].status_int == 400
    assert replies[0].text == replies[1].text.replace("zalary", "salary")


def test_a_hint_for_a_member_names_no_hidden_field(storage: Storage) -> None:
    root, ada, _ = workers(storage)
    assert "did you mean 'salary'" in root.patch("/workers/1/", {"salry": 1}).text
    assert "salary" not in ada.patch("/workers/1/", {"salry": 1}).text


def test_who_may_not_set_what_must_be_set_cannot_create(storage: Storage) -> None:
    root, ada, _ = workers(storage)
    problem(ada.post("/workers/", {"name": "Dan"}), 403, "permission-denied")
    assert root.post("/workers/", {"name": "Dan", "salary": 1}).status_int == 201
    assert root.get("/workers/").json["meta"]["total_count"] == 4


def test_a_hook_may_set_it() -> None:
    class Hired(Controller):
        resource = {"resource_name": "workers", "resource": [], "datastore": PythonListDataStore, "model": Alone}
        controller = {"options": {"field_permissions": {"salary": IsAdminUser()}, "authentication": ByHeader()}}

        def before_create(self, request: Any, record: Any) -> None:
            if record["salary"] is None:
                record["salary"] = 100

    app = serve(Hired)
    assert As(app, "ada").post("/workers/", {"name": "Dan"}).json == {
        "id": 1,
        "name": "Dan",
        "resource_uri": "/workers/1/",
    }
    assert As(app, "root").get("/workers/1/").json["salary"] == 100


class Alone(models.Model):
    """Somebody with a salary, and nobody else."""

    fields = (
        models.PkField("id"),
        models.StringField("name", required=True),
        models.IntegerField("salary", required=True),
    )
    validators = (models.UniqueTogether("name", "salary"),)


def test_a_conflict_names_no_hidden_field() -> None:
    options = {"field_permissions": {"salary": IsAdminUser()}, "authentication": ByHeader()}
    rows = [{"id": 1, "name": "Ann", "salary": 5}, {"id": 2, "name": "Ben", "salary": 5}]
    resource = {"resource_name": "workers", "resource": rows, "datastore": PythonListDataStore, "model": Alone}
    app = serve(make_controller(resource, {"options": options}))
    assert "name, salary must be unique" in As(app, "root").patch("/workers/2/", {"name": "Ann"}).text
    reply = As(app, "ada").patch("/workers/2/", {"name": "Ann"})
    assert faults(reply, 409, "conflict") == [("#/name", "unique")]
    assert "salary" not in reply.text


@pytest.mark.parametrize("other", [1, 10_000])
def test_the_value_of_a_hidden_field_makes_no_difference(other: int, storage: Storage) -> None:
    rows = [{**row, "salary": row["salary"] * other + 1} for row in ROWS]
    chosen = {"options": {"field_permissions": FIELDS, "authentication": ByHeader(), "ordering": "salary"}}
    apps = [
        As(serve(storage.controller(Worker, data, name="workers", controller=chosen), secret="s"), "ada")
        for data in (ROWS, rows)
    ]
    for method, path, *body in [
        ("GET", "/workers/"),
        ("GET", "/workers/?ordering=-name&search=a&count=1"),
        ("GET", "/workers/?expand=staff,boss"),
        ("GET", "/workers/2/boss/"),
        ("GET", "/workers/1/staff/?count=1"),
        ("GET", "/schema/workers/"),
        ("PATCH", "/workers/?id__gt=1", {"remark": "x"}),
        ("PATCH", "/workers/?id__gt=1", {"password": "new"}),
        ("PUT", "/workers/2/", {"name": "Benno", "boss_id": 3}),
        ("PATCH", "/workers/1/", {"name": "Al", "salary": 900}),
        ("DELETE", "/workers/?salary=900"),
        ("DELETE", "/workers/3/"),
    ]:
        replies = [told(app.ask(method, path, *body)) for app in apps]
        assert replies[0] == replies[1], (method, path)


# --- relations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/workers/2/boss/", "/workers/2/bozz/"),
        ("/workers/1/staff/", "/workers/1/sdaff/"),
        ("/workers/?expand=boss", "/workers/?expand=bozz"),
        ("/workers/1/?expand=staff", "/workers/1/?expand=sdaff"),
        ("/workers/1/?expand=staff.boss", "/workers/1/?expand=sdaff.boss"),
        ("/workers/?boss_id=1", "/workers/?bozz_id=1"),
    ],
)
def test_a_relation_through_a_hidden_key_is_not_there(path: str, missing: str, storage: Storage) -> None:
    _, ada, nobody = workers(storage)
    assert ada.get(path).status_int == 200
    reply, other = nobody.get(path), nobody.get(missing)
    assert reply.status_int in (400, 404)
    hidden = reply.text.replace("staff", "sdaff").replace("boss", "bozz")
    assert hidden == other.text.replace("boss", "bozz")


def test_a_nested_list_of_the_same_resource_takes_what_the_caller_may_set(storage: Storage) -> None:
    root, ada, nobody = workers(storage)
    body = {"name": "Dan", "remark": "new"}
    assert faults(ada.post("/workers/1/staff/", body)) == [("#/remark", "read_only")]
    problem(nobody.post("/workers/1/staff/", body), 404, "not-found")
    made = root.post("/workers/1/staff/", {**body, "salary": 5})
    assert (made.json["remark"], made.json["boss_id"]) == ("new", 1)


def test_two_controllers_under_one_name_have_fields_of_their_own() -> None:
    resource = {
        "resource_name": "workers",
        "resource": [{"id": 1, "name": "Ann", "salary": 5}],
        "datastore": PythonListDataStore,
        "model": Alone,
    }
    hiding = {"field_permissions": {"salary": IsAdminUser()}, "authentication": ByHeader()}
    lists = make_controller(resource, {"unique_verbs": [], "options": hiding})
    items = make_controller(resource, {"list_verbs": [], "options": {"permissions": IsAuthenticated(), **hiding}})
    app = serve(lists, items)
    assert As(app, None).get("/workers/1/").status_int == 401
    for name, shown in (("ada", False), ("root", True)):
        assert ("salary" in As(app, name).objects("/workers/")[0]) is shown
        assert ("salary" in As(app, name).get("/workers/1/").json) is shown


def test_a_relation_of_another_resource_through_a_hidden_key_is_not_there() -> None:
    class Team(models.Model):
        fields = (models.PkField("id"), models.StringField("name", required=True))

    class Member(models.Model):
        fields = (
            models.PkField("id"),
            models.StringField("name", required=True),
            models.IntForeign("team_id", resource="teams", related_name="members"),
        )

    def app(fields: dict[str, Any]) -> Client:
        teams = {"resource_name": "teams", "resource": [{"id": 1, "name": "Red"}], "datastore": PythonListDataStore}
        rows = [{"id": 7, "name": "Ann", "team_id": 1}]
        members = {"resource_name": "members", "resource": rows, "datastore": PythonListDataStore, "model": Member}
        return serve(
            make_controller({**teams, "model": Team}),
            make_controller(members, {"options": {"field_permissions": fields, "authentication": ByHeader()}}),
        )

    guarded = app({"team_id": IsAuthenticated()})
    ada, nobody = As(guarded, "ada"), As(guarded, None)
    for path in ("/teams/1/members/", "/teams/?expand=members", "/members/?expand=team.members", "/members/7/team/"):
        assert ada.get(path).status_int == 200
        assert nobody.get(path).status_int in (400, 404)
    assert "members" not in nobody.get("/teams/1/mambers/").text.replace("mambers", "")
    assert [one["name"] for one in ada.get("/schema/teams/").json["relations"]] == ["members"]
    assert nobody.get("/schema/teams/").json["relations"] == []
    # that somebody refers to it can be told; who does, by what, and how many, cannot
    assert (
        problem(ada.delete("/teams/1/"), 409, "conflict")["detail"]
        == "others refer to this: 1 of 'members' by 'team_id'"
    )
    assert problem(nobody.delete("/teams/1/"), 409, "conflict")["detail"] == "others refer to this"


# --- with other things ------------------------------------------------------------------------------------------------


def test_a_scope_may_look_at_a_hidden_field(storage: Storage) -> None:
    class Diary(models.Model):
        fields = (models.PkField("id"), models.StringField("text"), models.StringField("owner", max_length=9))

    rows = [{"id": 1, "text": "A", "owner": "ada"}, {"id": 2, "text": "B", "owner": "bob"}]
    options = {"permissions": IsOwner(), "field_permissions": {"owner": IsAdminUser()}, "authentication": ByHeader()}
    app = serve(storage.controller(Diary, rows, controller={"options": options}))
    ada = As(app, "ada")
    assert ada.objects("/things/") == [{"id": 1, "text": "A", "resource_uri": "/things/1/"}]
    assert ada.get("/things/2/").status_int == 404
    made = ada.post("/things/", {"text": "C"})
    assert made.json == {"id": 3, "text": "C", "resource_uri": "/things/3/"}
    assert ada.values("/things/") == [1, 3]
    assert faults(ada.post("/things/", {"text": "D", "owner": "bob"})) == [("#/owner", "unknown")]


def test_methods_that_are_overridden_serve_the_callers_own_fields() -> None:
    class Counting(Controller):
        resource = {
            "resource_name": "workers",
            "resource": [{"id": 1, "name": "Ann", "salary": 5}],
            "datastore": PythonListDataStore,
            "model": Alone,
        }
        controller = {"options": {"field_permissions": {"salary": IsAdminUser()}, "authentication": ByHeader()}}

        def get_list(self, request: Any) -> Any:
            status, headers, body = super().get_list(request)
            return status, [*headers, ("X-Own", "yes")], body

        def patch_item(self, request: Any, pk: Any) -> Any:
            return super().patch_item(request, pk)

    app = serve(Counting)
    assert As(app, "root").objects("/workers/")[0]["salary"] == 5
    reply = As(app, "ada").get("/workers/")
    assert reply.headers["X-Own"] == "yes"
    assert "salary" not in reply.text
    assert faults(As(app, "ada").patch("/workers/1/", {"salary": 6})) == [("#/salary", "unknown")]


def test_the_schema_shows_each_caller_the_callers_fields(storage: Storage) -> None:
    root, ada, nobody = workers(storage)

    def names(client: As) -> list[str]:
        return [one["name"] for one in client.get("/schema/workers/").json["fields"]]

    assert names(root) == ["id", "name", "salary", "remark", "password", "boss_id"]
    assert "salary" not in ada.get("/schema/workers/").text
    assert "remark" not in nobody.get("/schema/workers/").text


def test_a_field_that_anybody_reads_and_few_set() -> None:
    fields = {"salary": {"write": IsAuthenticated()}, "name": IsAuthenticatedOrReadOnly()}
    options = {"field_permissions": fields, "authentication": ByHeader()}
    rows = [{"id": 1, "name": "Ann", "salary": 5}]
    resource = {"resource_name": "workers", "resource": rows, "datastore": PythonListDataStore, "model": Alone}
    app = serve(make_controller(resource, {"options": options}))
    seen = As(app, None).get("/workers/1/").json
    assert seen == {"id": 1, "name": "Ann", "salary": 5, "resource_uri": "/workers/1/"}
    assert faults(As(app, None).patch("/workers/1/", {"salary": 6, "name": "x"})) == [
        ("#/name", "read_only"),
        ("#/salary", "read_only"),
    ]
    assert As(app, "ada").patch("/workers/1/", {"salary": 6}).json["salary"] == 6


def test_a_marshmallow_schema_has_them_too() -> None:
    class WorkerSchema(marshmallow.Schema):
        id = marshmallow.fields.Integer(dump_only=True)
        name = marshmallow.fields.String(required=True)
        salary = marshmallow.fields.Integer(required=True)
        grade = marshmallow.fields.Integer(required=True)

    fields = {"salary": IsAdminUser(), "grade": {"write": IsAdminUser()}}
    options = {"field_permissions": fields, "authentication": ByHeader()}
    rows = [{"id": 1, "name": "Ann", "salary": 5, "grade": 1}]
    resource = {"resource_name": "workers", "resource": rows, "datastore": PythonListDataStore, "model": WorkerSchema}
    app = serve(make_controller(resource, {"options": options}))
    ada = As(app, "ada")
    assert ada.put("/workers/1/", {"name": "Anna", "grade": 1}).json == {
        "id": 1,
        "name": "Anna",
        "grade": 1,
        "resource_uri": "/workers/1/",
    }
    assert As(app, "root").get("/workers/1/").json["salary"] == 5
    replies = [ada.patch("/workers/1/", {"zap": 1, name: 2, "zip": 3}) for name in ("salary", "zalary")]
    assert replies[0].text == replies[1].text.replace("zalary", "salary")
    assert faults(ada.put("/workers/1/", {"name": 1, "grade": 2})) == [("#/grade", "read_only"), ("#/name", "type")]
    problem(ada.post("/workers/", {"name": "Dan"}), 403, "permission-denied")


def test_the_file_of_a_hidden_field_is_nowhere(storage: Storage) -> None:
    def app(rule: Any) -> Client:
        options = {"options": {"field_permissions": {"cover": rule}, "authentication": ByHeader()}}
        return albums(storage, controller=options)

    client = app(IsAdminUser())
    root, ada = As(client, "root"), As(client, "ada")
    made = send(root, ("title", "Blue"), ("cover", COVER))
    assert root.get(made.json["cover"]["url"]).body == PNG
    assert "cover" not in ada.get("/albums/1/").json
    for verb in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        hidden, missing = (ada.ask(verb, f"/albums/1/{name}/") for name in ("cover", "kover"))
        assert hidden.status_int == 404
        assert told(hidden) == told(missing)
    sent = [send(ada, ("title", "Red"), (name, COVER)) for name in ("cover", "kover")]
    assert sent[0].text.replace("cover", "kover") == sent[1].text
    assert sent[0].status_int == 400
    # to replace the object leaves the file where it is
    assert ada.put("/albums/1/", {"title": "Bluer"}).status_int == 200
    assert root.get("/albums/1/cover/").body == PNG

    client = app({"write": IsAdminUser()})
    root, ada = As(client, "root"), As(client, "ada")
    send(root, ("title", "Blue"), ("cover", COVER))
    assert ada.get("/albums/1/cover/").body == PNG
    assert ada.put("/albums/1/cover/", body=PNG, type="image/png").status_int == 405
    assert allowed(ada.delete("/albums/1/cover/")) == ["GET", "HEAD", "OPTIONS"]
    assert faults(send(ada, ("title", "Red"), ("cover", COVER))) == [("#/cover", "read_only")]


def test_a_request_for_a_file_is_let_in_once_and_as_what_it_is(storage: Storage) -> None:
    asked: list[str] = []

    class Counted(ByHeader):
        def authenticate(self, request: Request) -> tuple[User, Any] | None:
            asked.append(request.method)
            return super().authenticate(request)

    class WritesOnly(Permission):
        def has_permission(self, request: Request, view: Any) -> bool:
            return request.user.is_admin or request.method not in SAFE_METHODS

    options = {
        "field_permissions": {"year": IsAdminUser()},
        "authentication": Counted(),
        "permissions": WritesOnly(),
        "throttle": AddressRateThrottle("2/min", methods=["GET"]),
    }
    client = albums(storage, controller={"options": options})
    root, ada = As(client, "root"), As(client, "ada")
    assert root.post("/albums/", {"title": "Blue"}).status_int == 201
    assert ada.put("/albums/1/cover/", body=PNG, type="image/png").status_int == 201
    assert root.get("/albums/1/cover/").body == PNG
    assert ada.get("/albums/1/cover/").status_int == 403
    assert asked == ["POST", "PUT", "GET", "GET"]
    assert root.get("/albums/1/cover/").status_int == 429


def test_a_permission_that_is_asked_as_of_a_get_has_the_request_all_the_same() -> None:
    done: list[str] = []

    class Noting(Permission):
        def has_permission(self, request: Request, view: Any) -> bool:
            request.add_headers(("X-Asked", request.method))
            request.background.add_task(done.append, request.data["name"])
            return bool(request.data["name"] == "Ann")

    app = WSGIDispatcher(
        [
            over_list(
                ROWS,
                model=Worker,
                resource={"resource_name": "workers"},
                controller={"options": {"field_permissions": {"salary": {"read": Noting()}}}},
            )
        ]
    )
    reply = Client(app).post("/workers/", {"name": "Ann", "salary": 1, "password": "x"})
    assert (reply.status_int, reply.json["salary"]) == (201, 1)
    assert reply.headers["X-Asked"] == "GET"
    assert "salary" not in Client(app).post("/workers/", {"name": "Dan", "salary": 1, "password": "x"}).json
    app.background.wait()
    assert done == ["Ann", "Dan"]


def test_many_sets_of_fields_are_not_all_kept() -> None:
    """Each of eight fields may be seen by those whose number has its bit."""
    from rest_kit.controllers import variants

    class Bit(Permission):
        def __init__(self, place: int) -> None:
            self.place = place

        def has_permission(self, request: Any, view: Any) -> bool:
            return bool(int(request.header("X_BITS")) >> self.place & 1)

    names = [f"f{place}" for place in range(8)]
    model = type("Wide", (models.Model,), {"fields": [models.PkField("id"), *map(models.IntegerField, names)]})
    rows = [{"id": 1, **{name: place for place, name in enumerate(names)}}]
    options = {"field_permissions": {name: Bit(place) for place, name in enumerate(names)}}
    resource = {"resource_name": "things", "resource": rows, "datastore": PythonListDataStore, "model": model}
    dispatcher = WSGIDispatcher([make_controller(resource, {"options": options})])
    client = Client(dispatcher)
    for number in [*range(256), 255, 7]:
        shown = client.get("/things/1/", X_Bits=str(number)).json
        assert [name in shown for name in names] == [bool(number >> place & 1) for place in range(8)]
    kept = dispatcher.controllers[0].prepare().variants
    assert kept is not None
    assert len(kept) <= variants.MOST


# --- what cannot be meant ---------------------------------------------------------------------------------------------


def test_what_cannot_be_meant_is_refused() -> None:
    fields = {
        "salry": IsAdminUser(),
        "id": IsAdminUser(),
        "name": IsAdminUser,
        "salary": {"raed": IsAdminUser(), "write": IsOwner()},
    }
    resource = {"resource_name": "workers", "resource": [], "datastore": PythonListDataStore, "model": Alone}
    with pytest.raises(ConfigurationError) as caught:
        make_controller(resource, {"options": {"field_permissions": fields}})
    where = "controller options['field_permissions']"
    assert caught.value.problems == [
        f"{where}['name'] holds the class IsAdminUser; it must be an instance, such as IsAuthenticated()",
        f"{where}['salary'] has no key 'raed'; did you mean 'read'?",
        f"{where}['salary']: IsOwner('owner') looks at records, and a field is asked for once a request",
    ]
    with pytest.raises(ConfigurationError) as caught:
        make_controller(resource, {"options": {"field_permissions": {"salry": IsAdminUser(), "id": IsAdminUser()}}})
    assert caught.value.problems == [
        f"{where} names no field 'salry'; did you mean 'salary'?",
        f"{where} names 'id': the key of an object is in its address for everybody",
    ]
    with pytest.raises(ConfigurationError, match="looks at records"):
        make_controller(resource, {"options": {"field_permissions": {"name": IsOwnerOrReadOnly()}}})
