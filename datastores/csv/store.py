"""A resource that is a CSV file, which stays the CSV file that it is.

    store = CSVDataStore({"path": "people.csv"})
    store = CSVDataStore({"path": "iso3166.tab"}, {"columns": ["code", "name"], "comment": "#", "key": "code"})

- The file is the truth, and others may edit it: every read and write looks first whether it has changed. An edit that
  leaves it unreadable (a quote never closed, a row cut short) is StoreCorrupt, with file and line, until it is mended;
  nothing is ever written to such a file. Edits by other programs make no events.
- Bytes that a write does not mean to change stay: other rows, other cells, columns that the model does not know,
  comments, blank lines, quotes, line endings, a byte order mark. Inserts append; updates and deletes write a copy of
  the file and rename it onto the old one (a symbolic link goes on pointing to it; a hard link does not).
- An empty cell is None in a nullable field and the empty text otherwise, so the empty text cannot be written to a
  nullable text field; the option `null` names another marker.
- Beside `people.csv`, `.people.csv.rest_kit-lock` keeps writers of all processes apart, and
  `.people.csv.rest_kit-journal` holds the events, replies kept under idempotency keys, and what it takes to
  set right a write that was cut short. Both come into being with the first write. The latter may be removed while
  nothing runs, and takes events and replies with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from datastores.csv.core import Core
from datastores.csv.cores import core_of
from datastores.csv.dialect import form_problems
from datastores.csv.keys import WHY_NOT, keyed, refuse_unknown_fields, row_number
from datastores.csv.log import JournalLog
from datastores.csv.tx import CSVTx
from rest_kit.errors import ConfigurationError, ReadOnly
from rest_kit.events.log import EventLog
from rest_kit.models.model import Model
from rest_kit.query import Query, Result, Where
from rest_kit.rows import within
from rest_kit.store import Capabilities, DataStore, Tx, check_keys, check_options, refuse, well_typed
from rest_kit.types import Pk, Record

T = TypeVar("T")


class CSVDataStore(DataStore):
    """Serves a CSV file: `{"path": ...}`.

    Options on its form, each of which is otherwise read off the file: `delimiter`, `quotechar` ("" for none),
    `encoding` (UTF-8), `null` (the cell that means null), `comment` (what comment lines begin with), `columns` (names,
    where there is no header line), `key` (the primary key's column). On the rest: `indexes` (fields to find by at any
    size), `read_only`, `events`, `retention` (how many events are kept), `timeout` (seconds to wait for a lock).
    """

    resource_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = {"path": (str, os.PathLike)}
    option_keys: ClassVar[Mapping[str, type | tuple[type, ...]]] = {
        "delimiter": str,
        "quotechar": str,
        "encoding": str,
        "null": str,
        "comment": str,
        "columns": (list, tuple),
        "key": str,
        "indexes": (list, tuple),
        "read_only": bool,
        "events": bool,
        "retention": int,
        "timeout": (int, float),
    }

    def __init__(self, resource: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> None:
        super().__init__(resource, options)
        refuse(self._problems(), type(self).__name__)
        self.path = os.path.abspath(resource["path"])
        self._served: Model | None = None
        self._declared: type[Model] | None = None
        self._core: Core | None = None
        self._keeps_events: bool = self.options.get("events", True)

    def _problems(self) -> list[str]:
        if not isinstance(self.resource, Mapping):
            return [f'resource must be a dict like {{"path": "people.csv"}}, not {self.resource!r:.80}']
        problems = check_keys(self.resource, self.resource_keys, "resource")
        problems += [] if "path" in self.resource else ["resource has no 'path'"]
        problems += check_options(self.options, self.option_keys)
        return problems + form_problems(well_typed(self.options, self.option_keys))

    def bind(self, model: Model) -> None:
        """Serve the rows as this model; without a key, by their number and for reading only (ConfigurationError)."""
        if self._declared is type(model):
            return
        refuse_unknown_fields(self.options, model)
        key = self.options.get("key")
        if key is not None and model.pk is not None and model.pk.primary_key and model.pk.name != key:
            what = f"options['key'] is {key!r}, and the model's primary key is {model.pk.name!r}: leave one of them out"
            raise ConfigurationError(what, owner=model.name)
        self._declared, self._served = type(model), keyed(model, key)
        self._core = None
        super().bind(self._served)

    @property
    def capabilities(self) -> Capabilities:
        return self._able(self._model or (self._core.opening.model if self._core is not None else None))

    def _able(self, model: Model | None) -> Capabilities:
        """What can be done with rows that follow this model, or one that is not known yet."""
        if self.options.get("read_only"):
            return Capabilities(writable=False, events=self._keeps_events, why_not="the option read_only is set")
        if model is not None and row_number(model) is not None:
            return Capabilities(writable=False, events=self._keeps_events, why_not=WHY_NOT)
        return Capabilities(events=self._keeps_events, idempotency=True)

    def _open(self) -> Core:
        """The process's core for the file; another one after a fork."""
        core = self._core
        if core is None or core.pid != os.getpid():
            core = self._core = core_of(self.path, self.options, self._served, self._declared)
        return core

    def infer(self) -> Model:
        core = self._open()
        with core.lock:
            return core.mirror().model

    def ping(self) -> None:
        core = self._open()
        with core.lock:
            core.mirror()

    def find(self, query: Query) -> Result:
        core = self._open()
        with core.lock:
            return core.mirror().find(query)

    def get(self, pk: Pk, scope: Where | None = None) -> Record:
        core = self._open()
        with core.lock:
            return within(scope, core.mirror().get(pk), pk)

    def atomic(self, work: Callable[[Tx], T]) -> T:
        able = self._able(self.model)
        if not able.writable:
            raise ReadOnly(able.why_not)
        core = self._open()
        return core.atomic(lambda mirror, changes: work(CSVTx(core, mirror, changes, events=self._keeps_events)))

    def changes(self) -> EventLog | None:
        return JournalLog(self._open, lambda: self.model) if self._keeps_events else None

    def close(self) -> None:
        if self._core is not None and self._core.pid == os.getpid():
            self._core.close()
