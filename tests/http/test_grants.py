"""Rights that are kept as data: on single objects, on whole resources, for users and for groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher, action
from rest_kit.errors import ConfigurationError, Conflict, RemoteError, StoreUnavailable
from rest_kit.permissions import (
    GrantModel,
    Grants,
    Group,
    IsAdminUser,
    IsOwner,
    ModelPermissions,
    ObjectPermissions,
)
from rest_kit.request import Request
from rest_kit.routes import Route
from rest_kit.store import DataStore
from rest_kit.users import User
from tests.http.access_samples import USERS, As, ByHeader, told
from tests.http.support import Client, Storage, make_controller, over_list, problem, serve
from tests.same import opened

ADA, BOB = USERS["ada"], USERS["bob"]
KINDS = ("list", "csv", "sqlite", "postgresql", "mariadb")


class Note(models.Model):
    """A note."""

    fields = (models.PkField("id"), models.StringField("text", required=True), models.StringField("owner"))


class Page(models.Model):
    """A page with a key that clients choose."""

    fields = (models.StringPkField("slug", max_length=20), models.StringField("text"))


def rows() -> list[dict[str, Any]]:
    return [{"id": n, "text": f"note {n}", "owner": None} for n in range(1, 6)]


@contextmanager
def store_of(kind: str, folder: Path) -> Iterator[DataStore]:
    """An empty store of grants."""
    with opened(kind, folder, GrantModel(), []) as (cls, resource, options):
        store = cls(resource, options)
        yield store
        store.close()


@pytest.fixture(params=KINDS)
def grants(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Grants]:
    """Grants in each kind of store in turn."""
    with store_of(request.param, tmp_path) as store:
        yield Grants(store)


def in_memory() -> Grants:
    return Grants(PythonListDataStore([]))


def notes(permission: Any, storage: Storage | None = None) -> Client:
    options = {"options": {"permissions": permission, "authentication": ByHeader()}}
    if storage is not None:
        return serve(storage.controller(Note, rows(), controller=options))
    return serve(over_list(rows(), model=Note, controller=options))


# --- giving and taking ------------------------------------------------------------------------------------------------


def test_rights_are_given_and_taken(grants: Grants) -> None:
    grants.assign(ADA, "view|change", "things", 7)
    grants.assign(ADA, ["view"], "things", 7)
    assert [grants.check(ADA, right, "things", 7) for right in ("view", "change", "delete")] == [True, True, False]
    assert not grants.check(ADA, "view", "things", 8)
    assert not grants.check(ADA, "view", "things")
    assert not grants.check(ADA, "view", "others", 7)
    assert not grants.check(BOB, "view", "things", 7)
    grants.remove(ADA, "view", "things", 7)
    grants.remove(ADA, "delete", "things", 7)
    assert [(one.right, one.object) for one in grants.list(ADA)] == [("change", "7")]


def test_a_right_on_a_resource_is_one_on_all_of_its_objects(grants: Grants) -> None:
    grants.assign(Group("editors"), "add|change", "things")
    assert grants.check(ADA, "change", "things", 99)
    assert grants.granted(ADA, "change", "things") is None
    assert grants.granted(ADA, "view", "things") == frozenset()
    assert not grants.check(BOB, "change", "things", 99)
    assert [one.holder for one in grants.list(Group("editors"))] == ["group:editors"] * 2
    assert grants.list(ADA) == []


def test_what_is_granted_can_be_listed(grants: Grants) -> None:
    grants.assign(ADA, "view", "things", 1)
    grants.assign("bob", "view", "things", 1)
    grants.assign(7, "view", "pages", "a b")
    assert {one.holder for one in grants.list(resource="things", pk=1)} == {'user:"ada"', 'user:"bob"'}
    assert [(one.holder, one.object) for one in grants.list(resource="pages")] == [("user:7", "a b")]
    assert len(grants.list()) == 3
    grants.forget("things", 1)
    assert [one.resource for one in grants.list()] == ["pages"]


def test_a_user_is_not_another_whose_key_looks_alike(grants: Grants) -> None:
    grants.assign(7, "view", "things", 1)
    assert grants.list("7") == []
    assert [one.holder for one in grants.list(7)] == ["user:7"]


@pytest.mark.parametrize(
    ("make", "told_so"),
    [
        (lambda: Grants(PythonListDataStore), "Grants takes a store"),  # type: ignore[arg-type]
        (lambda: Grants(PythonListDataStore([]), most=0), "most must be a positive number"),
        (lambda: ObjectPermissions(PythonListDataStore([])), "takes Grants(store)"),  # type: ignore[arg-type]
        (lambda: ObjectPermissions(in_memory(), creator="add"), "'add' is a right on the whole resource"),
        (lambda: ObjectPermissions(in_memory(), creator="viwe"), "did you mean 'view'"),
        (lambda: in_memory().assign(ADA, "view|", "things", 1), "names no right ''"),
        (lambda: in_memory().assign(ADA, [], "things", 1), "must be rights"),
        (lambda: in_memory().assign(ADA, "add", "things", 1), "'add' is a right on the whole resource"),
        (lambda: in_memory().assign(ADA, "view", "things", ""), "leave pk out for the whole resource"),
        (lambda: in_memory().remove(ADA, "view", "things", ""), "leave pk out for the whole resource"),
        (lambda: in_memory().assign(User(None), "view", "things", 1), "nobody in particular"),
        (lambda: ~ObjectPermissions(in_memory()), "cannot be turned round"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, told_so: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert told_so in str(caught.value)


def test_a_store_of_something_else_is_refused() -> None:
    store = PythonListDataStore([])
    store.bind(Note())
    with pytest.raises(ConfigurationError, match="the store's model has no holder, resource, right, object"):
        Grants(store)


# --- as permissions ---------------------------------------------------------------------------------------------------


def test_each_sees_what_is_granted(storage: Storage) -> None:
    grants = in_memory()
    client = notes(ObjectPermissions(grants), storage)
    ada, bob = As(client, "ada"), As(client, "bob")
    grants.assign(ADA, "view", "things", 1)
    grants.assign(ADA, "view|change", "things", 2)
    grants.assign(Group("editors"), "view|delete", "things", 3)
    grants.assign(ADA, "change", "things", 4)  # without view
    assert As(client, None).get("/things/").status_int == 401
    assert ada.values("/things/?ordering=-id") == [3, 2, 1]
    assert ada.get("/things/").json["meta"]["total_count"] == 3
    assert bob.get("/things/").json["meta"]["total_count"] == 0
    assert [ada.get(f"/things/{pk}/").status_int for pk in range(1, 7)] == [200, 200, 200, 404, 404, 404]
    assert [ada.patch(f"/things/{pk}/", {"text": "x"}).status_int for pk in range(1, 5)] == [403, 200, 403, 404]
    assert [ada.delete(f"/things/{pk}/").status_int for pk in (1, 2, 3, 4, 5)] == [403, 403, 204, 404, 404]
    assert told(ada.get("/things/5/")) == told(ada.get("/things/6/"))
    problem(ada.patch("/things/?id__gte=1", {"text": "x"}), 403, "permission-denied")
    assert ada.patch("/things/?id=2", {"text": "y"}).status_int == 200


class Neighbours(Controller):
    """Notes that look for others."""

    @action(detail=True, methods=["GET", "POST"])
    def near(self, request: Request, pk: int) -> Any:
        return [one.id for one in self.find(request)]

    @action(detail=True, methods=["GET", "POST"])
    def other(self, request: Request, pk: int) -> Any:
        return self.get_object(request, request.http.args["than"])

    @action(detail=True)
    def pages(self, request: Request, pk: int) -> Any:
        return self.page(request)

    def get_item(self, request: Request, pk: int) -> Any:
        request.add_headers(("X-Found", repr([one.id for one in self.find(request)])))
        return super().get_item(request, pk)

    def before_update(self, request: Request, before: Any, record: Any) -> None:
        record["text"] = repr([one.id for one in self.find(request)])


def neighbours(grants: Grants, storage: Storage) -> Client:
    """The notes as Ada sees them."""
    options = {"options": {"permissions": ObjectPermissions(grants), "authentication": ByHeader()}}
    return As(serve(type("Notes", (Neighbours, storage.controller(Note, rows(), controller=options)), {})), "ada")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_action_on_an_object_sees_no_more_than_the_list(method: str, storage: Storage) -> None:
    grants = in_memory()
    for pk in (1, 2):
        grants.assign(ADA, "view|change", "things", pk)
    ada = neighbours(grants, storage)
    assert ada.ask(method, "/things/1/near/").json == [1, 2]
    assert ada.ask(method, "/things/1/other/?than=2").json["text"] == "note 2"
    problem(ada.ask(method, "/things/1/other/?than=3"), 404, "not-found")
    problem(ada.ask(method, "/things/3/other/?than=3"), 404, "not-found")
    assert ada.values("/things/1/pages/") == [1, 2]


def test_whoever_sees_an_object_sees_no_others_from_there(storage: Storage) -> None:
    grants = in_memory()
    grants.assign(ADA, "view|change", "things", 1)
    ada = neighbours(grants, storage)
    assert ada.get("/things/1/").headers["X-Found"] == "[1]"
    assert ada.patch("/things/1/", {"text": "x"}).json["text"] == "[1]"


def test_what_is_taken_away_is_gone_at_the_next_request() -> None:
    grants = in_memory()
    ada = As(notes(ObjectPermissions(grants)), "ada")
    grants.assign(ADA, "view", "things", 1)
    assert ada.get("/things/1/").status_int == 200
    assert ada.values("/things/") == [1]
    grants.remove(ADA, "view", "things", 1)
    assert ada.get("/things/1/").status_int == 404
    assert ada.values("/things/") == []


def test_who_creates_an_object_is_given_rights_on_it(storage: Storage) -> None:
    grants = in_memory()
    client = notes(ObjectPermissions(grants), storage)
    ada, bob = As(client, "ada"), As(client, "bob")
    problem(ada.post("/things/", {"text": "new"}), 403, "permission-denied")
    grants.assign(Group("editors"), "add", "things")
    made = ada.post("/things/", {"text": "new"}).headers["Location"]
    assert bob.get(made).status_int == 404
    assert ada.patch(made, {"text": "newer"}).status_int == 200
    grants.assign(BOB, "view", "things", 6)
    assert bob.get(made).status_int == 200
    assert ada.delete(made).status_int == 204
    assert grants.list(resource="things", pk=6) == []


def test_rights_of_creators_can_be_chosen() -> None:
    grants = in_memory()
    grants.assign(ADA, "add", "things")
    client = notes(ObjectPermissions(grants, creator="view"))
    assert As(client, "ada").post("/things/", [{"text": "a"}, {"text": "b"}]).status_int == 201
    assert As(client, "ada").values("/things/") == [6, 7]
    assert As(client, "ada").patch("/things/6/", {"text": "c"}).status_int == 403
    none = As(notes(ObjectPermissions(grants, creator="")), "ada")
    assert none.post("/things/", {"text": "c"}).status_int == 201


def test_what_was_granted_on_an_object_is_not_granted_on_another_of_its_name() -> None:
    grants = in_memory()
    grants.assign(ADA, "add", "things")
    grants.assign(BOB, "view|change", "things", "plan")  # left behind by an object that is long gone
    options = {"options": {"permissions": ObjectPermissions(grants), "authentication": ByHeader()}}
    client = serve(over_list([{"slug": "kept", "text": "x"}], model=Page, controller=options))
    ada, bob = As(client, "ada"), As(client, "bob")
    grants.assign(BOB, "view", "things", "kept")
    assert ada.post("/things/", {"slug": "plan"}).status_int == 201
    assert bob.get("/things/plan/").status_int == 404
    # one that is there keeps what is granted on it
    assert ada.post("/things/", {"slug": "kept"}).status_int == 409
    assert bob.get("/things/kept/").status_int == 200


def test_they_compose(storage: Storage) -> None:
    grants = in_memory()
    client = notes(ObjectPermissions(grants) | IsOwner() | IsAdminUser(), storage)
    grants.assign(BOB, "view", "things", 1)
    bob = As(client, "bob")
    mine = bob.post("/things/", {"text": "mine"}).headers["Location"]
    assert bob.values("/things/") == [1, 6]
    assert bob.patch(mine, {"text": "still"}).status_int == 200
    assert bob.patch("/things/1/", {"text": "not mine"}).status_int == 403
    assert len(As(client, "root").values("/things/")) == 6


def test_rights_on_a_resource_decide_by_verb() -> None:
    grants = in_memory()
    client = notes(ModelPermissions(grants))
    grants.assign(ADA, "view|add", "things")
    grants.assign(ADA, "delete", "things", 1)  # of one object: not the resource's
    ada = As(client, "ada")
    assert [ada.get("/things/").status_int, ada.post("/things/", {"text": "x"}).status_int] == [200, 201]
    assert [ada.delete("/things/1/").status_int, ada.patch("/things/1/", {"text": "x"}).status_int] == [403, 403]
    assert As(client, "bob").get("/things/").status_int == 403


def test_an_expansion_goes_by_the_grants_of_what_it_leads_to() -> None:
    """The key that the request names is not taken for one of the other resource's."""
    grants = in_memory()
    child = type(
        "Child", (models.Model,), {"fields": [models.PkField("id"), models.IntForeign("note", resource="things")]}
    )
    data = [{"id": 1, "note": 2}, {"id": 2, "note": 1}]
    options = {"options": {"permissions": ObjectPermissions(grants), "authentication": ByHeader()}}
    app = serve(
        over_list(rows(), model=Note, controller=options),
        over_list(
            data,
            model=child,
            resource={"resource_name": "children"},
            controller={"options": {"authentication": ByHeader()}},
        ),
    )
    grants.assign(ADA, "view", "things", 1)
    ada = As(app, "ada")
    assert ada.get("/children/1/").json["note"] == 2
    expanded = [ada.get(f"/children/{pk}/?expand=note").json["note"] for pk in (1, 2)]
    assert expanded[0] is None
    assert expanded[1]["text"] == "note 1"


def test_a_plain_endpoint_has_no_objects() -> None:
    route = Route("/hello", lambda request: {"hello": request.user.name}, methods=["GET", "POST"])
    app = Client(
        WSGIDispatcher([], authentication=ByHeader(), permissions=ObjectPermissions(in_memory()), routes=[route])
    )
    assert [As(app, "ada").ask(verb, "/hello").status_int for verb in ("GET", "POST")] == [200, 200]
    assert As(app, None).get("/hello").status_int == 401


# --- many, and none at all --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_a_caller_may_hold_ten_thousand(kind: str, tmp_path: Path) -> None:
    """As many values as that fit into one statement of each database; the rest of the table is nobody's."""
    (tmp_path / "grants").mkdir()
    (tmp_path / "notes").mkdir()
    many = [{"id": n, "text": "x", "owner": None} for n in range(1, 12_001)]
    with store_of(kind, tmp_path / "grants") as store, opened(kind, tmp_path / "notes", Note(), many) as place:
        grants = Grants(store)
        held = [{"holder": 'user:"ada"', "resource": "things", "right": "view"} for _ in range(10_000)]
        store.atomic(lambda tx: tx.insert([{**one, "object": str(n + 1)} for n, one in enumerate(held)]))
        cls, data, options = place
        resource = {"resource_name": "things", "resource": data, "datastore": cls, "model": Note, "options": options}
        chosen = {"options": {"permissions": ObjectPermissions(grants), "authentication": ByHeader()}}
        ada = As(serve(make_controller(resource, chosen)), "ada")
        assert ada.get("/things/?count=5&text=x&ordering=-id").json["meta"]["total_count"] == 10_000
        assert ada.values("/things/?count=2&ordering=-id") == [10_000, 9_999]
        assert [ada.get(f"/things/{pk}/").status_int for pk in (1, 10_000, 10_001)] == [200, 200, 404]


def test_too_many_are_refused_with_a_remedy() -> None:
    grants = Grants(PythonListDataStore([]), most=3)
    for pk in range(1, 5):
        grants.assign(ADA, "view", "things", pk)
    ada = As(notes(ObjectPermissions(grants)), "ada")
    assert ada.get("/things/4/").status_int == 200
    assert "give it to a group, or on the whole resource" in problem(ada.get("/things/"), 501, "unsupported")["detail"]
    grants.assign(ADA, "view", "things")
    assert len(ada.values("/things/")) == 5


def test_an_object_whose_grants_cannot_be_written_is_there_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    grants = in_memory()
    grants.assign(ADA, "add", "things")
    ada = As(notes(ObjectPermissions(grants)), "ada")

    def failing(work: Any) -> Any:
        raise StoreUnavailable("down")

    monkeypatch.setattr(grants.store, "atomic", failing)
    assert ada.post("/things/", {"text": "x"}).status_int == 201
    assert "ObjectPermissions.written has failed" in caplog.text
    assert ada.get("/things/6/").status_int == 404
    monkeypatch.undo()
    grants.assign(ADA, "view", "things", 6)
    assert ada.get("/things/6/").status_int == 200


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_in_one_database_an_object_is_kept_with_the_grants_of_its_creator_or_not_at_all(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(kind, tmp_path, Note(), []) as (cls, data, options):
        beside = {**data, "table": f"{data['table']}_grants"}
        grants = Grants(cls(beside))
        resource = {"resource_name": "things", "resource": data, "datastore": cls, "model": Note, "options": options}
        chosen = {"permissions": ObjectPermissions(grants) | IsAdminUser(), "authentication": ByHeader()}
        client = serve(make_controller(resource, {"options": chosen}))
        ada, root = As(client, "ada"), As(client, "root")
        grants.assign(ADA, "add", "things")
        assert [ada.post("/things/", [{"text": "a"}, {"text": "b"}]).status_int, len(grants.list(ADA))] == [201, 7]
        assert root.post("/things/", {"text": "c"}).status_int == 201
        assert grants.list(USERS["root"]) == []
        add = Grants.assign

        def failing(*given: Any) -> None:
            add(*given)
            raise StoreUnavailable("down")

        monkeypatch.setattr(Grants, "assign", failing)
        assert ada.post("/things/", {"text": "d"}).status_int == 503
        assert [len(root.values("/things/")), len(grants.list(ADA))] == [3, 7]
        grants.store.close()


def test_rights_are_given_in_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    grants = in_memory()
    steps: list[Any] = []
    atomic = grants.store.atomic
    monkeypatch.setattr(grants.store, "atomic", lambda work: (steps.append(work), atomic(work))[1])
    grants.assign(ADA, "view", "things", 1)
    grants.assign(ADA, "view|change|delete", "things", 1)
    assert len(steps) == 2
    assert {one.right for one in grants.list(ADA)} == {"view", "change", "delete"}


def test_what_somebody_else_gives_at_the_same_time_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    grants = in_memory()

    def too_late(work: Any) -> Any:
        monkeypatch.undo()
        grants.assign(ADA, "view", "things", 1)
        raise Conflict("is there already", code="unique")

    monkeypatch.setattr(grants.store, "atomic", too_late)
    grants.assign(ADA, "view|change", "things", 1)
    assert sorted(one.right for one in grants.list(ADA)) == ["change", "view"]


@pytest.mark.parametrize("error", [StoreUnavailable("down"), RemoteError("broken")])
def test_grants_that_cannot_be_read_are_a_503(error: StoreUnavailable, monkeypatch: pytest.MonkeyPatch) -> None:
    grants = in_memory()
    ada = As(notes(ObjectPermissions(grants)), "ada")

    def failing(query: Any) -> Any:
        raise error

    monkeypatch.setattr(grants.store, "find", failing)
    for reply in (
        ada.get("/things/"),
        ada.get("/things/1/"),
        ada.delete("/things/1/"),
        ada.post("/things/", {"text": "x"}),
    ):
        assert problem(reply, 503, "store-unavailable")
        assert reply.headers["Retry-After"] == "5"
    assert ada.get("/things/").json["detail"] == "the data cannot be reached at the moment"


def test_forgetting_an_empty_key_forgets_nothing_of_the_whole_resource() -> None:
    grants = in_memory()
    grants.assign(ADA, "view", "pages")
    grants.forget("pages", "")
    assert grants.check(ADA, "view", "pages")
