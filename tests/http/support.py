"""A client that any WSGI application answers, checked from both sides, and the three stores to put behind it.

`Storage.client(model, rows)` is the usual way in: it fills a list, an SQLite file or a CSV file, serves it, and gives
back a `Client`. What a test says of one store it says of all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from wsgiref.validate import validator

from webtest import TestApp, TestResponse

from datastores import CSVDataStore, PythonListDataStore, SQLiteDataStore
from rest_kit import jsonio
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.models import Model
from rest_kit.store import DataStore
from rest_kit.types import Record

ABSENT: Any = object()
"""Says that a request has no body."""


class Client:
    """Sends requests to a WSGI application; validators watch what goes in and what comes out."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application
        self._app = TestApp(validator(application))

    def ask(
        self,
        method: str,
        path: str,
        json: Any = ABSENT,
        *,
        body: bytes | None = None,
        type: str | None = "application/json",
        environ: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> TestResponse:
        """One request; headers are given by their names with `_` for `-`. `json` is encoded, `body` is sent as is."""
        path = "".join(c if c.isascii() else quote(c) for c in path)
        content = jsonio.dumps(json) if json is not ABSENT else body
        extra: dict[str, Any] = {"REQUEST_METHOD": method, **(environ or {})}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None and type is not None:
            sent["Content-Type"] = type
        return self._app.request(
            path, method=method, body=content or b"", headers=sent, environ=extra, expect_errors=True
        )

    def get(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("GET", path, **rest)

    def head(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("HEAD", path, **rest)

    def options(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("OPTIONS", path, **rest)

    def post(self, path: str, json: Any = ABSENT, **rest: Any) -> TestResponse:
        return self.ask("POST", path, json, **rest)

    def put(self, path: str, json: Any = ABSENT, **rest: Any) -> TestResponse:
        return self.ask("PUT", path, json, **rest)

    def patch(self, path: str, json: Any = ABSENT, **rest: Any) -> TestResponse:
        return self.ask("PATCH", path, json, **rest)

    def delete(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("DELETE", path, **rest)

    def objects(self, path: str) -> list[Any]:
        """The objects of a list that is there."""
        reply = self.get(path)
        assert reply.status_int == 200, reply.text
        found: list[Any] = reply.json["object_list"]
        return found

    def values(self, path: str, name: str = "id") -> list[Any]:
        """One member of each object of a list that is there."""
        return [obj[name] for obj in self.objects(path)]


def problem(reply: TestResponse, status: int, slug: str) -> dict[str, Any]:
    """The problem document of a reply, checked as far as all of them are alike."""
    assert reply.status_int == status, reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = reply.json
    assert document["status"] == status
    assert document["type"].endswith(f"/docs/errors/{slug}/")
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == reply.headers["X-Request-ID"]
    assert set(document) <= {"type", "title", "status", "detail", "request_id", "errors"}
    return document


def faults(reply: TestResponse, status: int = 400, slug: str = "invalid-input") -> list[tuple[str, str]]:
    """Where and why, for each of a problem's errors: a pointer, or a parameter's name, and the code."""
    return [
        (one.get("pointer", one.get("parameter", one.get("header"))), one["code"])
        for one in problem(reply, status, slug)["errors"]
    ]


def complaint(reply: TestResponse) -> dict[str, str]:
    """The one error of a refused query."""
    errors = problem(reply, 400, "invalid-parameter")["errors"]
    assert len(errors) == 1, errors
    found: dict[str, str] = errors[0]
    return found


def allowed(reply: TestResponse) -> list[str]:
    """The verbs of the Allow header, in its order."""
    return str(reply.headers["Allow"]).split(", ")


_SERIAL = itertools.count(1)


@dataclass
class Storage:
    """One kind of store, and a folder for its files."""

    kind: str
    folder: Path
    store_class: type[DataStore] = field(init=False)

    def __post_init__(self) -> None:
        stores = {"list": PythonListDataStore, "sqlite": SQLiteDataStore, "csv": CSVDataStore}
        self.store_class = stores[self.kind]

    def place(self, rows: Sequence[Mapping[str, Any]] = ()) -> Any:
        """A new `resource["resource"]`; only the list holds its rows already."""
        serial = next(_SERIAL)
        if self.kind == "list":
            return [dict(row) for row in rows]
        if self.kind == "sqlite":
            return {"name": str(self.folder / f"{serial}.db"), "table": "things"}
        return {"path": str(self.folder / f"{serial}.csv")}

    def filled(self, model: type[Model], rows: Sequence[Mapping[str, Any]]) -> Any:
        """A new `resource["resource"]` holding the rows."""
        place = self.place(rows)
        if self.kind != "list" and rows:
            self._fill(place, model(), rows)
        return place

    def _fill(self, place: Any, model: Model, rows: Sequence[Mapping[str, Any]]) -> None:
        store = self.store_class(place)
        store.bind(model)
        records: list[Record] = [{name: row.get(name) for name in model.names if name in row} for row in rows]
        whole = [{name: record.get(name) for name in model.names} for record in records]
        store.atomic(lambda tx: tx.insert(whole))
        store.close()

    def controller(
        self, model: type[Model], rows: Sequence[Mapping[str, Any]] = (), *, name: str = "things", **dicts: Any
    ) -> type[Controller]:
        """A controller over the rows; `dicts` may hold `controller`, `view` and the resource's `options`."""
        resource = {"resource_name": name, "model": model, "datastore": self.store_class}
        resource["resource"] = self.filled(model, rows)
        return make_controller({**resource, "options": dicts.pop("options", {})}, **dicts)

    def client(self, model: type[Model], rows: Sequence[Mapping[str, Any]] = (), **dicts: Any) -> Client:
        """A client of a dispatcher with one controller over the rows, at `/things/` unless named otherwise."""
        return serve(self.controller(model, rows, **dicts))


def make_controller(resource: Any, controller: Any = None, view: Any = None) -> type[Controller]:
    """A Controller class of three dicts."""
    members = {"resource": resource, "controller": controller or {}, "view": view or {}}
    return type("Things", (Controller,), members)


def serve(*controllers: type[Controller], **arguments: Any) -> Client:
    """A client of a dispatcher."""
    return Client(WSGIDispatcher(list(controllers), **arguments))


def over_list(rows: list[dict[str, Any]], *, model: type[Model] | None = None, **dicts: Any) -> type[Controller]:
    """A controller over a list, for what no store has a part in; served at `/things/`."""
    resource: dict[str, Any] = {"resource_name": "things", "resource": rows, "datastore": PythonListDataStore}
    resource.update(dicts.pop("resource", {}))
    if model is not None:
        resource["model"] = model
    return make_controller(resource, **dicts)
