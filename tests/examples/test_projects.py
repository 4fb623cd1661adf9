"""Projects and tasks behind several workers: people register, log in, and have their things to themselves."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from datastores import SQLiteDataStore
from rest_kit.authentication import UserModel, Users
from tests.cli.support import Answer, ask
from tests.examples.support import under_gunicorn

PASSWORD = "correct horse battery staple"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[str]:
    with under_gunicorn("examples.projects:app", tmp_path, "--workers", "3", "--threads", "4") as served:
        yield f"{served}/api"


class Caller:
    """Somebody who registers, unless known already, and sends the token along.

    The example admits ten requests of a user in a second: no test lets one caller send more.
    """

    def __init__(self, api: str, name: str, *, registers: bool = True) -> None:
        self.api = api
        login = {"username": name, "password": PASSWORD}
        if registers:
            made = ask(f"{api}/users/", "POST", login)
            assert (made.status, made.data["username"], "password" in made.data) == (201, name, False)
        self.token = ask(f"{api}/login", "POST", login).data["token"]

    def ask(self, method: str, path: str, data: Any = None, **headers: str) -> Answer:
        return ask(self.api + path, method, data, Authorization=f"Token {self.token}", **headers)

    def titles(self, path: str) -> list[str]:
        """The titles in a list."""
        return [task["title"] for task in self.ask("GET", path).data["object_list"]]


def begin(caller: Caller, *titles: str) -> list[dict[str, Any]]:
    """A project of the caller's with these tasks, the project first."""
    project = caller.ask("POST", "/projects/", {"name": "Garden"}).data
    tasks = [{"title": title, "project_id": project["id"]} for title in titles]
    return [project, *caller.ask("POST", "/tasks/", tasks).data]


def test_two_users_do_not_see_each_other(api: str) -> None:
    ada, bob = Caller(api, "ada"), Caller(api, "bob")
    project, task = begin(ada, "Dig")
    begin(bob, "Sow")
    assert (ada.titles("/tasks/"), bob.titles("/tasks/")) == (["Dig"], ["Sow"])
    assert bob.ask("GET", "/projects/").data["meta"]["total_count"] == 1
    assert bob.ask("GET", "/tasks/?search=dig").data["meta"]["total_count"] == 0
    for method, body in (("GET", None), ("PATCH", {"title": "Mine"}), ("DELETE", None)):
        assert bob.ask(method, f"/tasks/{task['id']}/", body).status == 404
    stolen = bob.ask("POST", "/tasks/", {"title": "Weed", "project_id": project["id"]})
    assert (stolen.status, stolen.data["errors"][0]["code"]) == (409, "foreign_key")
    assert ada.titles("/tasks/?expand=project") == ["Dig"]


def test_who_is_not_logged_in_sees_nothing(api: str) -> None:
    for path in ("/tasks/", "/projects/", "/me"):
        refused = ask(api + path)
        assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Token realm="api"')
    ada = Caller(api, "ada")
    assert [ada.ask("GET", path).status for path in ("/users/", "/users/1/", "/users/1/projects/")] == [405, 405, 404]
    assert ada.ask("GET", "/me").data == {"id": 1, "username": "ada"}
    boast = ask(f"{api}/users/", "POST", {"username": "eve", "password": PASSWORD, "is_admin": True})
    assert [fault["code"] for fault in boast.data["errors"]] == ["read_only"]


def test_an_admin_sees_all(api: str, tmp_path: Path) -> None:
    begin(Caller(api, "ada"), "Dig")
    people = Users(SQLiteDataStore({"name": str(tmp_path / "projects.db"), "table": "users"}), model=UserModel)
    people.create("root", PASSWORD, is_admin=True)
    people.store.close()
    root = Caller(api, "root", registers=False)
    assert root.titles("/tasks/") == ["Dig"]


def test_a_task_is_completed_found_and_deleted_with_its_project(api: str) -> None:
    ada = Caller(api, "ada")
    project, dig, _ = begin(ada, "Dig", "Sow")
    assert (dig["completed"], dig["owner"], dig["created_at"][-1]) == (False, 1, "Z")
    assert [ada.ask("POST", f"/tasks/{dig['id']}/toggle/").data["completed"] for _ in range(3)] == [True, False, True]
    assert ada.titles("/tasks/?completed=true") == ["Dig"]
    assert ada.titles(f"/projects/{project['id']}/tasks/?completed=false") == ["Sow"]
    assert ada.ask("DELETE", f"/projects/{project['id']}/").status == 204
    assert ada.titles("/tasks/") == []


def test_a_task_that_is_sent_again_is_made_once(api: str) -> None:
    ada = Caller(api, "ada")
    [project] = begin(ada)[:1]
    task = {"title": "Dig", "project_id": project["id"]}

    def post(_: int) -> Answer:
        return ada.ask("POST", "/tasks/", task, **{"Idempotency-Key": "9b2f"})

    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(post, range(6)))
    assert [(reply.status, reply.data) for reply in replies] == [(201, replies[0].data)] * 6
    assert ada.titles("/tasks/") == ["Dig"]


def test_all_workers_count_together(api: str) -> None:
    ada = Caller(api, "ada")
    replies = [ada.ask("GET", "/me") for _ in range(5)]
    assert {reply.headers["RateLimit-Policy"] for reply in replies} == {
        '"user-1s";q=10;w=1, "user-3600s";q=1000;w=3600'
    }
    left = [reply.headers["RateLimit"].partition('"user-3600s";r=')[2].partition(";")[0] for reply in replies]
    assert left == ["999", "998", "997", "996", "995"]


def test_guessing_is_limited_over_all_workers(api: str) -> None:
    Caller(api, "ada")
    guesses = [ask(f"{api}/login", "POST", {"username": "ada", "password": f"guess {n}"}) for n in range(12)]
    assert [guess.status for guess in guesses] == [401] * 9 + [429] * 3
    assert guesses[0].data["detail"] == "Invalid credentials"
    assert int(guesses[-1].headers["Retry-After"]) > 0
