"""From stored records to the objects, lists and headers of a reply."""

from __future__ import annotations

from typing import Any

from rest_kit import jsonio
from rest_kit.models import Field, Model
from rest_kit.models.files import file_fields
from rest_kit.pagination import Links as PageLinks
from rest_kit.preconditions import Tagger
from rest_kit.problems import Headers, Reply
from rest_kit.relations import Links
from rest_kit.request import Request
from rest_kit.spec import Spec
from rest_kit.types import Kind, Record
from rest_kit.views import JsonResponse, Response, add_resource_uri
from rest_kit.views.base import segment


class Presenter:
    """Shapes records for one resource: what may be seen of them, dumped, with the view's formatters applied.

    `told` tells apart those who see different fields.
    """

    def __init__(self, spec: Spec, model: Model, tagger: Tagger, links: Links | None = None, *, told: str = "") -> None:
        assert model.pk is not None
        self.told = told
        self.spec = spec
        self.model = model
        self.tagger = tagger
        self.links = links
        """What shows foreign keys as URIs, where that is asked for."""
        self.pk = model.pk.name
        self.hidden = tuple(name for name in model.names if name not in model.readable)
        self.veiled = bool(self.hidden) or any(map(_may_hide, model.fields))
        self.files = tuple(name for name in file_fields(model.fields) if name in model.readable)
        self.vary: Headers = [("Vary", "Accept")] if len(spec.responses) > 1 else []
        plain = (
            spec.formatters == (add_resource_uri,)
            and model.dumps_plain
            and links is None
            and model.pk.kind.python_type is int
            and "resource_uri" not in model.names
        )
        self.shape = self._shape_plain if plain else self._shape
        spliced = plain and not self.hidden and spec.responses[0].render is JsonResponse.render
        self.represent = self._represent_spliced if spliced else self._represent

    # PERF: benchmarks/run.py, page of 100: no Response object and no call per record, for an integer key, the default
    # formatter, and values that msgspec writes by itself.
    def _shape_plain(self, records: list[Record], request: Request, response: type[Response]) -> list[Record]:
        """What `_shape` does, where it can be done in place."""
        mount, pk = request.mount, self.pk
        for record in records:
            record["resource_uri"] = f"{mount}{record[pk]}/"
        return records

    def _shape(self, records: list[Record], request: Request, response: type[Response]) -> list[Record]:
        """The records dumped and formatted; they are the store's gift and may be changed."""
        shown = records if self.model.dumps_plain else [self.model.dump(record) for record in records]
        if self.files:
            mount, pk = request.mount, self.pk
            shown = [self.with_urls(obj, f"{mount}{segment(obj[pk])}/") for obj in shown]
        if self.links is not None:
            shown = self.links.show(shown, request.script_name())
        if self.spec.formatters:
            view = response(request, self.pk)
            for formatter in self.spec.formatters:
                shown = [formatter(view, obj) for obj in shown]
        return shown

    # PERF: benchmarks/run.py, one: the bytes that the tag is made of are the body already, but for the link.
    def _represent_spliced(
        self, request: Request, record: Record, response: type[Response], fields: tuple[str, ...] | None
    ) -> tuple[str, bytes]:
        """What `_represent` does, for JSON with the default formatter."""
        if fields is not None or response is not self.spec.responses[0]:
            return self._represent(request, record, response, fields)
        stored = jsonio.encode(record)
        uri = b',"resource_uri":"%s%d/"}' % (request.mount.encode(), record[self.pk])
        return self.tagger.digest(stored), stored[:-1] + uri

    def _represent(
        self, request: Request, record: Record, response: type[Response], fields: tuple[str, ...] | None
    ) -> tuple[str, bytes]:
        """The entity tag (without quotes) and the body of a representation of one stored record."""
        tag = self.tag(record, fields, response)
        if fields is not None:
            record = {name: record[name] for name in fields}
        elif self.hidden:
            record = self.hide(record)
        return tag, response.render(self.shape([record], request, response)[0])

    def represent_expanded(
        self,
        request: Request,
        record: Record,
        response: type[Response],
        fields: tuple[str, ...] | None,
        added: Record,
        *,
        asked: str,
    ) -> tuple[str, bytes]:
        """The same with members added, as `asked`: a tag that begins as the plain one, and follows the body."""
        tag = self.hash(record)
        record = self.hide(record) if fields is None else {name: record[name] for name in fields}
        body = response.render({**self.shape([record], request, response)[0], **added})
        told = f"{response.media_type} {fields} {asked} ".encode()
        return tag + self.tagger.full_suffix(told + body), body

    def hide(self, record: Record) -> Record:
        """The record without what nobody may read."""
        for name in self.hidden:
            record.pop(name, None)
        return record

    def shown(self, record: Record, uri: str) -> dict[str, Any]:
        """The JSON form of what may be read of a record: what a client has in hand when it sends it back.

        `uri` is the URL path of the item.
        """
        found = {name: self.model.json_value(name, record[name]) for name in self.model.readable}
        return self.with_urls(found, uri) if self.files else found

    def with_urls(self, obj: dict[str, Any], uri: str) -> dict[str, Any]:
        """An object that is shown, with the URL paths of its files, which lie below its own."""
        for name in self.files:
            if obj.get(name) is not None:
                obj[name] = {"url": f"{uri}{name}/", **obj[name]}
        return obj

    def tag(self, record: Record, fields: tuple[str, ...] | None, response: type[Response]) -> str:
        """The entity tag of a representation of the record, without its quotes."""
        tag = self.hash(record)
        if fields is None and response is self.spec.responses[0]:
            return tag
        return tag + self.tagger.suffix(f"{response.media_type} {fields}")

    def hash(self, record: Record) -> str:
        """The main part of the entity tags of a record: of what may be read of it alone.

        A tag that followed what is hidden would tell whoever may set a hidden field when a guess has hit.
        """
        if self.veiled:
            record = self.model.dump({name: record[name] for name in self.model.readable})
        return self.tagger.hash(record)

    def item(
        self,
        request: Request,
        record: Record,
        response: type[Response],
        fields: tuple[str, ...] | None,
        status: str = "200 OK",
    ) -> Reply:
        """One whole record as a reply with its entity tag."""
        tag, body = self.represent(request, record, response, fields)
        return status, self.item_headers(tag, body, response), body

    def item_headers(self, tag: str, body: bytes, response: type[Response]) -> Headers:
        """The headers of a reply that is one item."""
        return [
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(body))),
            ("ETag", f'"{tag}"'),
            *self.vary,
        ]

    def many(
        self,
        request: Request,
        records: list[Record],
        response: type[Response],
        fields: tuple[str, ...] | None,
        status: str = "200 OK",
    ) -> Reply:
        """Several whole records as a bare array, as a write on the list answers."""
        if fields is None:
            shown = [self.hide(record) for record in records]
        else:
            shown = [{name: record[name] for name in fields} for record in records]
        body = response.render(self.shape(shown, request, response))
        return status, [("Content-Type", response.content_type), ("Content-Length", str(len(body))), *self.vary], body

    def page(
        self,
        request: Request,
        records: list[Record],
        response: type[Response],
        meta: dict[str, Any],
        links: PageLinks,
        *,
        added: list[Record] | None = None,
    ) -> Reply:
        """One page of a list, in its envelope or bare; the links go into the `Link` header too (RFC 8288)."""
        shown: Any = self.shape(records, request, response)
        if added is not None:
            shown = [{**obj, **more} for obj, more in zip(shown, added, strict=True)]
        if self.spec.envelope:
            meta["first"], meta["previous"] = links.first, links.previous
            meta["next"], meta["last"] = links.next, links.last
            shown = {"meta": meta, "object_list": shown}
        body = response.render(shown)
        headers = [("Content-Type", response.content_type), ("Content-Length", str(len(body))), *self.vary]
        header = link_header(links)
        if header:
            headers.append(("Link", header))
        if not self.spec.envelope and meta["total_count"] is not None:
            headers.append(("X-Total-Count", str(meta["total_count"])))
        return "200 OK", headers, body


def _may_hide(field: Field) -> bool:
    """Whether something within a field's values may be left out where they are shown."""
    return field.kind in (Kind.DICT, Kind.LIST) and not field.plain


def link_header(links: PageLinks) -> str:
    """The links as RFC 8288 writes them, those that exist."""
    found = [f'<{links.first}>; rel="first"'] if links.first else []
    if links.previous:
        found.append(f'<{links.previous}>; rel="prev"')
    if links.next:
        found.append(f'<{links.next}>; rel="next"')
    if links.last:
        found.append(f'<{links.last}>; rel="last"')
    return ", ".join(found)


def json_reply(data: Any, status: str = "200 OK") -> Reply:
    """Plain JSON, for descriptions and the like."""
    body = jsonio.dumps(data)
    return status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))], body
