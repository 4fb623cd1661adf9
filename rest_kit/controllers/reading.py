"""The verbs that read: a list and an item."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from itsdangerous import URLSafeSerializer

from rest_kit.controllers.access import Access
from rest_kit.controllers.presenter import Presenter
from rest_kit.errors import AccessError
from rest_kit.models import Model
from rest_kit.pagination import BasePagination, Listing
from rest_kit.params import Asked, Parameters
from rest_kit.preconditions import check_match, unmodified
from rest_kit.problems import Reply
from rest_kit.query import Filter, Page, Query, Result, conjoin
from rest_kit.relations import Expander
from rest_kit.request import Request
from rest_kit.spec import Spec
from rest_kit.store import DataStore
from rest_kit.types import Pk, Record
from rest_kit.views import Response
from rest_kit.views.negotiation import choose


class Reading:
    """What GET does; the attributes are set when the resource is made ready."""

    spec: Spec
    store: DataStore
    model: Model
    parameters: Parameters
    pagination: BasePagination
    presenter: Presenter
    cursors: URLSafeSerializer
    expander: Expander
    """Of resources with relations alone; without any, nothing asks to expand."""
    visible: tuple[str, ...] | None
    """The fields that lists read: None (all) where nothing is hidden."""
    accepted: dict[str | None, type[Response]]
    """By the commonest Accept headers, what they get."""
    access: Access | None
    """Who may do what; None where everybody may do everything."""

    def read_list(self, request: Request) -> Reply:
        """GET on the list: a page of what the parameters ask for."""
        response = self.negotiate(request)
        if "HTTP_IF_MATCH" in request.environ:
            check_match(request, None)
        asked = self.parameters.read(request.query_string, lenient=self.lenient(request), mount=request.mount)
        within, scope = request.within, request.scope
        pagination = self.pagination

        def listing() -> Listing:
            return self.listing(asked, request)

        wanted = pagination.read(asked.paging, listing)
        fields = asked.fields if asked.fields is not None else self.visible
        expand = asked.expand
        read = self.with_further_fields(fields, asked) if pagination.needs_order or expand is not None else fields
        where = asked.where if within is None and scope is None else conjoin(scope, within, asked.where)
        result = self.find(request, Query(where, asked.order, read, asked.search, wanted.page, pagination.total))
        meta, links = pagination.describe(wanted, result, request.url or request.mount, asked.kept, listing)
        meta["filters"] = asked.filters
        records = result.records
        added = None if expand is None else self.expander.find(expand, self.model, records, request, response)
        if read is not fields:
            records = [{name: record[name] for name in fields or ()} for record in records]
        return self.presenter.page(request, records, response, meta, links, added=added)

    def read_item(self, request: Request, pk: Pk) -> Reply:
        """GET on an item: the record, or 304 where the caller has it already."""
        response = self.negotiate(request)
        query = request.environ.get("QUERY_STRING")
        fields, expand = self.parameters.item(query, lenient=self.lenient(request)) if query else (None, None)
        presenter = self.presenter
        record = self.store.get(pk, request.scope)
        if self.access is not None and self.access.asks_objects:
            self.access.check_objects(request, [record])
        if expand is None:
            tag, body = presenter.represent(request, record, response, fields)
        else:
            added = self.expander.find(expand, self.model, [record], request, response)[0]
            tag, body = presenter.represent_expanded(request, record, response, fields, added, asked=expand.text)
        environ = request.environ
        if ("HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MATCH" in environ) and unmodified(request, tag):
            return "304 Not Modified", [("ETag", f'"{tag}"'), *presenter.vary], b""
        headers = [("Content-Type", response.content_type), ("Content-Length", str(len(body))), ("ETag", f'"{tag}"')]
        if presenter.vary:
            headers += presenter.vary
        return "200 OK", headers, body

    def with_further_fields(self, fields: tuple[str, ...] | None, asked: Asked) -> tuple[str, ...] | None:
        """The fields to read so that a cursor can be made of any record, and its relations followed."""
        if fields is None:
            return None
        needed = [key.field for key in self.model.full_order(asked.order)] if self.pagination.needs_order else []
        needed += self.expander.keys(asked.expand, self.model) if asked.expand is not None else ()
        missing = dict.fromkeys(name for name in needed if name not in fields)
        return (*fields, *missing) if missing else fields

    def find(self, request: Request, query: Query) -> Result:
        """What the store finds, each record of which the caller must be allowed to see (PermissionDenied)."""
        if self.access is None or not self.access.asks_objects:
            return self.store.find(query)
        result = self.store.find(Query(query.where, query.order, None, query.search, query.page, query.total))
        self.access.check_objects(request, result.records)
        if query.fields is not None:
            result.records = [{name: record[name] for name in query.fields} for record in result.records]
        return result

    def check_objects(self, request: Request, records: Sequence[Record]) -> None:
        """The caller may work on these records (PermissionDenied, NotAuthenticated)."""
        if self.access is not None:
            self.access.check_objects(request, records)

    def load(self, request: Request, pk: Pk) -> Record:
        """One record, as far as this caller may see it and work on it (RecordNotFound, PermissionDenied)."""
        record = self.store.get(pk, request.scope)
        self.check_objects(request, [record])
        return record

    # --- for other resources ------------------------------------------------------------------------------------------

    def look(self, request: Request, query: Query) -> Result:
        """What this caller may see of what a query for another resource's reply finds here.

        As if this resource had been asked itself (NotAuthenticated, PermissionDenied).
        """
        if self.access is None:
            return self.store.find(query)
        twin = self.access.looking(request)
        where = conjoin(twin.scope, query.where)
        return self.find(twin, Query(where, query.order, query.fields, query.search, query.page, query.total))

    def visible_among(self, request: Request, keys: Sequence[Any]) -> int:
        """How many of the records with these keys the caller of another resource may see."""
        if self.access is None:
            return len(keys)
        assert self.model.pk is not None
        pk = self.model.pk.name
        try:
            return len(self.look(request, Query(Filter(pk, "in", tuple(keys)), fields=(pk,))).records)
        except AccessError:
            return 0

    def existing(self, request: Request, keys: tuple[Any, ...]) -> set[Any]:
        """Those of the keys whose records this caller may refer to: all where the resource is closed altogether."""
        assert self.model.pk is not None
        pk = self.model.pk.name
        scope = self.access.scope_for(request) if self.access is not None else None
        where = conjoin(scope, Filter(pk, "in", keys))
        found = self.store.find(Query(where, fields=(pk,), page=Page(len(keys))))
        return {record[pk] for record in found.records}

    def listing(self, asked: Asked, request: Request) -> Listing:
        """What a cursor has to do with: the order, and a fingerprint of everything that the list depends on."""
        order = self.model.full_order(asked.order)
        told = repr((self.spec.name, order, asked.where, asked.search, *fixed_by(request))) + self.presenter.told
        fingerprint = hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return Listing(order, fingerprint, self.decode, self.model.json_value, self.cursors)

    def decode(self, name: str, value: Any) -> Any:
        """A field's value out of a cursor."""
        return self.model.by_name[name].coerce(value)

    def negotiate(self, request: Request) -> type[Response]:
        """The view class for this caller (NotAcceptable)."""
        accept = request.environ.get("HTTP_ACCEPT")
        return self.accepted.get(accept) or choose(accept, self.spec.responses)

    def lenient(self, request: Request) -> bool:
        """Whether unknown parameters are ignored, by configuration or because the caller prefers it."""
        return not self.spec.strict or ("HTTP_PREFER" in request.environ and request.prefers("handling", "lenient"))


def fixed_by(request: Request) -> tuple[Any, ...]:
    """What a list depends on apart from its parameters: the nested route, and the caller where that matters."""
    nested = () if request.within is None else (request.within,)
    return nested if request.scope is None else (*nested, request.user.pk)
