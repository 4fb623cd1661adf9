"""A CSV file as a store: the file is the truth, a private index answers, a journal makes every write whole."""

from __future__ import annotations

from datastores.csv.store import CSVDataStore

__all__ = ["CSVDataStore"]
