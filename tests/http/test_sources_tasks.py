"""The quick example of an article on APIs for tasks and projects, from its model to its last `curl` line.

People log in with tokens, tasks belong to their makers, and two actions complete them. Over every store.
"""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from webtest import TestResponse

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.authentication import TokenAuthentication, Tokens, Users
from rest_kit.controllers import Controller, WSGIDispatcher, action
from rest_kit.errors import ConfigurationError
from rest_kit.permissions import AllowAny, IsAdminUser, IsAuthenticated, IsOwner, Permission
from tests.auth.support import rows as user_rows
from tests.http.support import ABSENT, Client, Storage, allowed, complaint, faults, problem

ADA, BOB, ROOT = 1, 2, 4


class Task(models.Model):
    fields = [
        models.PkField("id"),
        models.StringField("title", required=True, max_length=200),
        models.TextField("description", nullable=True),
        models.BooleanField("completed", default=False),
        models.DateTimeField("created_at", auto_now_add=True),
        models.IntegerField("owner", read_only=True),
    ]


class TaskActions(Controller):
    """The article's actions, for any store."""

    @action(detail=True, methods=["POST"])
    def toggle(self, request, id):  # type: ignore[no-untyped-def]
        """Complete a task, or take that back."""
        task = self.get_object(request, id)
        task.completed = not task.completed
        task.save()
        return {"completed": task.completed}

    @action(detail=False, methods=["POST"])
    async def complete_all(self, request):  # type: ignore[no-untyped-def]
        tasks = self.find(request, completed=False)
        for task in tasks:
            task.completed = True
        self.save_all(tasks)
        return {"status": "completed"}


def task(pk: int, title: str, owner: int, **rest: Any) -> dict[str, Any]:
    """A record, made on the 11th of May 2024 or later."""
    made = datetime.datetime(2024, 5, 10 + pk, tzinfo=datetime.UTC)
    return {
        "id": pk,
        "title": title,
        "description": None,
        "completed": False,
        "created_at": made,
        "owner": owner,
    } | rest


TASKS = [
    task(1, "Buy groceries", ADA),
    task(2, "Call Bob", ADA, completed=True, description="about the groceries"),
    task(3, "Sleep", ADA),
    task(4, "Buy groceries too", BOB),
]
QUICK: dict[str, Any] = {
    "filter_fields": ["completed"],
    "search_fields": ["title", "description"],
    "ordering": "-created_at",
}


class Site:
    """The article's API over one kind of store, and the tokens of its users."""

    def __init__(self, storage: Storage, *permissions: Permission) -> None:
        place = {"resource": storage.filled(Task, TASKS), "datastore": storage.store_class}

        class TaskApp(TaskActions):
            resource = {"resource_name": "tasks", "model": Task, **place}
            controller = {"options": {**QUICK, "permissions": list(permissions)}}

        class ProjectApp(Controller):
            resource = {"resource_name": "projects", "resource": [{"id": 1}], "datastore": PythonListDataStore}

        self.tokens = Tokens(PythonListDataStore([]), Users(PythonListDataStore(user_rows())))
        authentication = [TokenAuthentication(self.tokens)]
        self.client = Client(WSGIDispatcher([TaskApp, ProjectApp], prefix="/api", authentication=authentication))

    def ask(self, user: int | None, method: str, path: str, json: Any = ABSENT) -> TestResponse:
        """A request of somebody, with a token; of nobody, without."""
        header = {} if user is None else {"Authorization": f"Token {self.tokens.create(user).key}"}
        return self.client.ask(method, path, json, **header)

    def titles(self, user: int, query: str = "") -> list[str]:
        """The titles that somebody finds."""
        return [task["title"] for task in self.ask(user, "GET", f"/api/tasks/{query}").json["object_list"]]


@pytest.fixture
def site(storage: Storage) -> Site:
    """As the article ends: whoever is logged in has tasks of their own."""
    return Site(storage, IsAuthenticated(), IsOwner())


# --- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permissions", "statuses"),
    [
        ([AllowAny()], {None: 200, BOB: 200, ADA: 200, ROOT: 200}),
        ([IsAuthenticated()], {None: 401, BOB: 200, ADA: 200, ROOT: 200}),
        ([IsAdminUser()], {None: 401, BOB: 403, ADA: 403, ROOT: 200}),
        ([IsOwner()], {None: 401, BOB: 404, ADA: 200, ROOT: 404}),
        ([IsAuthenticated(), IsOwner()], {None: 401, BOB: 404, ADA: 200, ROOT: 404}),
        ([IsAdminUser(), IsOwner()], {None: 401, BOB: 403, ADA: 403, ROOT: 404}),
    ],
)
def test_all_classes_of_the_list_must_let_a_request_pass(
    permissions: list[Permission], statuses: dict[int | None, int], storage: Storage
) -> None:
    site = Site(storage, *permissions)
    assert {user: site.ask(user, "GET", "/api/tasks/1/").status_int for user in statuses} == statuses
    assert {user: site.ask(user, "POST", "/api/tasks/1/toggle/").status_int for user in statuses} == statuses


def test_a_class_where_an_instance_is_meant_is_told(storage: Storage) -> None:
    with pytest.raises(ConfigurationError, match="the class IsAuthenticated; it must be an instance"):
        Site(storage, IsAuthenticated)  # type: ignore[arg-type]


# --- actions ----------------------------------------------------------------------------------------------------------


def test_toggle_flips_and_tells(site: Site) -> None:
    assert site.ask(ADA, "POST", "/api/tasks/1/toggle/").json == {"completed": True}
    assert site.ask(ADA, "GET", "/api/tasks/1/").json["completed"] is True
    assert site.ask(ADA, "POST", "/api/tasks/1/toggle/").json == {"completed": False}
    assert site.ask(ADA, "POST", "/api/tasks/99/toggle/").status_int == 404
    assert site.ask(BOB, "POST", "/api/tasks/1/toggle/").status_int == 404


def test_complete_all_completes_the_callers_own(site: Site) -> None:
    assert site.ask(ADA, "POST", "/api/tasks/complete_all/").json == {"status": "completed"}
    assert site.titles(ADA, "?completed=false") == []
    assert site.titles(BOB, "?completed=false") == ["Buy groceries too"]


@pytest.mark.parametrize("path", ["/api/tasks/1/toggle/", "/api/tasks/complete_all/"])
def test_an_action_answers_its_methods_alone(path: str, site: Site) -> None:
    refused = site.ask(ADA, "GET", path)
    problem(refused, 405, "method-not-allowed")
    assert allowed(refused) == ["POST", "OPTIONS"]


# --- routing ----------------------------------------------------------------------------------------------------------


def test_a_list_of_controllers_is_all_there_is_to_routing(site: Site) -> None:
    assert site.ask(None, "GET", "/api/").json["resources"] == {"tasks": "/api/tasks/", "projects": "/api/projects/"}
    assert site.ask(None, "GET", "/api/projects/1/").status_int == 200
    assert site.ask(None, "GET", "/tasks/").status_int == 404


# --- the quick example ------------------------------------------------------------------------------------------------


def test_the_list_begins_with_the_newest(site: Site) -> None:
    assert site.titles(ADA) == ["Sleep", "Call Bob", "Buy groceries"]


def test_the_list_is_filtered_and_searched(site: Site) -> None:
    assert site.titles(ADA, "?completed=true") == ["Call Bob"]
    assert site.titles(ADA, "?search=groceries") == ["Call Bob", "Buy groceries"]
    assert complaint(site.ask(ADA, "GET", "/api/tasks/?title=Sleep"))["parameter"] == "title"


def test_a_task_is_created_from_its_title(site: Site) -> None:
    made = site.ask(ADA, "POST", "/api/tasks/", {"title": "Buy milk"})
    assert (made.status_int, made.headers["Location"]) == (201, "/api/tasks/5/")
    created = datetime.datetime.fromisoformat(made.json.pop("created_at"))
    assert created.tzinfo is not None
    assert made.json | {"created_at": None} == {
        "id": 5, "title": "Buy milk", "description": None, "completed": False, "created_at": None, "owner": ADA,
        "resource_uri": "/api/tasks/5/",
    }  # fmt: skip
    assert site.titles(ADA)[0] == "Buy milk"


def test_what_is_read_only_missing_too_long_or_unknown_is_refused_at_once(site: Site) -> None:
    sent = {"id": 9, "title": "x" * 201, "completed": "yes", "created_at": "2024-01-01T00:00:00Z", "priority": 1}
    assert sorted(faults(site.ask(ADA, "POST", "/api/tasks/", sent))) == [
        ("#/completed", "type"),
        ("#/created_at", "read_only"),
        ("#/id", "read_only"),
        ("#/priority", "unknown"),
        ("#/title", "max_length"),
    ]
    assert faults(site.ask(ADA, "POST", "/api/tasks/", {})) == [("#/title", "required")]


def test_one_task_is_read_changed_and_deleted(site: Site) -> None:
    assert site.ask(ADA, "GET", "/api/tasks/1/").json["title"] == "Buy groceries"
    changed = site.ask(ADA, "PATCH", "/api/tasks/1/", {"title": "Buy oats", "completed": True})
    assert (changed.json["title"], changed.json["completed"]) == ("Buy oats", True)
    assert site.ask(ADA, "DELETE", "/api/tasks/1/").status_int == 204
    assert site.ask(ADA, "GET", "/api/tasks/1/").status_int == 404
    for method, body in (("GET", ABSENT), ("PATCH", {"title": "Mine"}), ("DELETE", ABSENT)):
        assert site.ask(ADA, method, "/api/tasks/4/", body).status_int == 404
