"""What the contenders with marshmallow share: the schema of a book, and of a page of them."""

from __future__ import annotations

import datetime

from marshmallow import Schema, ValidationError, fields, validate

from benchmarks.workload import AUTHOR_LENGTH, MAX_PAGE, TITLE_LENGTH


def a_date(text: str) -> None:
    """Fail on what is no date; books keep theirs as text."""
    try:
        datetime.date.fromisoformat(text)
    except ValueError as exc:
        raise ValidationError("not a date") from exc


class BookSchema(Schema):
    """A book."""

    id = fields.Integer(dump_only=True)
    title = fields.String(required=True, validate=validate.Length(1, TITLE_LENGTH))
    author = fields.String(required=True, validate=validate.Length(1, AUTHOR_LENGTH))
    price = fields.Float(required=True, validate=validate.Range(0, min_inclusive=False))
    published = fields.String(required=True, validate=a_date)
    in_stock = fields.Boolean(required=True)


class MetaSchema(Schema):
    """Where a page lies."""

    offset = fields.Integer()
    count = fields.Integer()
    total_count = fields.Integer()


class PageSchema(Schema):
    """A page of books."""

    meta = fields.Nested(MetaSchema)
    object_list = fields.List(fields.Nested(BookSchema))


class QuerySchema(Schema):
    """The parameters of a list."""

    offset = fields.Integer(load_default=0, validate=validate.Range(0))
    count = fields.Integer(load_default=MAX_PAGE, validate=validate.Range(0))
    in_stock = fields.Boolean()
    price__gte = fields.Float()
    author = fields.String()
    ordering = fields.String(validate=validate.OneOf(["price", "-price"]))
