"""The serializers and views of the DRF contender; imported once Django is configured."""

from __future__ import annotations

import datetime
from itertools import count
from operator import itemgetter
from typing import Any

from django.db import models
from rest_framework import pagination, serializers, viewsets
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from benchmarks.workload import AUTHOR_LENGTH, MAX_PAGE, TITLE_LENGTH, Book


def a_date(text: str) -> None:
    """Fail on what is no date; books keep theirs as text."""
    try:
        datetime.date.fromisoformat(text)
    except ValueError as exc:
        raise serializers.ValidationError("not a date") from exc


def positive(value: float) -> None:
    """Fail on what is not more than nothing."""
    if not value > 0:
        raise serializers.ValidationError("not positive")


class BookRow(models.Model):
    """A book in the table."""

    title = models.CharField(max_length=TITLE_LENGTH)
    author = models.CharField(max_length=AUTHOR_LENGTH)
    price = models.FloatField()
    published = models.CharField(max_length=10)
    in_stock = models.BooleanField()

    class Meta:
        app_label = "benchmarks"
        db_table = "books"
        managed = False


class BookSerializer(serializers.Serializer[Any]):
    """A book that is a dict."""

    id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(max_length=TITLE_LENGTH)
    author = serializers.CharField(max_length=AUTHOR_LENGTH)
    price = serializers.FloatField(validators=[positive])
    published = serializers.CharField(validators=[a_date])
    in_stock = serializers.BooleanField()


class RowSerializer(serializers.ModelSerializer[BookRow]):
    """A book that is a row."""

    class Meta:
        model = BookRow
        fields = ("id", "title", "author", "price", "published", "in_stock")


class Page(pagination.LimitOffsetPagination):
    """Pages by offset and count, in the envelope that all contenders answer with."""

    default_limit = MAX_PAGE
    max_limit = MAX_PAGE
    limit_query_param = "count"

    def get_paginated_response(self, data: Any) -> Response:
        meta = {"offset": self.offset, "count": self.limit, "total_count": self.count}
        return Response({"meta": meta, "object_list": data})


class ParameterSerializer(serializers.Serializer[Any]):
    """The filters of a list."""

    in_stock = serializers.BooleanField(required=False)
    price__gte = serializers.FloatField(required=False)
    author = serializers.CharField(required=False)
    ordering = serializers.ChoiceField(["price", "-price"], required=False)


def asked(request: Request) -> dict[str, Any]:
    """The typed filters of a list; what was not sent is not there."""
    query = ParameterSerializer(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    found: dict[str, Any] = query.validated_data
    return found


class Books(viewsets.GenericViewSet[Any]):
    """The list, and its items."""

    serializer_class = BookSerializer
    pagination_class = Page
    lookup_value_converter = "int"
    books: list[Book]
    by_id: dict[int, Book]
    ids: Any

    def list(self, request: Request) -> Response:
        query = asked(request)
        books = self.books
        if "in_stock" in query and "price__gte" in query:
            in_stock, least = query["in_stock"], query["price__gte"]
            books = [book for book in books if book["in_stock"] is in_stock and book["price"] >= least]
        if query.get("ordering") == "-price":
            books = sorted(books, key=itemgetter("price"), reverse=True)
        page = self.paginate_queryset(books)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: int) -> Response:
        book = self.by_id.get(pk)
        if book is None:
            raise NotFound
        return Response(self.get_serializer(book).data)

    def create(self, request: Request) -> Response:
        posted = self.get_serializer(data=request.data)
        posted.is_valid(raise_exception=True)
        book = {"id": next(self.ids), **posted.validated_data}
        self.books.append(book)
        self.by_id[book["id"]] = book
        return Response(self.get_serializer(book).data, status=201)


class Rows(viewsets.ReadOnlyModelViewSet[BookRow]):
    """The table, and its rows."""

    serializer_class = RowSerializer
    pagination_class = Page
    lookup_value_converter = "int"

    def get_queryset(self) -> models.QuerySet[BookRow]:
        rows = BookRow.objects.all()
        if self.action != "list":
            return rows
        query = asked(self.request)
        if "author" in query:
            rows = rows.filter(author=query["author"])
        if "price__gte" in query:
            rows = rows.filter(price__gte=query["price__gte"])
        return rows.order_by(*[query["ordering"]] if "ordering" in query else [], "id")


def urls(books: list[Book]) -> list[Any]:
    """The routes of both."""
    over_books = type(
        "OverBooks",
        (Books,),
        {
            "books": books,
            "by_id": {book["id"]: book for book in books},
            "ids": count(len(books) + 1),
        },
    )
    router = SimpleRouter(use_regex_path=False)
    router.register("books", over_books, basename="books")
    router.register("stored", Rows, basename="stored")
    found: list[Any] = router.urls
    return found
