"""A list of dicts as a store: the rows stay their owner's, and each question is compiled once."""

from __future__ import annotations

from datastores.python_list.store import PythonListDataStore

__all__ = ["PythonListDataStore"]
