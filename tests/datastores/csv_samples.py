"""What the tests of the CSV store share: a model, stores over it, and processes that die at a chosen step."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from datastores.csv.store import CSVDataStore
from rest_kit.events.log import Event
from rest_kit.models import Field, IntegerField, Model, PkField, StringField
from rest_kit.query import Query
from rest_kit.store import DataStore
from rest_kit.types import Record

DEAD = 9
TOUCHING = ("write", "pwrite", "fsync", "replace", "ftruncate", "truncate", "unlink", "fchmod", "utime", "open")


class Person(Model):
    """A small model with a key that the store makes."""

    fields: ClassVar[Sequence[Field]] = [PkField("id"), StringField("name", required=True), IntegerField("age")]


def opened(path: Path, model: Model | None = None, **options: Any) -> CSVDataStore:
    """A store over the file, bound to the model if one is given."""
    store = CSVDataStore({"path": path}, options)
    if model is not None:
        store.bind(model)
    return store


def people_at(path: Path, **options: Any) -> CSVDataStore:
    return opened(path, Person(), **options)


def everything(store: DataStore) -> list[Record]:
    return store.find(Query()).records


def insert(store: DataStore, *records: Record) -> list[Record]:
    return store.atomic(lambda tx: tx.insert(list(records)))


def update(store: DataStore, pk: Any, record: Record) -> Record:
    return store.atomic(lambda tx: tx.update(pk, record))


def delete(store: DataStore, pk: Any) -> None:
    store.atomic(lambda tx: tx.delete(pk))


def events_of(store: DataStore) -> list[Event]:
    log = store.changes()
    assert log is not None
    return log.read(0, 100_000)


def replayed(events: list[Event]) -> list[Record]:
    """The rows that the events add up to, by key; every event must fit onto the ones before it."""
    rows: dict[Any, Record] = {}
    for event in events:
        assert rows.get(event.pk) == event.before, event
        if event.after is None:
            del rows[event.pk]
        else:
            rows[event.pk] = event.after
    return [rows[pk] for pk in sorted(rows)]


@contextmanager
def dying_at(step: int, *, in_part: bool = False) -> Iterator[None]:
    """This process ends, as if killed, before its `step`-th touch of the file system; or in the midst of a write."""
    count = 0

    def touched(original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == step:
                if in_part and name in ("write", "pwrite") and len(args[1]) > 1:
                    original(args[0], bytes(args[1])[: len(args[1]) // 2], *args[2:])
                os._exit(DEAD)
            return original(*args, **kwargs)

        return call

    originals = {name: getattr(os, name) for name in TOUCHING}
    for name, original in originals.items():
        setattr(os, name, touched(original, name))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(os, name, original)


def in_child(work: Callable[[], None]) -> int:
    """Run the work in a forked process; its exit status, which is 0 where the work came to its end."""
    return ended(started(work))


def started(work: Callable[[], None]) -> int:
    """A forked process that does the work."""
    with warnings.catch_warnings():
        # The test runner's own threads hold nothing that the work needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _work_and_leave(work)
    return child


def ended(child: int) -> int:
    """The exit status of a process, once it has ended."""
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _work_and_leave(work: Callable[[], None]) -> NoReturn:
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)
