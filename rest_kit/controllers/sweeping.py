"""Files that no record names: what killed processes, cascaded deletions and failed clean-ups have left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rest_kit.controllers.controller import Controller
from rest_kit.controllers.dispatcher import WSGIDispatcher
from rest_kit.models import StoredFile
from rest_kit.models.files import file_fields
from rest_kit.query import Page, Query
from rest_kit.uploads import FileStorage

BATCH: Final = 1000
DAY: Final = 24 * 60 * 60.0


def sweep_files(app: WSGIDispatcher | Controller, *, older_than: float = DAY) -> int:
    """Delete the files that no record of the application names, and say how many those were.

    Only files last written more than `older_than` seconds ago are looked at, so that one whose record is just being
    written stays. Every storage must belong to this application alone, its `fallback` included where that is a
    dispatcher or a controller (StoreError, and then nothing more is deleted).
    """
    sharing: dict[FileStorage, list[Controller]] = {}
    for controller in _all_of(app):
        if controller.spec.files is not None:
            sharing.setdefault(controller.spec.files, []).append(controller)
    return sum(_swept(storage, mine, older_than) for storage, mine in sharing.items())


def _all_of(app: object) -> Iterator[Controller]:
    """The controllers of an application, and of those behind it."""
    if isinstance(app, WSGIDispatcher):
        yield from app.controllers
        yield from _all_of(app.fallback)
    elif isinstance(app, Controller):
        yield app


def _swept(storage: FileStorage, controllers: list[Controller], older_than: float) -> int:
    old = set(storage.keys(older_than))  # before the records are read: what comes later is not among them
    for controller in controllers:
        old.difference_update(_named(controller))
    for key in old:
        storage.delete(key)
    return len(old)


def _named(controller: Controller) -> Iterator[str]:
    """The keys of the files that a resource's records name."""
    store = controller.prepare().store
    assert store.model.pk is not None
    pk, names = store.model.pk.name, tuple(file_fields(store.model.fields))
    limit, after, more = BATCH if store.capabilities.keyset else None, None, True
    while more:
        result = store.find(Query(fields=(pk, *names), page=Page(limit, after=after)))
        for record in result.records:
            yield from (StoredFile.of(record[name]).key for name in names if record[name] is not None)
        after, more = (record[pk],) if result.records else None, result.more and bool(result.records)
