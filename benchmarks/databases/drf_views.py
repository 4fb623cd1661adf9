"""The serializer and the views of the DRF contender; imported once Django is configured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from rest_framework import serializers, viewsets
from rest_framework.routers import SimpleRouter

from benchmarks.contenders.drf_views import Page, asked
from benchmarks.workload import AUTHOR_LENGTH, TITLE_LENGTH


class Book(models.Model):
    """A book in the table."""

    title = models.CharField(max_length=TITLE_LENGTH)
    author = models.CharField(max_length=AUTHOR_LENGTH, db_index=True)
    price = models.FloatField()
    published = models.DateField()
    in_stock = models.BooleanField()

    class Meta:
        app_label = "databases"
        db_table = "books"
        managed = False


class BookSerializer(serializers.ModelSerializer[Book]):
    """A book."""

    class Meta:
        model = Book
        fields = ("id", "title", "author", "price", "published", "in_stock")


class Books(viewsets.ReadOnlyModelViewSet[Book]):
    """The table, and its rows."""

    serializer_class = BookSerializer
    pagination_class = Page
    lookup_value_converter = "int"
    place = "default"

    def get_queryset(self) -> models.QuerySet[Book]:
        rows = Book.objects.using(self.place)
        if self.action != "list":
            return rows
        query = asked(self.request)
        if "author" in query:
            rows = rows.filter(author=query["author"])
        if "price__gte" in query:
            rows = rows.filter(price__gte=query["price__gte"])
        return rows.order_by(*[query["ordering"]] if "ordering" in query else [], "id")


def urls(places: Iterable[str]) -> list[Any]:
    """The routes of every place."""
    router = SimpleRouter(use_regex_path=False)
    for place in places:
        router.register(place, type(f"{place}Books", (Books,), {"place": place}), basename=place)
    found: list[Any] = router.urls
    return found
