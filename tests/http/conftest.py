"""The stores and the data that the tests of the HTTP contract run over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rest_kit.pagination import Pagination
from tests.http.samples import BOOKS, Book, Person, people_rows
from tests.http.support import Client, Storage

KINDS = ("list", "sqlite", "csv")


@pytest.fixture(params=KINDS)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Each kind of store in turn."""
    return Storage(request.param, tmp_path)


@pytest.fixture(scope="session", params=KINDS)
def reading(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """Each kind of store in turn, for data that no test writes to."""
    return Storage(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def people(reading: Storage) -> Client:
    """The hundred people of the contract's example, 20 a page; not to be written to."""
    options: dict[str, Any] = {"options": {"pagination": Pagination(20)}}
    return reading.client(Person, people_rows(), name="people", controller=options)


@pytest.fixture(scope="session")
def library(reading: Storage) -> Client:
    """The books, at `/books/`; not to be written to."""
    return reading.client(Book, BOOKS, name="books")


@pytest.fixture
def books(storage: Storage) -> Client:
    """The books, at `/books/`, for this test alone."""
    return storage.client(Book, BOOKS, name="books")
