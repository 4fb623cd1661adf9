"""The verbs that write: each reads the whole request first, and then checks and writes in one atomic step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_kit.controllers.batches import each_at
from rest_kit.controllers.doors import Doors
from rest_kit.controllers.inserting import insert_one
from rest_kit.controllers.merging import Change, Merging, by_json_patch, by_merge_patch
from rest_kit.errors import (
    Fault,
    InvalidQuery,
    MalformedBody,
    RecordNotFound,
    Unsupported,
    ValidationError,
)
from rest_kit.params import FIELDS, Asked, item_fields, refuse_all
from rest_kit.preconditions import check_match
from rest_kit.problems import Headers, Reply
from rest_kit.processes import refuse_unshared
from rest_kit.query import Page, Query
from rest_kit.request import FORM, JSON, JSON_PATCH, MERGE_PATCH, Request, UnsupportedPatch
from rest_kit.store import Tx
from rest_kit.types import Pk, Record
from rest_kit.views.base import Response, segment

PATCHES = (MERGE_PATCH, JSON_PATCH, JSON)


class Writing(Doors):
    """What POST, PUT, PATCH and DELETE do."""

    merging: Merging
    patches: tuple[str, ...] = PATCHES
    """The media types that PATCH takes for one item."""
    owner: Any
    """What formatters of the input are given first: the controller."""

    # --- POST ---------------------------------------------------------------------------------------------------------

    def create(self, request: Request) -> Reply:
        """POST on the list: one object, or an array of which all are stored or none."""
        response = self.negotiate(request)
        self.refuse_lost_writes(request)
        fields = self.reply_fields(request)
        data = self.read_body(request)
        if isinstance(data, list):
            return self.create_many(request, data, response, fields)
        record = self.new_record(data)
        check_match(request, None)

        def shown(stored: Record) -> Reply:
            return self.created(request, stored, response, fields)

        return self.write(request, self.inserting, lambda tx: insert_one(tx, record), shown)

    def created(
        self, request: Request, stored: Record, response: type[Response], fields: tuple[str, ...] | None
    ) -> Reply:
        """The reply to the POST of one object: 201, and where it is."""
        location = ("Location", self.uri(request, stored[self.presenter.pk]))
        if self.minimal(request):
            tag = self.presenter.tag(stored, fields, response)
            return "201 Created", [location, ("ETag", f'"{tag}"'), *self.nothing(response)], b""
        status, headers, body = self.presenter.item(request, stored, response, fields, "201 Created")
        return status, [*headers, location], body

    def create_many(
        self, request: Request, data: list[Any], response: type[Response], fields: tuple[str, ...] | None
    ) -> Reply:
        """POST of an array: 201 and the array as stored."""
        records = each_at(data, lambda place, one: self.new_record(one))
        check_match(request, None)

        def shown(stored: list[Record]) -> Reply:
            if self.minimal(request):
                return "201 Created", self.nothing(response), b""
            return self.presenter.many(request, stored, response, fields, "201 Created")

        return self.write(request, self.inserting, lambda tx: tx.insert(records), shown)

    def new_record(self, data: Any) -> Record:
        """A typed record from what a client posted (ValidationError)."""
        record = self.model.load(data)
        self.merging.refuse_reserved(record)
        self.model.check(record)
        return record

    # --- PUT ----------------------------------------------------------------------------------------------------------

    def replace(self, request: Request, pk: Pk) -> Reply:
        """PUT on an item: the whole object anew."""
        data = self.read_object(request)
        uri = self.uri(request, pk)
        return self.write_item(request, pk, lambda current: self.merging.replacement(data, current, uri))

    def replace_many(self, request: Request) -> Reply:
        """PUT on the list: an array of whole objects, each found by its primary key; all or none."""
        response = self.negotiate(request)
        self.refuse_lost_writes(request)
        fields = self.reply_fields(request)
        data = self.read_body(request)
        if not isinstance(data, list):
            raise ValidationError(Fault("type", "PUT on a list takes an array of objects"))
        keys = each_at(data, lambda place, one: self.key_of(one))
        self.refuse_twice(keys)
        check_match(request, None, required=self.spec.require_if_match)

        def work(tx: Tx) -> list[Record]:
            def one(place: int, obj: dict[str, Any]) -> Record:
                pk = keys[place]
                return self.merging.replacement(obj, self.named(request, tx, pk), self.uri(request, pk))

            records = each_at(data, one)
            return each_at(records, lambda place, record: tx.update(keys[place], record))

        return self.write(request, self.changing, work, self.several(request, response, fields))

    def named(self, request: Request, tx: Tx, pk: Pk) -> Record:
        """The record that an object of a bulk PUT names (ValidationError)."""
        try:
            record = tx.get(pk)
        except RecordNotFound as exc:
            raise ValidationError(Fault("not_found", "names no object that is there", (self.presenter.pk,))) from exc
        self.check_objects(request, [record])
        return record

    def key_of(self, obj: Any) -> Pk:
        """The primary key that an object of a bulk PUT brings (ValidationError)."""
        pk = self.presenter.pk
        if not isinstance(obj, dict):
            raise ValidationError(Fault("type", "is not an object"))
        if pk not in obj:
            raise ValidationError(Fault("required", "is missing", (pk,)))
        try:
            key: Pk = self.key_from_json(obj[pk])
        except ValueError as exc:
            raise ValidationError(Fault("type", str(exc), (pk,))) from exc
        return key

    def key_from_json(self, value: Any) -> Pk:
        """A primary key as JSON shows it (ValueError)."""
        assert self.model.pk is not None
        if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
            raise ValueError("is not a primary key")
        if isinstance(value, str) and self.model.pk.kind.python_type is int:
            raise ValueError("is not an integer")
        key: Pk = self.model.pk.coerce(value)
        return key

    def refuse_twice(self, keys: list[Pk]) -> None:
        """One record cannot be written twice by one request (ValidationError)."""
        seen: set[Pk] = set()
        for place, key in enumerate(keys):
            if key in seen:
                raise ValidationError(
                    Fault("twice", "names a record that is named already", (place, self.presenter.pk))
                )
            seen.add(key)

    def uri(self, request: Request, pk: Pk) -> str:
        """The URL path of an item."""
        return request.mount + segment(pk) + "/"

    # --- PATCH --------------------------------------------------------------------------------------------------------

    def update(self, request: Request, pk: Pk) -> Reply:
        """PATCH on an item: a merge patch, or a JSON patch."""
        change = self.read_patch(request)
        uri = self.uri(request, pk)
        return self.write_item(request, pk, lambda current: self.merging.patched(change, current, uri))

    def update_many(self, request: Request) -> Reply:
        """PATCH on the list: the same change to every object that the filter finds; all or none."""
        response = self.negotiate(request)
        self.refuse_lost_writes(request)
        asked = self.selection(request)
        change = self.read_patch(request)
        check_match(request, None, required=self.spec.require_if_match)

        def work(tx: Tx) -> list[Record]:
            return [self.patch_one(tx, request, change, record) for record in self.selected(request, tx, asked)]

        return self.write(request, self.changing, work, self.several(request, response, asked.fields))

    def patch_one(self, tx: Tx, request: Request, change: Change, current: Record) -> Record:
        """Change one of the records that a filter has found."""
        pk: Pk = current[self.presenter.pk]
        return tx.update(pk, self.merging.patched(change, current, self.uri(request, pk)))

    def read_patch(self, request: Request) -> Change:
        """The body of a PATCH, as the change that it asks for (415, MalformedBody)."""
        if request.content_type not in PATCHES:
            if self.keeping is not None and request.pk is not None and request.content_type == FORM:
                return by_merge_patch(self.apply_formatters(request, self.keeping.read(request)))
            raise UnsupportedPatch(request.content_type, PATCHES if request.pk is None else self.patches)
        data = request.json(self.spec.max_body, accept=PATCHES, exact=self.model.exact_numbers)
        if request.content_type == JSON_PATCH:
            return by_json_patch(self.operations(request, data))
        if not isinstance(data, dict):
            raise MalformedBody(Fault("type", "a merge patch for an object is an object"))
        return by_merge_patch(self.apply_formatters(request, data))

    def operations(self, request: Request, data: Any) -> Any:
        """The operations of a JSON Patch."""
        return data

    # --- DELETE -------------------------------------------------------------------------------------------------------

    def delete(self, request: Request, pk: Pk) -> Reply:
        """DELETE on an item: 204, and 404 from then on."""
        self.negotiate(request)
        self.refuse_lost_deletions(request)
        self.refuse_parameters(request)

        def work(tx: Tx) -> None:
            self.check_item(request, tx.get(pk))
            tx.delete(pk)

        return self.write(request, self.deleting, work, gone)

    def delete_many(self, request: Request) -> Reply:
        """DELETE on the list: everything that the filter finds; all or none."""
        self.negotiate(request)
        self.refuse_lost_deletions(request)
        asked = self.selection(request)
        if asked.fields is not None:
            raise InvalidQuery(Fault("unknown", "a DELETE shows nothing, so it takes no fields", parameter=FIELDS))
        check_match(request, None, required=self.spec.require_if_match)

        def work(tx: Tx) -> None:
            for record in self.selected(request, tx, asked):
                tx.delete(record[self.presenter.pk])

        return self.write(request, self.deleting, work, gone)

    # --- shared -------------------------------------------------------------------------------------------------------

    def write_item(self, request: Request, pk: Pk, change: Callable[[Record], Record]) -> Reply:
        """Read, check the conditions, change and write one record as one step, and answer with it."""
        response = self.negotiate(request)
        self.refuse_lost_writes(request)
        fields = self.reply_fields(request)

        def work(tx: Tx) -> Record:
            current = tx.get(pk)
            self.check_item(request, current)
            return tx.update(pk, change(current))

        def shown(stored: Record) -> Reply:
            return self.changed(request, stored, response, fields)

        return self.write(request, self.changing, work, shown)

    def changed(
        self, request: Request, stored: Record, response: type[Response], fields: tuple[str, ...] | None
    ) -> Reply:
        """The reply to a write on one item."""
        if self.minimal(request):
            tag = self.presenter.tag(stored, fields, response)
            return "204 No Content", [("ETag", f'"{tag}"'), MINIMAL, *self.presenter.vary], b""
        return self.presenter.item(request, stored, response, fields)

    def check_item(self, request: Request, current: Record) -> None:
        """The request's conditions hold for the record as it is now, and the caller may work on it.

        412, 428; Unsupported without atomic steps; PermissionDenied, NotAuthenticated.
        """
        environ = request.environ
        if "HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ:
            self.refuse_conditions()
            check_match(request, self.presenter.hash(current), required=self.spec.require_if_match)
        else:
            check_match(request, None, required=self.spec.require_if_match)
        self.check_objects(request, [current])

    def refuse_conditions(self) -> None:
        """Conditions are for stores that can hold a write to them (Unsupported)."""
        if not self.store.capabilities.conditional:
            raise Unsupported("this store cannot check and write in one step, so it takes no conditions")

    def several(
        self, request: Request, response: type[Response], fields: tuple[str, ...] | None
    ) -> Callable[[list[Record]], Reply]:
        """What shows the objects that a bulk write has changed."""

        def shown(stored: list[Record]) -> Reply:
            if self.minimal(request):
                return "204 No Content", [MINIMAL], b""
            return self.presenter.many(request, stored, response, fields)

        return shown

    def nothing(self, response: type[Response]) -> Headers:
        """The headers of a 201 that shows nothing, as the caller prefers."""
        return [("Content-Type", response.content_type), ("Content-Length", "0"), MINIMAL, *self.presenter.vary]

    def read_body(self, request: Request) -> Any:
        """The body of a POST or PUT, parsed, through the controller's formatters (415, 413, MalformedBody)."""
        one = request.method == "POST" or request.pk is not None
        if self.keeping is not None and one and request.content_type != JSON:
            return self.apply_formatters(request, self.keeping.read(request))
        data = request.json(self.spec.max_body, exact=self.model.exact_numbers)
        if isinstance(data, list) and len(data) > self.spec.bulk_max:
            raise ValidationError(Fault("bulk_max", f"at most {self.spec.bulk_max} objects at once, not {len(data)}"))
        return self.apply_formatters(request, data)

    def read_object(self, request: Request) -> dict[str, Any]:
        """The body of a PUT on an item (ValidationError where it is no object)."""
        data = self.read_body(request)
        if not isinstance(data, dict):
            raise ValidationError(Fault("type", "is not an object"))
        return data

    def apply_formatters(self, request: Request, data: Any) -> Any:
        """The body as the controller's formatters leave it."""
        for formatter in self.spec.input_formatters:
            data = formatter(self.owner, data)
        return data

    def selection(self, request: Request) -> Asked:
        """What a PATCH or DELETE on the list applies to: there must be a filter (InvalidQuery)."""
        asked = self.parameters.read(
            request.query_string, lenient=self.lenient(request), paged=False, mount=request.mount
        )
        if asked.where is None and asked.search is None:
            text = f"{request.method} on a list needs a filter, so that nobody changes everything by accident"
            raise InvalidQuery(Fault("filter_required", text, parameter=""))
        return asked

    def selected(self, request: Request, tx: Tx, asked: Asked) -> list[Record]:
        """The records to write, refused where they are too many (InvalidQuery)."""
        result = tx.find(Query(asked.where, asked.order, None, asked.search, Page(self.spec.bulk_max)))
        if result.more:
            text = f"the filter finds more than {self.spec.bulk_max} objects, the most that one request may change"
            raise InvalidQuery(Fault("bulk_max", text, parameter=""))
        self.check_objects(request, result.records)
        return result.records

    def reply_fields(self, request: Request) -> tuple[str, ...] | None:
        """Which fields the reply of a write shows (InvalidQuery)."""
        query = request.query_string
        return item_fields(query, self.model, lenient=self.lenient(request)) if query else None

    def refuse_parameters(self, request: Request) -> None:
        """No parameter means anything here (InvalidQuery)."""
        if request.query_string and not self.lenient(request):
            refuse_all(request.query_string)

    def minimal(self, request: Request) -> bool:
        """Whether the caller wants no body back from a write."""
        return "HTTP_PREFER" in request.environ and request.prefers("return", "minimal")

    def refuse_lost_writes(self, request: Request) -> None:
        """A write to data that only this process has would be lost to the others (503)."""
        if self.store.capabilities.in_process and not self.spec.multiprocess:
            remedies = "run one worker, keep the data in SQLite, or set resource options 'multiprocess' to 'allow'"
            refuse_unshared(request, "these data live", remedies)

    def refuse_lost_deletions(self, request: Request) -> None:
        """The same for a deletion."""
        self.refuse_lost_writes(request)


def gone(_: Any) -> Reply:
    """The reply to a deletion."""
    return "204 No Content", [], b""


MINIMAL = ("Preference-Applied", "return=minimal")
