"""Who may do what: the permission classes, users' own, and in which order a request is refused."""

from __future__ import annotations

from typing import Any

import pytest

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.authentication import Authentication, RemoteUserAuthentication
from rest_kit.controllers import WSGIDispatcher
from rest_kit.errors import AuthenticationFailed, ConfigurationError
from rest_kit.permissions import (
    SAFE_METHODS,
    AllowAny,
    HasScope,
    IsAdminUser,
    IsAuthenticated,
    IsAuthenticatedOrReadOnly,
    IsOwner,
    IsOwnerOrReadOnly,
    ModelPermissions,
    Permission,
)
from rest_kit.query import Filter, Where
from rest_kit.request import Request
from rest_kit.routes import Route
from rest_kit.throttling import UserRateThrottle
from rest_kit.users import User
from tests.http.access_samples import USERS, As, ByHeader, told
from tests.http.support import Client, Storage, faults, make_controller, over_list, problem, serve


class Note(models.Model):
    """A note that somebody owns."""

    fields = (
        models.PkField("id"),
        models.StringField("text", required=True, max_length=40),
        models.StringField("owner", max_length=20),
        models.StringField("code", unique=True, max_length=20),
    )


NOTES: list[dict[str, Any]] = [
    {"id": 1, "text": "A", "owner": "ada", "code": "a"},
    {"id": 2, "text": "B", "owner": "bob", "code": "b"},
    {"id": 3, "text": "C", "owner": None, "code": None},
]


def notes(permissions: Any, storage: Storage | None = None, **options: Any) -> Client:
    """The notes at `/things/`, under these permissions."""
    chosen = {"options": {"permissions": permissions, "authentication": ByHeader(), **options}}
    if storage is not None:
        return serve(storage.controller(Note, NOTES, controller=chosen))
    return serve(over_list([dict(row) for row in NOTES], model=Note, controller=chosen))


def may(client: Client, name: str | None, pk: int = 1) -> dict[str, int]:
    """By verb, the status that somebody gets."""
    asking = As(client, name)
    return {
        "GET": asking.get(f"/things/{pk}/").status_int,
        "POST": asking.post("/things/", {"text": "new"}).status_int,
        "PATCH": asking.patch(f"/things/{pk}/", {"text": "changed"}).status_int,
        "DELETE": asking.delete(f"/things/{pk}/").status_int,
    }


def all_of(status: int) -> dict[str, int]:
    return dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), status)


FREE = {"GET": 200, "POST": 201, "PATCH": 200, "DELETE": 204}


# --- the classes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permission", "name", "expected"),
    [
        (AllowAny(), None, FREE),
        (IsAuthenticated(), None, all_of(401)),
        (IsAuthenticated(), "bob", FREE),
        (IsAuthenticatedOrReadOnly(), None, {**all_of(401), "GET": 200}),
        (IsAuthenticatedOrReadOnly(), "bob", FREE),
        (IsAdminUser(), None, all_of(401)),
        (IsAdminUser(), "ada", all_of(403)),
        (IsAdminUser(), "root", FREE),
        (IsOwner(), None, all_of(401)),
        (IsOwner(), "ada", FREE),
        (IsOwner(), "bob", {**all_of(404), "POST": 201}),
        (IsOwnerOrReadOnly(), None, {**all_of(401), "GET": 200}),
        (IsOwnerOrReadOnly(), "ada", FREE),
        (IsOwnerOrReadOnly(), "bob", {**all_of(403), "GET": 200, "POST": 201}),
        (HasScope("notes:read"), None, all_of(401)),
        (HasScope("notes:read"), "root", all_of(403)),
        (HasScope("notes:read"), "bob", FREE),
        (HasScope(read="notes:read", write="notes:write"), "bob", {**all_of(403), "GET": 200}),
        (HasScope(read="notes:read", write=["notes:write"]), "ada", FREE),
        (HasScope(write="notes:write"), "root", {**all_of(403), "GET": 200}),
        (HasScope("notes:read", write="notes:write"), "bob", {**all_of(403), "GET": 200}),
        (ModelPermissions({"editors": "view|add|change|delete"}), None, all_of(401)),
        (ModelPermissions({"editors": "view|add|change|delete"}), "ada", FREE),
        (ModelPermissions({"editors": "view|add|change|delete"}), "bob", all_of(403)),
        (ModelPermissions({"readers": ["view"], "guests": {"add"}}), "bob", {**all_of(403), "GET": 200, "POST": 201}),
        (ModelPermissions(users={"bob": "change|delete"}), "bob", {**all_of(403), "PATCH": 200, "DELETE": 204}),
        (~IsAuthenticated(), None, FREE),
        (~IsAuthenticated(), "ada", all_of(403)),
        (IsOwner() | IsAdminUser(), "root", FREE),
        (IsOwner() | IsAuthenticatedOrReadOnly() & ~IsAuthenticated(), None, {**all_of(401), "GET": 200}),
        (IsOwner() & HasScope(write="notes:write"), "bob", {**all_of(403), "GET": 404}),
    ],
)
def test_who_may_do_what(permission: Permission, name: str | None, expected: dict[str, int]) -> None:
    assert may(notes(permission), name) == expected


def test_several_must_all_hold() -> None:
    client = notes([IsAuthenticated(), HasScope("notes:write")])
    assert may(client, "bob") == all_of(403)
    assert may(client, "ada") == FREE


class IsBanned(Permission):
    """Answers for requests and for records alike, as classes of Django REST framework do."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.pk == "bob"

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return request.user.pk == "bob"


@pytest.mark.parametrize("permission", [~IsBanned(), ~(IsBanned() | IsAdminUser()), ~~~IsBanned()])
def test_what_is_turned_round_refuses_where_no_record_is_asked_about(permission: Permission) -> None:
    controller = over_list([{"id": 1}], controller={"options": {"permissions": permission}})
    route = Route("/hello", lambda request: {}, permissions=permission)
    client = Client(WSGIDispatcher([controller], authentication=ByHeader(), routes=[route]))
    for path in ("/hello", "/things/", "/things/1/", "/things/?id=7"):
        assert As(client, "bob").get(path).status_int == 403
        assert As(client, "ada").get(path).status_int == 200


def test_a_dispatcher_has_them_for_all() -> None:
    controllers = [
        over_list([{"id": 1}]),
        over_list([{"id": 1}], resource={"resource_name": "free"}, controller={"options": {"permissions": []}}),
    ]
    route = Route("/hello", lambda request: {"hello": request.user.name or "nobody"})
    client = Client(
        WSGIDispatcher(
            controllers, authentication=ByHeader(), permissions=ModelPermissions(users={"ada": "view"}), routes=[route]
        )
    )
    assert [As(client, "ada").get(path).status_int for path in ("/things/", "/free/", "/hello")] == [200, 200, 200]
    assert [As(client, "bob").get(path).status_int for path in ("/things/", "/free/", "/hello")] == [403, 200, 403]


@pytest.mark.parametrize(
    ("make", "told_so"),
    [
        (lambda: HasScope(), "HasScope takes names of scopes"),
        (lambda: HasScope(""), "HasScope takes names of scopes"),
        (lambda: ModelPermissions(), "ModelPermissions takes Grants, or groups"),
        (lambda: ModelPermissions({"editors": "view|chnage"}), "names no right 'chnage'; did you mean 'change'"),
        (lambda: ModelPermissions("view"), "must be a mapping"),  # type: ignore[arg-type]
        (lambda: ModelPermissions(users={1: 5}), "must be rights"),  # type: ignore[dict-item]
        (lambda: ~IsOwner(), "~IsOwner('owner'): a permission that hides records cannot be turned round"),
        (lambda: ~(IsAdminUser() | IsOwner()), "cannot be turned round"),
        (lambda: notes(IsAuthenticated), "it must be an instance"),
        (lambda: notes(IsOwner("onwer")), "looks at a field that the model has not; did you mean 'owner'"),
        (lambda: notes(IsAdminUser() | IsOwner("onwer")), "did you mean 'owner'"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, told_so: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert told_so in str(caught.value)


# --- owners -----------------------------------------------------------------------------------------------------------


def test_everybody_has_their_own(storage: Storage) -> None:
    client = notes(IsOwner(), storage)
    ada, bob = As(client, "ada"), As(client, "bob")
    assert ada.values("/things/") == [1]
    assert bob.get("/things/").json["meta"]["total_count"] == 1
    made = ada.post("/things/", {"text": "D"})
    assert made.json["owner"] == "ada"
    assert bob.get(made.headers["Location"]).status_int == 404
    assert ada.put("/things/1/", {"text": "E", "owner": "ada"}).status_int == 200


class Person(models.Model):
    """Somebody, who is the owner of the own record."""

    fields = (models.PkField("id"), models.StringField("name"))


class ByNumber(Authentication):
    """Believes the header `X-User`, the number of a person; the first one is an admin."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        number = request.header("X_USER")
        return None if number is None else (User(int(number), is_admin=number == "1"), None)


def test_a_key_that_the_store_makes_is_not_its_makers(storage: Storage) -> None:
    options = {"permissions": IsOwner("id") | IsAdminUser(), "authentication": ByNumber()}
    client = storage.client(Person, [{"id": 1, "name": "root"}], controller={"options": options})
    made = client.post("/things/", {"name": "Ada"}, X_User="1")
    assert (made.status_int, made.json["id"]) == (201, 2)
    assert client.get("/things/2/", X_User="2").json["name"] == "Ada"
    problem(client.post("/things/", {"name": "Eve"}, X_User="2"), 403, "permission-denied")


def test_a_write_does_not_move_an_object_to_somebody_else(storage: Storage) -> None:
    client = notes(IsOwner(), storage)
    ada, bob = As(client, "ada"), As(client, "bob")
    before = bob.get("/things/").text
    for reply in (
        ada.post("/things/", {"text": "D", "owner": "bob"}),
        ada.post("/things/", [{"text": "D"}, {"text": "E", "owner": "bob"}]),
        ada.patch("/things/1/", {"owner": "bob"}),
        ada.put("/things/1/", {"text": "A", "owner": None}),
        ada.put("/things/", [{"id": 1, "text": "A", "owner": "bob"}]),
        ada.patch("/things/?id=1", {"owner": "bob"}),
    ):
        problem(reply, 403, "permission-denied")
    assert bob.get("/things/").text == before
    assert ada.values("/things/", "owner") == ["ada"]


def test_what_others_see_they_may_not_write(storage: Storage) -> None:
    client = notes(IsOwnerOrReadOnly(), storage)
    bob = As(client, "bob")
    assert bob.values("/things/") == [1, 2, 3]
    for reply in (
        bob.patch("/things/?id__lt=3", {"text": "all"}),
        bob.put("/things/", [{"id": 2, "text": "B"}, {"id": 1, "text": "A"}]),
        bob.delete("/things/?id__in=1,2"),
        bob.patch("/things/2/", {"owner": "ada"}),
        bob.post("/things/", {"text": "D", "owner": "ada"}),
    ):
        problem(reply, 403, "permission-denied")
    assert bob.values("/things/", "text") == ["A", "B", "C"]
    assert bob.patch("/things/?owner=bob", {"text": "mine"}).status_int == 200


def test_what_is_seen_by_one_permission_is_not_written_by_another(storage: Storage) -> None:
    """The one who may not write shows all; the other, who may, only the caller's own."""

    class Looking(Permission):
        def has_permission(self, request: Request, view: Any) -> bool:
            return request.method in SAFE_METHODS

    bob = As(notes(IsOwner() | Looking(), storage), "bob")
    assert bob.get("/things/1/").status_int == 200
    problem(bob.patch("/things/1/", {"text": "x"}), 403, "permission-denied")
    problem(bob.delete("/things/?id__gte=1"), 403, "permission-denied")
    problem(bob.post("/things/", {"text": "x", "owner": "ada"}), 403, "permission-denied")
    assert bob.patch("/things/2/", {"text": "x"}).status_int == 200
    assert bob.post("/things/", {"text": "x"}).json["owner"] == "bob"


def test_who_may_only_add_sees_nothing() -> None:
    class Adding(Permission):
        def has_permission(self, request: Request, view: Any) -> bool:
            return request.method == "POST"

    client = notes(IsAdminUser() | Adding())
    assert As(client, "ada").post("/things/", {"text": "dropped"}).status_int == 201
    assert As(client, "ada").get("/things/").status_int == 403
    assert As(client, "root").values("/things/") == [1, 2, 3, 4]


def test_owners_may_be_known_by_something_else() -> None:
    rows = [{"id": 1, "team": "readers, guests"}, {"id": 2, "team": "other"}]
    model = type("Shared", (models.Model,), {"fields": [models.PkField("id"), models.StringField("team")]})
    options = {"options": {"permissions": IsOwner("team", by="groups"), "authentication": ByHeader()}}
    client = serve(over_list(rows, model=model, controller=options))
    assert As(client, "bob").values("/things/") == [1]
    assert As(client, "root").values("/things/") == []


@pytest.mark.parametrize("kind", ["list", "sqlite"])
@pytest.mark.parametrize(("sent", "seen"), [(7, [1]), ("7", [1]), ("seven", [])])
def test_an_owner_is_looked_for_as_the_field_has_it(kind: str, sent: Any, seen: list[int], tmp_path: Any) -> None:
    class Told(ByHeader):
        def authenticate(self, request: Request) -> tuple[User, Any] | None:
            return User(sent), None

    class Owned(models.Model):
        fields = (models.PkField("id"), models.IntegerField("owner"))

    options = {"options": {"permissions": IsOwner(), "authentication": Told()}}
    client = serve(Storage(kind, tmp_path).controller(Owned, [{"id": 1, "owner": 7}], controller=options))
    assert client.values("/things/") == seen
    assert client.post("/things/", {}).status_int == (201 if seen else 403)


# --- the order of refusals --------------------------------------------------------------------------------------------


def test_each_check_has_its_turn(storage: Storage) -> None:
    ada = As(notes(IsOwnerOrReadOnly() & IsAuthenticated(), storage), "ada")
    wrong = {"text": 5}
    assert As(ada, None).patch("/things/1/", wrong).status_int == 401
    assert ada.patch("/things/9/", wrong, If_Match='"x"').status_int == 404
    assert ada.patch("/things/2/", wrong, If_Match='"x"').status_int == 412
    assert ada.patch("/things/2/", wrong).status_int == 403
    assert ada.patch("/things/1/", wrong).status_int == 400
    assert ada.patch("/things/1/", {"owner": "bob"}).status_int == 403


@pytest.mark.parametrize("verb", ["GET", "HEAD", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("headers", [{}, {"If_Match": "*"}, {"If_Match": '"x"'}, {"If_None_Match": "*"}])
def test_what_is_hidden_is_answered_like_what_is_missing(verb: str, headers: Any, storage: Storage) -> None:
    ada = As(notes(IsOwner(), storage, require_if_match=True), "ada")
    body = {"PATCH": {"text": 1}, "PUT": {"text": "x"}}.get(verb)
    replies = [ada.ask(verb, f"/things/{pk}/", **({} if body is None else {"json": body}), **headers) for pk in (2, 9)]
    assert replies[0].status_int == 404
    assert told(replies[0]) == told(replies[1])


def test_a_unique_value_of_somebody_else_is_taken(storage: Storage) -> None:
    """It cannot be hidden that it is; whose it is, and where, is not told."""
    ada = As(notes(IsOwner(), storage), "ada")
    reply = ada.post("/things/", {"text": "D", "code": "b"})
    assert faults(reply, 409, "conflict") == [("#/code", "unique")]
    assert "bob" not in reply.text
    assert "2" not in reply.json["detail"]


# --- of one's own -----------------------------------------------------------------------------------------------------


class IsOwnerAsInDjango(Permission):
    """As the manual of Django REST framework has it."""

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        return bool(obj.owner == request.user)


def test_ones_own_in_the_style_of_django(storage: Storage) -> None:
    client = notes(IsOwnerAsInDjango(), storage)
    ada = As(client, "ada")
    assert ada.values("/things/") == [1, 2, 3]
    assert ada.patch("/things/1/", {"text": "x"}).status_int == 200
    assert ada.patch("/things/2/", {"text": "x"}).status_int == 403
    assert As(client, None).patch("/things/3/", {"text": "x"}).status_int == 401
    assert ada.post("/things/", {"text": "x", "owner": "ada"}).status_int == 201
    assert ada.post("/things/", {"text": "x"}).status_int == 403


def test_a_list_that_holds_a_refused_object_is_refused_whole(storage: Storage) -> None:
    class Mine(Permission):
        def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
            return bool(obj["owner"] == request.user)

    class Hiding(Mine):
        def scope(self, request: Request) -> Where | None:
            return Filter("owner", "eq", request.user.pk)

    refused, hidden = As(notes(Mine(), storage), "ada"), As(notes(Hiding(), storage), "ada")
    problem(refused.get("/things/?fields=text"), 403, "permission-denied")
    assert refused.objects("/things/?owner=ada&fields=text")[0]["text"] == "A"
    assert refused.objects("/things/?owner=zoe") == []
    assert hidden.values("/things/") == [1]


def test_a_permission_is_asked_with_what_is_done() -> None:
    asked: list[tuple[str, str]] = []

    class Noting(Permission):
        def has_permission(self, request: Request, view: Any) -> bool:
            asked.append((request.action, view.spec.name))
            return True

    client = As(notes(Noting()), "ada")
    client.get("/things/")
    client.get("/things/1/")
    client.post("/things/", {"text": "x"})
    client.put("/things/1/", {"text": "x"})
    client.patch("/things/1/", {"text": "y"})
    client.delete("/things/1/")
    client.put("/things/", [])
    client.patch("/things/?id=1", {"text": "z"})
    client.delete("/things/?id=2")
    assert asked == [
        (action, "things")
        for action in (
            *("list", "retrieve", "create", "update", "partial_update", "destroy"),
            *("bulk_update", "bulk_partial_update", "bulk_destroy"),
        )
    ]


# --- what is allowed of several resources -----------------------------------------------------------------------------


class Folder(models.Model):
    """Something that notes lie in."""

    fields = (models.PkField("id"), models.StringField("name"), models.StringField("owner"))


class Filed(models.Model):
    """A note in a folder."""

    fields = (
        models.PkField("id"),
        models.StringField("owner"),
        models.IntForeign("folder_id", resource="folders", related_name="notes"),
    )


def filing(folders: Any, filed: Any, *, deletion: str = "restrict") -> Client:
    """Folders of Ada's and Bob's, each with a note of both."""
    rows = [{"id": n, "name": f"f{n}", "owner": owner} for n, owner in ((1, "ada"), (2, "bob"))]
    notes = [
        {"id": 10 * n + m, "owner": owner, "folder_id": n} for n in (1, 2) for m, owner in ((1, "ada"), (2, "bob"))
    ]
    key = models.IntForeign("folder_id", resource="folders", related_name="notes", on_delete=deletion, nullable=True)  # type: ignore[arg-type]
    model = type("Filed", (models.Model,), {"fields": [*Filed.fields[:2], key]})
    resources = [("folders", rows, Folder, folders), ("notes", notes, model, filed)]
    return serve(
        *(
            make_controller(
                {"resource_name": name, "resource": data, "datastore": PythonListDataStore, "model": shape},
                {"options": {"permissions": permission, "authentication": ByHeader()}},
            )
            for name, data, shape, permission in resources
        )
    )


def test_a_refusal_to_delete_counts_what_the_caller_sees() -> None:
    def detail(client: Client, name: str) -> Any:
        return problem(As(client, name).delete("/folders/1/"), 409, "conflict")["detail"]

    assert detail(filing([], []), "ada") == "others refer to this: 2 of 'notes' by 'folder_id'"
    assert detail(filing([], IsOwner()), "ada") == "others refer to this: 1 of 'notes' by 'folder_id'"
    assert detail(filing([], IsOwner()), "root") == "others refer to this"
    assert detail(filing([], IsAdminUser()), "ada") == "others refer to this"
    assert detail(filing([], IsOwnerOrReadOnly()), "root") == "others refer to this: 2 of 'notes' by 'folder_id'"


@pytest.mark.parametrize(("deletion", "left"), [("cascade", [21, 22]), ("set_null", [11, 12, 21, 22])])
def test_a_deletion_takes_along_what_its_owner_has_configured(deletion: str, left: list[int]) -> None:
    client = filing(IsOwner(), IsOwner() | IsAdminUser(), deletion=deletion)
    assert As(client, "ada").delete("/folders/1/").status_int == 204
    assert As(client, "root").values("/notes/") == left


def test_a_resource_that_is_closed_is_closed_in_expansions_too() -> None:
    client = filing(IsAdminUser(), [])
    problem(As(client, "ada").get("/notes/?expand=folder"), 403, "permission-denied")
    problem(As(client, None).get("/notes/11/folder/"), 401, "not-authenticated")
    assert As(client, "root").get("/notes/11/?expand=folder").json["folder"]["name"] == "f1"
    # a key may be named that the caller cannot look up: otherwise nobody but an admin could write a note
    assert As(client, "ada").post("/notes/", {"folder_id": 1}).status_int == 201
    assert As(client, "ada").post("/notes/", {"folder_id": 9}).status_int == 409


class ByBadge(ByHeader):
    """Believes another header."""

    varies_by = ("X-Badge",)
    challenge = "X-Badge"

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        name = request.header("X_BADGE")
        if name not in (None, "ada"):
            raise AuthenticationFailed("this is nobody's badge")
        return (User("ada"), None) if name else None


def test_credentials_that_are_not_good_open_nothing() -> None:
    """They would show what their owner does not see: which keys there are."""
    folders = [{"id": n, "name": f"f{n}", "owner": owner} for n, owner in ((1, "ada"), (2, "bob"))]
    options = {"authentication": ByBadge(), "permissions": IsOwner(), "throttle": UserRateThrottle("2/min")}
    app = serve(
        over_list(folders, model=Folder, resource={"resource_name": "folders"}, controller={"options": options}),
        over_list([], model=Filed, resource={"resource_name": "notes"}),
    )
    assert app.post("/notes/", {"folder_id": 1}, X_Badge="ada").status_int == 201
    assert app.post("/notes/", {"folder_id": 2}, X_Badge="ada").status_int == 409
    for folder in (2, 9):
        reply = app.post("/notes/", {"folder_id": folder}, X_Badge="eve")
        problem(reply, 401, "authentication-failed")
    problem(app.post("/notes/", {"folder_id": 2}, X_Badge="eve"), 429, "throttled")


def test_a_resource_that_knows_nobody_knows_nobody_in_expansions_either() -> None:
    rows = {"resource_name": "folders", "resource": [{"id": 1, "name": "f", "owner": "ada"}]}
    folders = make_controller(
        {**rows, "datastore": PythonListDataStore, "model": Folder}, {"options": {"permissions": IsAuthenticated()}}
    )
    filed = {"resource_name": "notes", "resource": [{"id": 1, "owner": "ada", "folder_id": 1}]}
    app = serve(
        folders,
        make_controller(
            {**filed, "datastore": PythonListDataStore, "model": Filed}, {"options": {"authentication": ByHeader()}}
        ),
    )
    assert As(app, "ada").get("/folders/1/").status_int == 403
    assert As(app, "ada").get("/notes/1/?expand=folder").status_int == 403


def test_a_new_record_with_a_reference_is_checked_where_its_key_is_known() -> None:
    """Before keys are looked up the write is rehearsed, and then there is no key yet to ask about."""

    class Low(Permission):
        def scope(self, request: Request) -> Where | None:
            return Filter("id", "lt", 24)

        def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
            return obj.id > 0

    ada = As(filing([], Low()), "ada")
    assert ada.post("/notes/", {"folder_id": 1}).json["id"] == 23
    problem(ada.post("/notes/", {"folder_id": 1}), 403, "permission-denied")
    assert ada.get("/notes/").json["meta"]["total_count"] == 5


def test_users_are_who_they_are() -> None:
    ada = USERS["ada"]
    assert ada == User("ada")
    assert ada == "ada"
    assert ada != "bob"
    assert User(1) != "1"


@pytest.mark.parametrize("name", ["07", "+7", "0007", "7.0", " 7", "\N{ARABIC-INDIC DIGIT SEVEN}"])
def test_whoever_is_called_like_an_owner_in_another_spelling_is_not_the_owner(name: str) -> None:
    class Owned(models.Model):
        fields = (models.PkField("id"), models.IntegerField("owner"))

    things = over_list([{"id": 1, "owner": 7}], model=Owned, controller={"options": {"permissions": [IsOwner()]}})
    client = serve(things, authentication=RemoteUserAuthentication())
    as_wsgi = name.encode().decode("latin-1")
    assert client.get("/things/1/", environ={"REMOTE_USER": as_wsgi}).status_int == 404
    assert client.get("/things/1/", environ={"REMOTE_USER": "7"}).status_int == 200
