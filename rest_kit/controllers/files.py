"""The files of one resource: forms that bring them, addresses where they are had, and what becomes of them.

    form -> files saved under new keys -> record written in one step -> keys that nothing refers to any more let go

A file is on the disk before the record that names it is, and goes after the record that named it: whoever is killed
in between leaves a file too many, never one too few. `sweep_files` finds those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from werkzeug.exceptions import BadRequest, PreconditionFailed
from werkzeug.http import parse_options_header

from rest_kit import jsonio
from rest_kit.background import run_logged
from rest_kit.controllers.hooks import Changes
from rest_kit.controllers.merging import by_merge_patch
from rest_kit.errors import (
    Fault,
    MalformedBody,
    OutcomeUnknown,
    RecordNotFound,
    RemoteError,
    StoreCorrupt,
    ValidationError,
)
from rest_kit.models import FileField, Model, StoredFile
from rest_kit.models.files import file_fields, keys_named
from rest_kit.preconditions import Tagger, check_match
from rest_kit.problems import Reply
from rest_kit.request import FORM, JSON, Request, wrong_type
from rest_kit.store import Tx
from rest_kit.types import Pk, Record
from rest_kit.uploads import FileStorage
from rest_kit.uploads.download import download, refuse_changed
from rest_kit.uploads.multipart import FilePart, read_form
from rest_kit.uploads.receiving import SPARE_PARTS, Incoming, Rule

FILE_ACTIONS: Final = {"GET": "retrieve", "HEAD": "retrieve", "PUT": "partial_update", "DELETE": "partial_update"}
"""By verb at a file's address, what is done to the item, as permissions and throttles call it."""

FileVerb = Callable[[Request, str], Reply]
"""Answers for the file of an item, given the item's key as it stands in the path."""


class Keeping:
    """Takes files in for one resource, and lets them go: `storage` has them, `fields` say which there can be."""

    def __init__(self, model: Model, storage: FileStorage, max_body: int) -> None:
        self.model = model
        self.storage = storage
        self.max_body = max_body
        self.fields: Mapping[str, FileField] = file_fields(model.fields)
        self.rules = {name: Rule(name, field.types, field.max_size) for name, field in self.fields.items()}
        self.max_files = sum(field.max_size for field in self.fields.values())

    # --- coming in ----------------------------------------------------------------------------------------------------

    def read(self, request: Request) -> dict[str, Any]:
        """The body of a request as members of an object, its files saved (what `read_form` raises; ValidationError)."""
        if request.content_type != FORM:
            raise wrong_type(request.content_type, (JSON, FORM))
        data: dict[str, Any] = {}
        for name, value in read_form(
            request, max_files=self.max_files, max_values=self.max_body, max_parts=len(self.model.names) + SPARE_PARTS
        ):
            data[name] = self._value(name, value) if isinstance(value, str) else self._file(request, name, value)
        return data

    def _file(self, request: Request, name: str, part: FilePart) -> StoredFile:
        rule = self.rules.get(name) if name not in self.model.concealed else None
        if rule is None or not self.fields[name].writable:
            code, text = ("read_only", "cannot be set") if rule else ("file", "takes no file")
            raise ValidationError(Fault(code, text, (name[:100],)))
        return self.save(request, Incoming(rule, part.filename, part.type, part.chunks))

    def save(self, request: Request, incoming: Incoming) -> StoredFile:
        """A file saved for a record that is yet to be written (413, 415, StoreFull, StoreUnavailable)."""
        key = self.storage.save(incoming)
        request.uploads = [*(request.uploads or ()), key]
        return StoredFile(key, incoming.size, incoming.type, incoming.name)

    def _value(self, name: str, text: str) -> Any:
        """A plain value of a form as JSON would have it; what cannot be read stays text, for the load to refuse."""
        field = self.model.by_name.get(name)
        if field is None or name in self.fields:
            return text
        if not text and field.nullable and not field.kind.is_text:
            return None
        try:
            if not field.kind.is_scalar:
                return jsonio.loads(text.encode(), exact=self.model.exact_numbers)
            return field.to_json(field.parse(text))
        except (ValueError, MalformedBody):
            return text

    # --- going out ----------------------------------------------------------------------------------------------------

    def settle(self, request: Request, changes: Changes) -> None:
        """Let go of the files that no record names any more, once what was written is kept."""
        before, after = self._named(changes.before()), self._named(changes.after())
        gone = (before | set(request.uploads or ())) - after
        request.uploads = None
        self.let_go(request, gone)

    def discard(self, request: Request) -> None:
        """Let go of the files that a request has brought in vain."""
        keys, request.uploads = request.uploads, None
        self.let_go(request, keys or ())

    def let_go(self, request: Request, keys: Iterable[str]) -> None:
        """Delete files; one that cannot be deleted is logged, and left to `sweep_files`."""
        for key in keys:
            run_logged(request.id, self.storage.delete, key)

    def _named(self, records: Sequence[Record]) -> set[str]:
        """The keys of the files that records name."""
        return set().union(*(keys_named(record, self.fields) for record in records))

    def cleaning_up(self, verb: Callable[..., Reply]) -> Callable[..., Reply]:
        """A verb that leaves no file behind when it fails; where it is not known whether it did, all are kept."""

        def run(request: Request, *args: Any) -> Reply:
            try:
                return verb(request, *args)
            except (OutcomeUnknown, RemoteError):
                request.uploads = None
                raise
            finally:
                if request.uploads:
                    self.discard(request)

        return run


class Addresses:
    """Answers at `/<resource>/<pk>/<field>/`, where one file can be had, put and taken away."""

    def __init__(self, served: Any, keeping: Keeping) -> None:
        self.served = served
        self.keeping = keeping
        self.tagger: Tagger = served.presenter.tagger
        shown = [field for field in keeping.fields.values() if not field.write_only]
        self.verbs = {field.name: self._verbs(field) for field in shown}

    def _verbs(self, field: FileField) -> dict[str, FileVerb]:
        """By verb, what answers for one field: a file is read where items are, and changed where PATCH changes them."""
        items = self.served.item_verbs
        verbs: dict[str, Callable[[Request, Pk, str], Reply]] = {}
        if "GET" in items:
            verbs["GET"] = verbs["HEAD"] = self.get
        if "PATCH" in items and field.writable:
            verbs["PUT"] = self.keeping.cleaning_up(self.put)
            if field.nullable:
                verbs["DELETE"] = self.delete
        return {verb: partial(self._answer, run, field.name) for verb, run in verbs.items()}

    def _answer(self, run: Callable[[Request, Pk, str], Reply], name: str, request: Request, text: str) -> Reply:
        """Let a request pass to its verb, as one for the item."""
        if request.view is not self.served.owner:
            request.pk = self.served.key_if_any(text)
            self.served.let_in(request, FILE_ACTIONS[request.method])
        self.served.refuse_parameters(request)
        request.pk = pk = self.served.key(text)
        return run(request, pk, name)

    def get(self, request: Request, pk: Pk, name: str) -> Reply:
        """GET: the file, a range of it, or 304."""
        record = self._record(request, pk)
        try:
            return self._download(request, record, name)
        except FileNotFoundError:
            record = self._record(request, pk)  # replaced just now, perhaps
        try:
            return self._download(request, record, name)
        except FileNotFoundError as exc:
            raise StoreCorrupt(f"{name} of {pk!r}: the file {record[name]!r} is not in the storage") from exc

    def _download(self, request: Request, record: Record, name: str) -> Reply:
        text = record[name]
        if text is None:
            raise RecordNotFound(record[self.served.presenter.pk])
        file = StoredFile.of(text)
        return download(request, file, self.keeping.storage.open(file.key), self._tag(text))

    def _record(self, request: Request, pk: Pk) -> Record:
        """The item as this caller may see it (RecordNotFound, PermissionDenied)."""
        record: Record = self.served.store.get(pk, request.scope)
        self.served.check_objects(request, [record])
        return record

    def put(self, request: Request, pk: Pk, name: str) -> Reply:
        """PUT: the body is the file; 201 where there was none, else 204."""
        self.served.refuse_lost_writes(request)
        self._check(request, self._record(request, pk), name)
        environ = request.environ
        if not environ.get("CONTENT_LENGTH") and not environ.get("wsgi.input_terminated"):
            raise BadRequest("there is no body, which would be the file")
        rule = self.keeping.rules[name]
        filename = parse_options_header(request.header("CONTENT_DISPOSITION"))[1].get("filename", "")
        incoming = Incoming(rule, filename, request.content_type, request.chunks(rule.max_size))
        return self._write(request, pk, name, self.keeping.save(request, incoming))

    def delete(self, request: Request, pk: Pk, name: str) -> Reply:
        """DELETE: the item has no file any more."""
        self.served.refuse_lost_writes(request)
        return self._write(request, pk, name, None)

    def _write(self, request: Request, pk: Pk, name: str, file: StoredFile | None) -> Reply:
        """Put another file, or none, into the record (RecordNotFound where there is neither)."""
        served, change = self.served, by_merge_patch({name: file})
        uri = served.uri(request, pk)

        def work(tx: Tx) -> tuple[str | None, str | None]:
            current = tx.get(pk)
            self._check(request, current, name)
            served.check_objects(request, [current])
            if file is None and current[name] is None:
                raise RecordNotFound(pk)
            return current[name], tx.update(pk, served.merging.patched(change, current, uri))[name]

        reply: Reply = served.write(request, served.changing, work, self._shown)
        return reply

    def _shown(self, written: tuple[str | None, str | None]) -> Reply:
        """The reply to a change from one file to another, told by the record's lines."""
        before, after = written
        headers = [] if after is None else [("ETag", f'"{self._tag(after)}"')]
        if before is not None:
            return "204 No Content", headers, b""
        return "201 Created", [*headers, ("Content-Type", "application/octet-stream"), ("Content-Length", "0")], b""

    def _check(self, request: Request, current: Record, name: str) -> None:
        """The request's conditions, which are about the file, hold for it as it is now (412, 428)."""
        environ = request.environ
        if "HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ:
            self.served.refuse_conditions()
        if current[name] is not None:
            self._refuse_changed(request, current[name])
            check_match(request, self._tag(current[name]), required=self.served.spec.require_if_match)
        elif "HTTP_IF_MATCH" in environ:
            raise PreconditionFailed("there is no file, of whatever version")

    def _refuse_changed(self, request: Request, text: str) -> None:
        """If-Unmodified-Since holds for the file as it is now (412); one that is not in the storage has no date."""
        if "HTTP_IF_UNMODIFIED_SINCE" in request.environ:
            with suppress(FileNotFoundError):
                opened = self.keeping.storage.open(StoredFile.of(text).key)
                opened.stream.close()
                refuse_changed(request, opened.modified)

    def _tag(self, text: str) -> str:
        """The entity tag of a file: each has a key of its own, so that the record's line says all."""
        return self.tagger.digest(text.encode())
