"""A resource that is a Python list of dicts, its owner's own: what is written here shows there, and vice versa.

    store = PythonListDataStore([{"id": 1, "name": "Ada"}], {"indexes": ["name"]})

Inserts append dicts to the list, updates change a row's values in place, deletes remove it. Rows stay as their owner
keeps them (dates as text or as dates); what leaves the store is typed, and a copy. The owner may append and remove at
any time; who changes a key, an indexed field or the form of values in place, or sorts the list, calls `refresh()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from datastores.python_list.code import Row
from datastores.python_list.core import core_of
from datastores.python_list.events import RETENTION
from datastores.python_list.find import find
from datastores.python_list.log import ListLog
from datastores.python_list.tx import ListTx
from datastores.python_list.view import ListView
from rest_kit.errors import ConfigurationError, RecordNotFound, StoreCorrupt
from rest_kit.events.log import EventLog
from rest_kit.models.fields import PkField
from rest_kit.models.infer import infer_rows
from rest_kit.models.model import Model
from rest_kit.query import Query, Result, Where
from rest_kit.rows import within
from rest_kit.store import Capabilities, DataStore, Tx, check_options, refuse, refuse_unknown
from rest_kit.types import Pk, Record

T = TypeVar("T")


class PythonListDataStore(DataStore):
    """Serves a list of dicts.

    Options: `indexes` (names of fields to find and sort by at any size), `events` (False: none are kept), `retention`
    (how many events are kept).
    """

    option_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = {
        "indexes": (list, tuple),
        "events": bool,
        "retention": int,
    }

    def __init__(self, resource: list[Row], options: Mapping[str, Any] | None = None) -> None:
        super().__init__(resource, options)
        problems = check_options(self.options, self.option_keys)
        if not isinstance(resource, list):
            problems.append(f"resource must be a list of dicts, not {resource!r:.80}")
        refuse(problems, type(self).__name__)
        self._indexes: tuple[str, ...] = tuple(self.options.get("indexes", ()))
        self._keeps_events: bool = self.options.get("events", True)
        self._capabilities = Capabilities(in_process=True, events=self._keeps_events, idempotency=True)
        self._core = core_of(resource)
        self._core.ring.keep(self.options.get("retention", RETENTION))
        self._view: ListView | None = None

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def bind(self, model: Model) -> None:
        """Serve the rows as this model, with a generated `id` where it has no primary key (ConfigurationError)."""
        keyed = model if model.pk is not None else model.with_pk(PkField("id"))
        scalars = [name for name, field in keyed.by_name.items() if field.kind.is_scalar]
        refuse_unknown("indexes", self._indexes, scalars, keyed.name)
        super().bind(keyed)
        self._view = None

    def infer(self) -> Model:
        with self._core.lock:
            try:
                model = infer_rows(self._core.rows, "Row")
            except ConfigurationError as exc:
                raise StoreCorrupt(str(exc)) from exc
        return model if model.pk is not None else model.with_pk(PkField("id"))

    def _open(self) -> ListView:
        """The view through the model, made at first use."""
        view = self._view
        if view is None:
            view = self._view = self._core.view(self.model, self._indexes)
        return view

    def ping(self) -> None:
        view = self._open()
        with self._core.lock:
            view.settle()

    def refresh(self) -> None:
        """Look at all rows again, after some were changed in place (StoreCorrupt where one no longer fits)."""
        mine = self._open()
        with self._core.lock:
            for view in self._core.views():
                view.forget_all()
            mine.settle()

    def find(self, query: Query) -> Result:
        view = self._view or self._open()
        with self._core.lock:
            rows = view.rows
            if len(rows) != view.size or (rows and rows[-1] is not view.last):
                view.settle()
            return find(view, query)

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        view = self._view or self._open()
        with self._core.lock:
            record = view.copy(pk) or self._get(view, pk)
        return record if scope is None else within(scope, record, pk)

    def _get(self, view: ListView, pk: Pk) -> Record:
        view.settle()
        row = view.row(pk)
        if row is None:
            raise RecordNotFound(pk)
        return view.record(row)

    def atomic(self, work: Callable[[Tx], T]) -> T:
        view = self._view or self._open()
        return self._core.run(lambda steps: work(ListTx(self, view, steps)), log=self._keeps_events)

    def changes(self) -> EventLog | None:
        return ListLog(self._core, self._open) if self._keeps_events else None

    def close(self) -> None:
        """Nothing is open; the list stays its owner's."""
