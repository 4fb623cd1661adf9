"""Files of records: sent in forms or alone, shown as objects, replaced, taken away, and never left behind."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from werkzeug.exceptions import HTTPException

from datastores import PythonListDataStore, SQLDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher, action, sweep_files
from rest_kit.errors import ConfigurationError, OutcomeUnknown, PermissionDenied, StoreFull
from rest_kit.models import StoredFile
from rest_kit.permissions import ModelPermissions, Permission
from rest_kit.query import Filter, Where
from rest_kit.request import Request
from rest_kit.types import Record
from rest_kit.uploads import DirectoryStorage, FileStorage
from tests.http.access_samples import As, ByHeader
from tests.http.forms import COVER, FORM, JPEG, PNG, Album, File, albums, form, kept, send
from tests.http.support import Client, Storage, allowed, complaint, faults, make_controller, over_list, problem, serve
from tests.servers import places

OTHER = File("b.jpg", "image/jpeg", JPEG)


@pytest.fixture
def client(storage: Storage) -> Client:
    """Albums in each kind of store, none yet."""
    return albums(storage)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def created(client: Client, *parts: Any) -> dict[str, Any]:
    """The object that a form makes."""
    reply = send(client, ("title", "Blue"), *parts)
    assert reply.status_int == 201, reply.text
    found: dict[str, Any] = reply.json
    return found


# A form makes an object


def test_a_form_makes_an_object_and_the_file_comes_back(client: Client, folder: Path) -> None:
    reply = send(client, ("title", "Blue"), ("year", "1971"), ("cover", COVER))
    assert reply.status_int == 201
    assert reply.headers["Location"] == "/albums/1/"
    assert reply.json["year"] == 1971
    assert reply.json["cover"] == {
        "url": "/albums/1/cover/",
        "name": "cover of it.png",
        "type": "image/png",
        "size": len(PNG),
    }
    assert client.get("/albums/1/").json == reply.json
    assert client.objects("/albums/") == [reply.json]
    file = client.get(reply.json["cover"]["url"])
    assert (file.status_int, file.body, file.headers["Content-Type"]) == (200, PNG, "image/png")
    assert kept(folder) == [PNG]


def test_values_are_read_by_their_fields(client: Client) -> None:
    parts = (("year", "1971"), ("sold", "true"), ("released", "1971-06-22"), ("tags", '["folk", "a,b"]'))
    found = created(client, *parts)
    assert found["cover"] is None
    assert [found[name] for name, _ in parts] == [1971, True, "1971-06-22", ["folk", "a,b"]]


def test_an_input_left_empty_is_null_where_there_is_null(storage: Storage) -> None:
    client = albums(storage)
    found = created(client, ("year", ""), ("cover", File("", "application/octet-stream", b"")))
    assert (found["year"], found["cover"]) == (None, None)
    assert faults(send(client, ("title", "x"), ("sold", ""))) == [("#/sold", "type")]


def test_every_fault_of_a_form_is_told_and_nothing_stays(client: Client, folder: Path) -> None:
    parts = (("year", "late"), ("sold", "maybe"), ("tags", "folk"), ("colour", "blue"), ("cover", COVER))
    reply = send(client, ("title", "x" * 21), *parts)
    assert sorted(faults(reply)) == [
        ("#/colour", "unknown"),
        ("#/sold", "type"),
        ("#/tags", "type"),
        ("#/title", "max_length"),
        ("#/year", "type"),
    ]
    assert client.objects("/albums/") == []
    assert kept(folder) == []


def test_json_goes_on_as_before(client: Client) -> None:
    assert client.post("/albums/", {"title": "Blue"}).json["cover"] is None
    reply = client.post("/albums/", {"title": "Blue", "cover": "cover.png"})
    assert faults(reply) == [("#/cover", "file")]
    reply = client.post("/albums/", body=b"title=Blue", type="application/x-www-form-urlencoded")
    assert "application/json or multipart/form-data" in problem(reply, 415, "unsupported-media-type")["detail"]


def test_lists_are_not_changed_by_forms(client: Client, folder: Path) -> None:
    created(client)
    for method, path in (("PUT", "/albums/"), ("PATCH", "/albums/?title=Blue")):
        problem(send(client, ("cover", COVER), method=method, path=path), 415, "unsupported-media-type")
    assert kept(folder) == []


def test_only_file_fields_take_files(client: Client, folder: Path) -> None:
    assert faults(send(client, ("title", COVER), ("cover", COVER))) == [("#/title", "file")]
    assert faults(send(client, ("cover", COVER), ("colour", COVER))) == [("#/colour", "file")]
    assert faults(send(client, ("title", "Blue"), ("cover", "cover.png"))) == [("#/cover", "file")]
    assert kept(folder) == []


def test_a_file_that_is_needed_is_missed(storage: Storage) -> None:
    class Song(models.Model):
        fields = [models.PkField("id"), models.FileField("sound", required=True)]

    client = albums(storage, model=Song)
    assert faults(client.post("/albums/", {})) == [("#/sound", "required")]
    assert send(client, ("sound", File("a.ogg", "audio/ogg", b"OggS..."))).status_int == 201
    assert faults(client.patch("/albums/1/", {"sound": None})) == [("#/sound", "null")]
    assert allowed(client.options("/albums/1/sound/")) == ["GET", "HEAD", "PUT", "OPTIONS"]


# What becomes of the file


def test_an_object_is_sent_back_as_it_was_read(client: Client, folder: Path) -> None:
    found = created(client, ("cover", COVER))
    assert client.put("/albums/1/", {**found, "title": "Red"}).json == {**found, "title": "Red"}
    assert client.patch("/albums/1/", {"cover": found["cover"]}).json["cover"] == found["cover"]
    many = client.put("/albums/", [{**found, "title": "Green"}])
    assert many.json[0]["cover"] == found["cover"]
    changed = {**found, "cover": {**found["cover"], "name": "other.png"}}
    assert faults(client.put("/albums/1/", changed)) == [("#/cover", "file")]
    assert kept(folder) == [PNG]


def test_a_put_without_the_file_leaves_it(client: Client) -> None:
    found = created(client, ("cover", COVER))
    assert client.put("/albums/1/", {"title": "Red"}).json["cover"] == found["cover"]
    assert send(client, ("title", "Green"), method="PUT", path="/albums/1/").json["cover"] == found["cover"]


def test_another_file_takes_its_place(client: Client, folder: Path) -> None:
    before = created(client, ("cover", COVER))
    tag = client.get("/albums/1/").headers["ETag"]
    for method in ("PUT", "PATCH"):
        reply = send(client, ("title", "Red"), ("cover", OTHER), method=method, path="/albums/1/")
        assert reply.json["cover"] == {**before["cover"], "name": "b.jpg", "type": "image/jpeg", "size": len(JPEG)}
        assert reply.headers["ETag"] != tag
        assert kept(folder) == [JPEG]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/albums/1/", {"cover": None}),
        ("PATCH", "/albums/?title=Blue", {"cover": None}),
        ("DELETE", "/albums/1/cover/", None),
        ("DELETE", "/albums/1/", None),
        ("DELETE", "/albums/?title=Blue", None),
    ],
)
def test_what_is_taken_away_is_gone(client: Client, folder: Path, method: str, path: str, body: Any) -> None:
    created(client, ("cover", COVER))
    reply = client.ask(method, path, body) if body else client.ask(method, path)
    assert reply.status_int in (200, 204)
    problem(client.get("/albums/1/cover/"), 404, "not-found")
    assert kept(folder) == []


def test_a_json_patch_takes_it_away_too(client: Client, folder: Path) -> None:
    created(client, ("cover", COVER))
    patch = [{"op": "remove", "path": "/cover"}]
    assert client.patch("/albums/1/", patch, type="application/json-patch+json").json["cover"] is None
    assert kept(folder) == []


class Vault(models.Model):
    """An object whose file clients may set and never see, and another that they see and never set."""

    fields = [
        models.PkField("id"),
        models.StringField("title", required=True),
        models.FileField("secret", write_only=True),
        models.FileField("stamp", read_only=True),
    ]


def test_files_that_are_not_for_reading_or_not_for_writing(storage: Storage, folder: Path) -> None:
    client = albums(storage, model=Vault)
    found = created(client, ("secret", File("a.txt", "text/plain", b"hush")))
    assert "secret" not in found
    problem(client.get("/albums/1/secret/"), 404, "not-found")
    assert client.put("/albums/1/", {"title": "Red"}).status_int == 200
    assert kept(folder) == [b"hush"]
    assert faults(send(client, ("title", "x"), ("stamp", COVER))) == [("#/stamp", "read_only")]
    problem(client.put("/albums/1/stamp/", body=PNG, type="image/png"), 405, "method-not-allowed")


# One file alone


def test_a_file_is_put_and_taken_away_alone(client: Client, folder: Path) -> None:
    created(client)
    reply = client.put("/albums/1/cover/", body=PNG, type="image/png")
    assert (reply.status_int, reply.body) == (201, b"")
    assert client.get("/albums/1/cover/").headers["ETag"] == reply.headers["ETag"]
    assert client.get("/albums/1/").json["cover"]["name"] == "cover.png"
    reply = client.put(
        "/albums/1/cover/", body=JPEG, type="image/jpeg", Content_Disposition='attachment; filename="../b.jpg"'
    )
    assert reply.status_int == 204
    assert client.get("/albums/1/").json["cover"]["name"] == "b.jpg"
    assert kept(folder) == [JPEG]
    assert client.delete("/albums/1/cover/").status_int == 204
    problem(client.delete("/albums/1/cover/"), 404, "not-found")
    assert kept(folder) == []


def test_conditions_are_about_the_file(client: Client, folder: Path) -> None:
    created(client)
    url = "/albums/1/cover/"
    assert client.put(url, body=PNG, type="image/png", If_Match="*").status_int == 412
    first = client.put(url, body=PNG, type="image/png", If_None_Match="*").headers["ETag"]
    assert client.put(url, body=JPEG, type="image/jpeg", If_None_Match="*").status_int == 412
    client.patch("/albums/1/", {"title": "Red"})
    second = client.put(url, body=JPEG, type="image/jpeg", If_Match=first).headers["ETag"]
    assert client.delete(url, If_Match=first).status_int == 412
    assert kept(folder) == [JPEG]
    assert client.delete(url, If_Match=second).status_int == 204


def test_a_condition_can_be_required(storage: Storage) -> None:
    client = albums(storage, controller={"options": {"require_if_match": True}})
    created(client, ("cover", COVER))
    problem(client.put("/albums/1/cover/", body=PNG, type="image/png"), 428, "precondition-required")


def test_the_address_of_a_file(client: Client) -> None:
    created(client)
    assert allowed(client.options("/albums/1/cover/")) == ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]
    assert allowed(client.post("/albums/1/cover/")) == ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]
    for path in ("/albums/1/title/", "/albums/1/cover/x/", "/albums/2/cover/", "/albums/01/cover/", "/albums/cover/"):
        problem(client.get(path), 404, "not-found")
    assert complaint(client.get("/albums/1/cover/?x=1"))["parameter"] == "x"
    assert "multipart/form-data" in client.options("/albums/1/").headers["Accept-Patch"]


def test_verbs_of_items_say_what_files_take(storage: Storage) -> None:
    read_only = albums(storage, controller={"unique_verbs": ["GET"]})
    assert allowed(read_only.options("/albums/1/cover/")) == ["GET", "HEAD", "OPTIONS"]
    blind = albums(storage, controller={"unique_verbs": ["PATCH"]})
    assert allowed(blind.options("/albums/1/cover/")) == ["PUT", "DELETE", "OPTIONS"]


def test_a_key_of_text_stands_in_the_address(storage: Storage) -> None:
    class Named(models.Model):
        fields = [models.StringPkField("slug"), models.FileField("cover")]

    client = albums(storage, model=Named)
    url = send(client, ("slug", "über uns"), ("cover", COVER)).json["cover"]["url"]
    assert url == "/albums/%C3%BCber%20uns/cover/"
    assert client.get(url).body == PNG


# Lists


def test_lists_are_asked_only_whether_there_is_a_file(client: Client) -> None:
    created(client, ("cover", COVER))
    created(client)
    assert client.values("/albums/?cover__isnull=true") == [2]
    assert client.values("/albums/?cover__isnull=false&fields=cover") == [1]
    for query in ("cover=x", "cover__contains=png", "ordering=cover"):
        assert client.get(f"/albums/?{query}").status_int == 400
    assert client.objects("/albums/?search=png") == []


def test_the_schema_tells_of_it(client: Client) -> None:
    described = {field["name"]: field for field in client.get("/schema/albums/").json["fields"]}
    assert described["cover"]["type"] == "file"
    assert described["cover"]["types"] == ["image/png", "image/jpeg", "text/plain"]
    assert described["cover"]["max_size"] == 100_000


# Who may


class Nobody(Permission):
    """Lets nobody in."""

    def has_permission(self, request: Request, view: Any = None) -> bool:
        return False


class Mine(Permission):
    """Callers see what bears their name in a header; only titles without an exclamation mark may be worked on."""

    def scope(self, request: Request, view: Any = None) -> Where | None:
        return Filter("title", "eq", request.header("X_WHO"))

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return request.method in ("GET", "HEAD") or "!" not in obj["title"]


def test_a_file_is_as_visible_as_its_object(storage: Storage, folder: Path) -> None:
    client = albums(storage, controller={"options": {"permissions": [Mine()]}})
    blue = form(("title", "ada"), ("cover", COVER))
    assert client.post("/albums/", body=blue, type=FORM, X_Who="bob").status_int == 403
    assert kept(folder) == []
    url = client.post("/albums/", body=blue, type=FORM, X_Who="ada").json["cover"]["url"]
    assert client.get(url, X_Who="ada").body == PNG
    for method in ("GET", "PUT", "DELETE"):
        problem(client.ask(method, url, body=JPEG, type="image/jpeg", X_Who="bob"), 404, "not-found")
    assert kept(folder) == [PNG]


def test_what_may_be_seen_may_not_always_be_changed(storage: Storage, folder: Path) -> None:
    client = albums(storage, controller={"options": {"permissions": [Mine()]}})
    url = client.post("/albums/", {"title": "ada"}, X_Who="ada").json["resource_uri"]
    assert client.put(f"{url}cover/", body=PNG, type="image/png", X_Who="ada").status_int == 201
    assert client.patch(url, {"title": "ada!"}, X_Who="ada").status_int == 403
    closed = albums(storage, controller={"options": {"permissions": [Nobody()]}})
    for method in ("GET", "PUT", "DELETE"):
        assert closed.ask(method, "/albums/1/cover/", body=PNG, type="image/png").status_int == 403


# A file belongs to one record


class Copying(Controller):
    """Lets its own code set files."""

    files: DirectoryStorage

    @action(detail=True, methods=["POST"])
    def borrow(self, request: Request, pk: int) -> Any:
        mine, other = self.get_object(request, pk), self.get_object(request, int(request.http.args["of"]))
        mine.cover = other.cover
        mine.save()
        return mine

    @action(detail=True, methods=["POST"])
    def rename(self, request: Request, pk: int) -> Any:
        mine = self.get_object(request, pk)
        mine.cover = msgspec.structs.replace(StoredFile.of(mine.cover), name="new.png").text
        mine.save()
        return mine

    @action(detail=False, methods=["POST"])
    def draw(self, request: Request) -> None:
        key = self.files.save([PNG])
        request.uploads = [key]
        items = [self.get_object(request, int(pk)) for pk in request.http.args["for"].split(",")]
        for item in items:
            item.cover = StoredFile(key, len(PNG), "image/png", "drawn.png").text
        self.save_all(items)

    def before_create(self, request: Request, record: Record) -> None:
        if record["title"].startswith("as "):
            record["cover"] = self.get_object(request, int(record["title"][3:])).cover


@pytest.fixture
def copying(folder: Path) -> Client:
    """Albums in a list, the first of them with a cover."""
    resource = {"resource_name": "albums", "resource": [], "model": Album, "datastore": PythonListDataStore}
    files = DirectoryStorage(folder)
    client = serve(type("Albums", (Copying,), {"resource": {**resource, "options": {"files": files}}, "files": files}))
    created(client, ("cover", COVER))
    created(client)
    return client


def test_no_record_takes_the_file_of_another(copying: Client, caplog: pytest.LogCaptureFixture) -> None:
    problem(copying.post("/albums/2/borrow/?of=1"), 500, "internal")
    problem(copying.post("/albums/", {"title": "as 1"}), 500, "internal")
    assert "a file belongs to one record" in caplog.text
    assert copying.values("/albums/?cover__isnull=false") == [1]
    copying.delete("/albums/2/")
    assert copying.get("/albums/1/cover/").body == PNG


def test_its_own_file_a_record_may_be_given(copying: Client) -> None:
    assert copying.post("/albums/1/borrow/?of=1").status_int == 200
    assert copying.post("/albums/1/rename/").json["cover"]["name"] == "new.png"
    assert copying.get("/albums/1/cover/").body == PNG


def test_a_file_that_ones_own_code_has_saved_goes_to_one_record(copying: Client, folder: Path) -> None:
    problem(copying.post("/albums/draw/?for=1,2"), 500, "internal")
    assert copying.values("/albums/?cover__isnull=false") == [1]
    assert copying.post("/albums/draw/?for=2").status_int == 204
    assert copying.get("/albums/2/cover/").body == PNG
    copying.delete("/albums/2/")
    assert copying.get("/albums/1/cover/").body == PNG


def test_to_take_a_file_away_is_to_change_its_object(storage: Storage) -> None:
    groups = {"editors": "view|add|change", "readers": "view|delete"}
    options = {"authentication": ByHeader(), "permissions": ModelPermissions(groups)}
    client = albums(storage, controller={"options": options})
    ada, bob = As(client, "ada"), As(client, "bob")
    url = send(ada, ("title", "Blue"), ("cover", COVER)).json["cover"]["url"]
    assert bob.delete(url).status_int == 403
    assert ada.delete(url).status_int == 204


# When things fail


class Refusing(Controller):
    """Refuses what is called Bad, within the transaction or after it."""

    raised: BaseException | type[BaseException] = PermissionDenied

    def before_create(self, request: Request, record: Record) -> None:
        if record["title"] == "Bad":
            raise self.raised

    def before_update(self, request: Request, before: Record, record: Record) -> None:
        self.before_create(request, record)


def refusing(folder: Path, raised: Any = PermissionDenied) -> Client:
    resource = {"resource_name": "albums", "resource": [], "model": Album, "datastore": PythonListDataStore}
    options = {"files": DirectoryStorage(folder)}
    members = {"resource": {**resource, "options": options}, "raised": raised}
    return serve(type("Refused", (Refusing,), members))


def test_a_write_that_is_undone_leaves_no_file(folder: Path) -> None:
    client = refusing(folder)
    assert send(client, ("title", "Bad"), ("cover", COVER)).status_int == 403
    assert kept(folder) == []
    created(client, ("cover", COVER))
    for method in ("PUT", "PATCH"):
        reply = send(client, ("title", "Bad"), ("cover", OTHER), method=method, path="/albums/1/")
        assert reply.status_int == 403
        assert kept(folder) == [PNG]
        assert client.get("/albums/1/cover/").body == PNG


def test_where_the_outcome_is_unknown_the_file_stays(folder: Path) -> None:
    client = refusing(folder, OutcomeUnknown("cut off while committing"))
    assert send(client, ("title", "Bad"), ("cover", COVER)).status_int == 503
    assert kept(folder) == [PNG]


def test_a_conflict_leaves_no_file(storage: Storage, folder: Path) -> None:
    class Unique(models.Model):
        fields = [models.PkField("id"), models.StringField("title", unique=True), models.FileField("cover")]

    client = albums(storage, model=Unique)
    created(client, ("cover", COVER))
    problem(send(client, ("title", "Blue"), ("cover", OTHER)), 409, "conflict")
    problem(send(client, ("cover", COVER), method="PATCH", path="/albums/7/"), 404, "not-found")
    assert kept(folder) == [PNG]


class Failing(FileStorage):
    """Fails at what it is told to fail at."""

    def __init__(self, **failing: Exception) -> None:
        self.failing = failing

    def save(self, chunks: Any) -> str:
        list(chunks)
        if "save" in self.failing:
            raise self.failing["save"]
        return "k"

    def open(self, key: str) -> Any:
        raise FileNotFoundError(key)

    def delete(self, key: str) -> None:
        raise self.failing["delete"]

    def keys(self, older_than: float) -> Iterator[str]:
        return iter(())


def over(storage: FileStorage) -> Client:
    return serve(over_list([], model=Album, resource={"resource_name": "albums", "options": {"files": storage}}))


def test_a_storage_that_is_full_is_507() -> None:
    client = over(Failing(save=StoreFull("no room")))
    problem(send(client, ("title", "Blue"), ("cover", COVER)), 507, "store-full")
    assert client.objects("/albums/") == []


def test_what_cannot_be_deleted_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    client = over(Failing(delete=StoreFull("stuck")))
    created(client, ("cover", COVER))
    assert client.delete("/albums/1/").status_int == 204
    assert "stuck" in caplog.text


def test_a_file_that_is_not_there_is_a_fault_of_the_data(caplog: pytest.LogCaptureFixture) -> None:
    client = over(Failing())
    created(client, ("cover", COVER))
    problem(client.get("/albums/1/cover/"), 503, "store-unreadable")
    assert "is not in the storage" in caplog.text


def test_a_record_that_names_no_file_is_a_fault_of_the_data(tmp_path: Path) -> None:
    rows = [{"id": 1, "title": "x", "year": 1, "sold": False, "released": None, "tags": None, "cover": "../etc/passwd"}]
    files = {"options": {"files": DirectoryStorage(tmp_path)}}
    client = serve(over_list(rows, model=Album, resource=files))
    for path in ("/things/1/", "/things/1/cover/", "/things/"):
        problem(client.get(path), 503, "store-unreadable")


class Vanishing(DirectoryStorage):
    """A storage whose first look for a file comes too late, as when somebody replaces it just then."""

    def __init__(self, path: Path, replace: Any) -> None:
        super().__init__(path)
        self.replace = replace

    def open(self, key: str) -> Any:
        if self.replace is not None:
            replace, self.replace = self.replace, None
            replace()
        return super().open(key)


def test_a_file_replaced_while_it_is_asked_for_is_the_new_one(folder: Path) -> None:
    files = Vanishing(folder, None)
    client = over(files)
    created(client, ("cover", COVER))
    files.replace = lambda: client.put("/albums/1/cover/", body=JPEG, type="image/jpeg")
    assert client.get("/albums/1/cover/").body == JPEG


# Sweeping


def test_sweeping_takes_what_no_record_names(storage: Storage, folder: Path) -> None:
    client = albums(storage)
    created(client, ("cover", COVER))
    files = DirectoryStorage(folder)
    forgotten = files.save([b"forgotten"])
    (folder / f".{'0' * 32}.part").write_bytes(b"half of it")
    (folder / "README").write_bytes(b"not ours")
    app: Any = client.application
    assert sweep_files(app) == 0
    old = time.time() - 2 * 24 * 3600
    for path in folder.iterdir():
        os.utime(path, (old, old))
    assert sweep_files(app) == 2
    assert kept(folder) == sorted([PNG, b"not ours"])
    assert client.get("/albums/1/cover/").body == PNG
    with pytest.raises(FileNotFoundError):
        files.open(forgotten)
    assert sweep_files(app.controllers[0], older_than=0) == 0


def test_sweeping_reads_every_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rest_kit.controllers.sweeping.BATCH", 2)
    client = over(DirectoryStorage(folder))
    for _ in range(5):
        created(client, ("cover", COVER))
    app: Any = client.application
    assert sweep_files(app, older_than=-1) == 0
    assert len(kept(folder)) == 5


def test_sweeping_knows_the_records_of_what_is_behind(folder: Path) -> None:
    def make(name: str) -> type[Controller]:
        resource = {"resource_name": name, "options": {"files": DirectoryStorage(folder)}}
        return over_list([], model=Album, resource=resource)

    last = make("last")()
    app = WSGIDispatcher([make("first")], fallback=WSGIDispatcher([make("albums")], fallback=last))
    client = Client(app)
    created(client, ("cover", COVER))
    assert send(Client(last), ("title", "Red"), ("cover", COVER), path="/").status_int == 201
    assert sweep_files(app, older_than=-1) == 0
    assert len(kept(folder)) == 2


# A folder of files


def test_files_are_for_this_user_alone_and_have_no_telling_name(folder: Path) -> None:
    files = DirectoryStorage(folder)
    assert not folder.exists()
    key = files.save([b"a", b"b"])
    path = folder / key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (len(key), path.suffix) == (32, "")
    with files.open(key).stream as stream:
        assert stream.read() == b"ab"


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "", ".", "x", "A" * 32, "0" * 31, "0" * 32 + "\n"])
def test_a_key_is_no_path(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    files = DirectoryStorage(tmp_path / "files")
    files.save([b"x"])
    files.delete(key)
    with pytest.raises(FileNotFoundError):
        files.open(key)
    assert (tmp_path / "secret").exists()


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    files = DirectoryStorage(folder)
    files.save([b"x"])
    (folder / ("0" * 32)).symlink_to(tmp_path / "secret")
    with pytest.raises(Exception, match="cannot be used"):
        files.open("0" * 32)


@pytest.mark.parametrize(
    ("number", "slug", "status"), [(errno.ENOSPC, "store-full", 507), (errno.EIO, "store-unavailable", 503)]
)
def test_a_disk_that_fails_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, slug: str, status: int
) -> None:
    def fsync(fd: int) -> None:
        raise OSError(number, "the disk says no")

    client = over(DirectoryStorage(folder))
    monkeypatch.setattr(os, "fsync", fsync)
    document = problem(send(client, ("title", "Blue"), ("cover", COVER)), status, slug)
    assert "the disk says no" not in str(document)
    assert (client.objects("/albums/"), kept(folder)) == ([], [])


KILLED = """
import os, signal, sys
from rest_kit.uploads import DirectoryStorage

def chunks():
    yield b"half of it"
    os.kill(os.getpid(), signal.SIGKILL)

DirectoryStorage(sys.argv[1]).save(chunks())
"""


def test_whoever_is_killed_leaves_what_is_seen_to_be_unfinished(folder: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (name,) = os.listdir(folder)
    assert (name[0], name[-5:]) == (".", ".part")
    files = DirectoryStorage(folder)
    assert list(files.keys(60)) == []
    assert list(files.keys(-1)) == [name]
    files.delete(name)
    assert kept(folder) == []


def test_what_breaks_off_leaves_nothing(folder: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DirectoryStorage(folder).save(chunks())
    assert kept(folder) == []


# Configuration


def declared(model: type[models.Model] | None, **options: Any) -> list[str]:
    """What is wrong with a resource that has this model and these options."""
    with pytest.raises(ConfigurationError) as caught:
        over_list([], model=model, resource={"options": options})
    return caught.value.problems


def test_a_model_with_files_needs_a_place_for_them() -> None:
    assert declared(Album) == [
        "the model has the file 'cover': resource options['files'] says where the bytes go, such as "
        "DirectoryStorage('uploads'), and is missing"
    ]
    assert (
        "holds the class DirectoryStorage; it must be an instance, such as DirectoryStorage('uploads')"
        in declared(Album, files=DirectoryStorage)[0]
    )
    assert "must be a file storage" in declared(Album, files="uploads")[0]


def test_a_place_without_files_is_a_mistake(tmp_path: Path) -> None:
    class Plain(models.Model):
        fields = [models.PkField("id")]

    for model in (Plain, None):
        problems = declared(model, files=DirectoryStorage(tmp_path))
        assert problems == ["resource options['files'] is given, but the model has no FileField"]


def test_files_stand_in_the_model_itself(tmp_path: Path) -> None:
    class Inner(models.Model):
        fields = [models.FileField("cover")]

    class Outer(models.Model):
        fields = [
            models.PkField("id"),
            models.NestedField("inner", model=Inner),
            models.ListField("covers", item=models.FileField()),
            models.FileField("my cover"),
        ]

    problems = declared(Outer, files=DirectoryStorage(tmp_path))
    assert [problem.split(" ")[0] for problem in problems] == ["the", "'inner'", "'covers'"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"types": ["png"]}, "types holds 'png', which is no media type such as 'image/png' or 'image/*'"),
        ({"types": "image/png"}, "types must be a list of media types or None, not 'image/png'"),
        ({"types": []}, "types must be a list of media types or None, not []"),
        ({"max_size": 0}, "max_size must be a positive count of bytes, not 0"),
        ({"max_sise": 1}, "no option 'max_sise'; did you mean 'max_size'?"),
        ({"default": "x"}, "no option 'default'"),
    ],
)
def test_a_field_that_cannot_be_meant(options: Any, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        models.FileField("cover", **options)
    assert caught.value.problems[0].startswith(told)


def test_a_folder_that_cannot_be_meant() -> None:
    for path in (None, 5, ""):
        with pytest.raises(ConfigurationError, match="path must be a folder"):
            DirectoryStorage(path)  # type: ignore[arg-type]


def test_a_stored_line_tells_of_its_file() -> None:
    file = StoredFile("ab12", 5, "text/plain", "two words.txt")
    assert file.text == "ab12 5 text/plain two words.txt"
    assert StoredFile.of(file.text) == file


# A server


def test_round_trip_on_postgresql(folder: Path) -> None:
    for place in places("postgresql"):
        resource = {"url": place.url, "table": place.table()}
        dicts = {"resource_name": "albums", "resource": resource, "model": Album, "datastore": SQLDataStore}
        client = serve(make_controller({**dicts, "options": {"files": DirectoryStorage(folder)}}))
        found = created(client, ("cover", COVER), ("tags", "[]"))
        assert client.get(found["cover"]["url"]).body == PNG
        assert client.put("/albums/1/", found).json == found
        reply = send(client, ("cover", OTHER), method="PATCH", path="/albums/1/")
        assert (reply.status_int, kept(folder)) == (200, [JPEG])
        assert client.delete("/albums/1/").status_int == 204
        assert kept(folder) == []


def test_errors_of_the_request_pass_the_storage(folder: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise HTTPException("as it is")

    with pytest.raises(HTTPException, match="as it is"):
        DirectoryStorage(folder).save(chunks())


# Relations


class Artist(models.Model):
    """What albums belong to."""

    fields = [models.PkField("id"), models.StringField("title", required=True), models.FileField("photo")]


class Release(models.Model):
    """An album of an artist, which goes with them."""

    fields = [
        models.PkField("id"),
        models.StringField("title", required=True),
        models.IntForeign("artist_id", resource="artists", related_name="albums", on_delete="cascade"),
        models.FileField("cover"),
    ]


def related(storage: Storage, folder: Path) -> Client:
    """Artists and their albums, with their files in one folder."""
    options = {"files": DirectoryStorage(folder)}
    shown = {"options": {"foreign_keys": "uri"}}
    return serve(
        storage.controller(Artist, name="artists", options=options),
        storage.controller(Release, name="albums", options=options, view=shown),
    )


def test_files_of_related_objects(storage: Storage, folder: Path) -> None:
    client = related(storage, folder)
    artist = send(client, ("title", "Joni"), ("photo", OTHER), path="/artists/").json
    assert client.get(artist["photo"]["url"]).body == JPEG
    nested = send(client, ("title", "Blue"), ("cover", COVER), path="/artists/1/albums/")
    assert nested.json["artist_id"] == "/artists/1/"
    own = send(client, ("title", "Hejira"), ("artist_id", "/artists/1/"), ("cover", COVER))
    assert own.json["artist_id"] == "/artists/1/"
    assert client.get("/albums/1/?expand=artist").json["artist"]["photo"] == artist["photo"]
    assert [one["cover"]["url"] for one in client.objects("/artists/1/albums/")] == [
        "/albums/1/cover/",
        "/albums/2/cover/",
    ]
    assert "did you mean 'photo'?" in problem(client.get("/artists/1/phto/"), 404, "not-found")["detail"]
    reply = send(client, ("title", "Mingus"), ("artist_id", "7"), ("cover", COVER))
    problem(reply, 409, "conflict")
    assert len(kept(folder)) == 3


def test_what_a_deletion_takes_along_is_swept(storage: Storage, folder: Path) -> None:
    client = related(storage, folder)
    send(client, ("title", "Joni"), ("photo", OTHER), path="/artists/")
    send(client, ("title", "Blue"), ("cover", COVER), path="/artists/1/albums/")
    assert client.delete("/artists/1/").status_int == 204
    app: Any = client.application
    assert kept(folder) == [PNG]
    assert sweep_files(app, older_than=-1) == 1
    assert kept(folder) == []
