"""What becomes of the records that refer to a deleted one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datastores import SQLiteDataStore
from rest_kit import models
from rest_kit.relations import deletion
from tests.http.relation_samples import PAIRS, listed, shelf
from tests.http.support import Client, Storage, faults, make_controller, problem, serve


@pytest.mark.parametrize("pair", PAIRS)
def test_what_others_refer_to_stays(pair: str, tmp_path: Path) -> None:
    client = shelf(pair, tmp_path)
    document = problem(client.delete("/authors/1/"), 409, "conflict")
    assert document["detail"] == "others refer to this: 2 of 'books' by 'author_id'"
    assert problem(client.delete("/authors/?id__in=1,2"), 409, "conflict")["detail"].startswith(
        "others refer to this: 3 "
    )
    assert client.values("/authors/") == [1, 2, 3]
    assert client.get("/authors/2/").json["mentor"] == 1
    assert client.delete("/authors/3/").status_int == 204


@pytest.mark.parametrize("pair", PAIRS)
def test_they_go_too(pair: str, tmp_path: Path) -> None:
    client = shelf(pair, tmp_path, deletion="cascade")
    assert client.delete("/authors/1/").status_int == 204
    assert client.values("/books/") == [3, 4]
    assert client.get("/authors/2/").json["mentor"] is None
    assert client.delete("/authors/?id__gte=2").status_int == 204
    assert client.values("/books/") == [4]


@pytest.mark.parametrize("pair", PAIRS)
def test_they_lose_the_key(pair: str, tmp_path: Path) -> None:
    client = shelf(pair, tmp_path, deletion="set_null")
    assert client.delete("/authors/1/").status_int == 204
    assert client.values("/books/", "author_id") == [None, None, 2, None]


@pytest.mark.parametrize("pair", PAIRS)
def test_nothing_changes_unless_the_conditions_hold(pair: str, tmp_path: Path) -> None:
    client = shelf(pair, tmp_path, deletion="cascade")
    assert client.delete("/authors/1/", If_Match='"other"').status_int == 412
    assert client.delete("/authors/9/").status_int == 404
    assert client.values("/books/") == [1, 2, 3, 4]
    tag = client.get("/authors/1/?expand=books").headers["ETag"]
    assert client.delete("/authors/1/", If_Match=tag).status_int == 204


def tree(**rules: Any) -> Any:
    """Three resources, each referring to the one before it by the rules given, and the last to the first as well."""
    b = models.IntForeign("a", resource="as", on_delete=rules["b"])
    c = models.IntForeign("b", resource="bs", on_delete=rules["c"])
    return serve(
        listed("as", [{"id": 1}, {"id": 2}]),
        listed("bs", [{"id": n, "a": 1 + n % 2} for n in range(1, 5)], b),
        listed("cs", [{"id": n, "b": 1 + n % 4} for n in range(1, 9)], c),
    )


def test_each_level_follows_its_own_rule() -> None:
    client = tree(b="cascade", c="cascade")
    assert client.delete("/as/1/").status_int == 204
    assert (client.values("/bs/"), client.values("/cs/", "b")) == ([1, 3], [3, 1, 3, 1])
    client = tree(b="cascade", c="set_null")
    assert client.delete("/as/1/").status_int == 204
    assert client.values("/cs/", "b") == [None, 3, None, 1, None, 3, None, 1]
    client = tree(b="cascade", c="restrict")
    assert problem(client.delete("/as/1/"), 409, "conflict")["detail"] == "others refer to this: 4 of 'cs' by 'b'"
    assert len(client.values("/bs/")) == 4


@pytest.mark.parametrize("rule", ["cascade", "set_null", "restrict"])
def test_cycles_end(rule: Any) -> None:
    parent = models.IntForeign("parent", resource="nodes", on_delete=rule)
    rows = [{"id": 1, "parent": 3}, {"id": 2, "parent": 1}, {"id": 3, "parent": 2}, {"id": 4, "parent": 4}]
    client = serve(listed("nodes", rows, parent))
    assert client.delete("/nodes/4/").status_int == 204
    expected = {"cascade": (204, []), "set_null": (204, [2, 3]), "restrict": (409, [1, 2, 3])}[rule]
    assert (client.delete("/nodes/1/").status_int, client.values("/nodes/")) == expected


def test_a_deletion_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "MAX_RECORDS", 10)
    monkeypatch.setattr(deletion, "BATCH", 3)
    rule = models.IntForeign("a", resource="as", on_delete="cascade")
    client = serve(
        listed("as", [{"id": 1}, {"id": 2}]), listed("bs", [{"id": n, "a": 1 + (n > 10)} for n in range(1, 22)], rule)
    )
    assert "more than 10 records" in problem(client.delete("/as/2/"), 409, "conflict")["detail"]
    assert client.delete("/as/1/").status_int == 204
    assert len(client.values("/bs/")) == 11


def test_what_goes_itself_forbids_nothing() -> None:
    b = models.IntForeign("a", resource="as", on_delete="cascade")
    c = [models.IntForeign("a", resource="as", on_delete="cascade"), models.IntForeign("b", resource="bs")]
    client = serve(
        listed("as", [{"id": 1}]), listed("bs", [{"id": 1, "a": 1}], b), listed("cs", [{"id": 1, "a": 1, "b": 1}], *c)
    )
    assert client.delete("/as/1/").status_int == 204
    assert client.values("/cs/") == client.values("/bs/") == []


def test_every_deleted_child_is_an_event(tmp_path: Path) -> None:
    rule = models.IntForeign("a", resource="as", on_delete="cascade")
    children = Storage("sqlite", tmp_path).controller(
        type("Child", (models.Model,), {"fields": [models.PkField("id"), rule]}), [{"id": 1, "a": 1}], name="bs"
    )
    client = serve(listed("as", [{"id": 1}]), children)
    assert client.delete("/as/1/").status_int == 204
    assert children.spec_ is not None
    log = children.spec_.store.changes()
    assert log is not None
    assert [(event.action, event.pk) for event in log.read(0, 10)][-1:] == [("deleted", 1)]


def test_the_database_s_own_order_is_found(tmp_path: Path) -> None:
    place = {"name": str(tmp_path / "one.db")}

    def key(name: str, target: str) -> models.Field:
        return models.IntForeign(name, resource=target, references=f"{target}.id", on_delete="cascade")

    client = serve(
        table(place, "as", key("up", "as")),
        table(place, "cs", key("a", "as"), key("b", "bs")),
        table(place, "bs", key("a", "as")),
    )
    for path, sent in (("as", {}), ("as", {"up": 1}), ("as", {"up": 2}), ("bs", {"a": 3}), ("cs", {"a": 1, "b": 1})):
        assert client.post(f"/{path}/", sent).status_int == 201
    assert client.delete("/as/1/").status_int == 204
    assert client.values("/as/") == client.values("/bs/") == client.values("/cs/") == []


def lineage(folder: Path, rule: Any) -> Client:
    """A line of four, each referring to the one before it, in a database that holds them to it."""
    up = models.IntForeign("up", resource="nodes", references="nodes.id", on_delete=rule)
    client = serve(table({"name": str(folder / "line.db")}, "nodes", up))
    for parent in (None, 1, 2, 3):
        assert client.post("/nodes/", {"up": parent}).status_int == 201
    return client


@pytest.mark.parametrize("rule", ["cascade", "set_null", "restrict"])
def test_what_refers_to_each_other_goes_in_the_order_that_the_database_takes(rule: Any, tmp_path: Path) -> None:
    client = lineage(tmp_path, rule)
    assert client.delete("/nodes/?id__in=2,3,4").status_int == 204
    assert client.values("/nodes/") == [1]
    assert client.post("/nodes/", {"up": 1}).status_int == 201
    assert client.delete("/nodes/?id__gte=1").status_int == 204
    assert client.values("/nodes/") == []


def test_what_lies_between_two_that_are_named_goes_with_them(tmp_path: Path) -> None:
    client = lineage(tmp_path, "cascade")
    assert client.delete("/nodes/?id__in=1,3").status_int == 204
    assert client.values("/nodes/") == []


@pytest.mark.parametrize("rule", ["cascade", "set_null", "restrict"])
def test_what_goes_too_may_refer_to_each_other(rule: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "BATCH", 2)
    place = {"name": str(tmp_path / "blog.db")}
    post = models.IntForeign("post", resource="posts", references="posts.id", on_delete="cascade")
    parent = models.IntForeign("parent", resource="comments", references="comments.id", on_delete=rule)
    client = serve(table(place, "posts"), table(place, "comments", post, parent))
    assert client.post("/posts/", {}).status_int == 201
    for number in range(7):
        sent = {"post": 1, "parent": number // 2 or None}
        assert client.post("/comments/", sent).status_int == 201
    assert client.delete("/posts/1/").status_int == 204
    assert client.values("/comments/") == []


def table(place: dict[str, str], name: str, *fields: models.Field) -> Any:
    """A controller over a table of an SQLite file, with an integer key and these fields."""
    model = type("Row", (models.Model,), {"fields": [models.PkField("id"), *fields]})
    resource = {"resource_name": name, "resource": {**place, "table": name}, "datastore": SQLiteDataStore}
    return make_controller({**resource, "model": model})


def test_a_database_that_deletes_by_itself_may_be_asked_for_both(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE nodes (id INTEGER PRIMARY KEY, up REFERENCES nodes ON DELETE CASCADE)")
        connection.execute("INSERT INTO nodes VALUES (1, NULL), (2, 1), (3, 2)")
    connection.close()
    place = {"name": str(path), "table": "nodes"}
    client = serve(make_controller({"resource_name": "nodes", "resource": place, "datastore": SQLiteDataStore}))
    assert client.delete("/nodes/?id__gte=1").status_int == 204
    assert client.values("/nodes/") == []


def meanwhile(monkeypatch: pytest.MonkeyPatch, controller: Any, method: str, change: Callable[[], object]) -> None:
    """Let something happen just before the store of a controller is next asked for something."""
    store = controller.spec_.store
    asked = getattr(store, method)

    def first(argument: Any) -> Any:
        monkeypatch.undo()
        change()
        return asked(argument)

    monkeypatch.setattr(store, method, first)


@pytest.mark.parametrize("rule", ["cascade", "set_null"])
@pytest.mark.parametrize("together", [True, False])
def test_conditions_that_fail_meanwhile_leave_the_children(
    together: bool, rule: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, key = models.StringField("name"), models.IntForeign("a", resource="as", on_delete=rule)
    places = [{"name": str(tmp_path / file)} for file in ("a.db", "a.db" if together else "b.db")]
    parents, children = table(places[0], "as", name), table(places[1], "bs", key)
    client = serve(parents, children)
    assert client.post("/as/", {"name": "Ada"}).status_int == 201
    assert client.post("/bs/", [{"a": 1}, {"a": 1}]).status_int == 201
    tag = client.get("/as/1/").headers["ETag"]
    place = (parents, "atomic") if together else (children, "find")
    meanwhile(monkeypatch, *place, lambda: client.patch("/as/1/", {"name": "Bob"}))
    assert client.delete("/as/1/", If_Match=tag).status_int == 412
    assert client.get("/as/1/").json["name"] == "Bob"
    assert client.values("/bs/", "a") == [1, 1]


def test_what_is_found_no_more_keeps_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, key = models.StringField("name"), models.IntForeign("a", resource="as", on_delete="cascade")
    children = listed("bs", [{"id": 1, "a": 1}, {"id": 2, "a": 2}], key)
    client = serve(listed("as", [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Ada"}], name), children)
    meanwhile(monkeypatch, children, "find", lambda: client.patch("/as/2/", {"name": "Bob"}))
    assert "changed meanwhile" in problem(client.delete("/as/?name=Ada"), 409, "conflict")["detail"]
    assert client.values("/as/") == client.values("/bs/") == [1, 2]


def test_what_was_not_foreseen_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[dict[str, Any]] = [{"id": 1, "name": "Bob"}, {"id": 2, "name": "Ada"}]
    parents = listed("as", rows, models.StringField("name"))
    children = listed("bs", [], models.IntForeign("a", resource="as"))
    client = serve(parents, children)
    assert children.spec_ is not None
    store, find = children.spec_.store, children.spec_.store.find

    def meanwhile(query: Any) -> Any:
        monkeypatch.undo()
        assert client.patch("/as/2/", {"name": "Bob"}).status_int == 200
        return find(query)

    monkeypatch.setattr(store, "find", meanwhile)
    document = problem(client.delete("/as/?name=Bob"), 409, "conflict")
    assert "changed meanwhile" in document["detail"]
    assert client.values("/as/") == [1, 2]


def test_a_key_that_was_not_looked_up_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    key = models.IntForeign("a", resource="as")
    other = models.IntForeign("b", resource="as")
    parents, children = listed("as", [{"id": 1}]), listed("bs", [{"id": 1, "a": 1, "b": None}], key, other)
    client = serve(parents, children)
    assert parents.spec_ is not None
    store, find = parents.spec_.store, parents.spec_.store.find

    def meanwhile(query: Any) -> Any:
        monkeypatch.undo()
        assert client.patch("/bs/1/", {"a": None}).status_int == 200
        return find(query)

    monkeypatch.setattr(store, "find", meanwhile)
    reply = client.put("/bs/1/", {"a": 1, "b": 1})
    assert faults(reply, 409, "conflict") == [("#/a", "stale")]
    assert client.get("/bs/1/").json["a"] is None
