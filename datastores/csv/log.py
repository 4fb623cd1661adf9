"""The change log of a CSV file, read from its journal."""

from __future__ import annotations

from collections.abc import Callable

from datastores.csv.columns import record_of
from datastores.csv.core import Core
from datastores.csv.entries import JournalEvent
from rest_kit.errors import StoreCorrupt
from rest_kit.events.log import Event, EventLog
from rest_kit.models.model import Model


class JournalLog(EventLog):
    """The events of a CSV file, as its journal keeps them."""

    def __init__(self, core: Callable[[], Core], model: Callable[[], Model]) -> None:
        self._core = core
        self._model = model

    def read(self, since: int, limit: int = 100) -> list[Event]:
        return [self._event(seq, kept) for seq, kept in self._core().events(since, limit)]

    def last(self) -> int:
        return self._core().last_event()

    def _event(self, seq: int, kept: JournalEvent) -> Event:
        model = self._model()
        assert model.pk is not None
        try:
            before, after = record_of(kept.before, model), record_of(kept.after, model)
            return Event(seq, kept.action, model.pk.coerce(kept.pk), before, after, kept.at)
        except ValueError as exc:
            raise StoreCorrupt(f"{self._core().path}: event {seq} in the journal no longer fits the model") from exc
