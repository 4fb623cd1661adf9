"""Rows from one store into another, whatever either of them is: in batches, each table as one step.

    copy([Pair("books", PythonListDataStore(rows), SQLiteDataStore({"name": "library.db", "table": "books"}))])

The source is read by its key, a batch at a time, so that a million rows take no more memory than a thousand. What can
be said beforehand (what the target cannot take, which names it lacks) is said before anything is written, all at once.
Tables come in the order of their references; a reference to a row that has not come yet is filled in at the end.
"""

from __future__ import annotations

from rest_kit.copying.carry import carries
from rest_kit.copying.plan import Pair, models_for, references_among
from rest_kit.copying.run import Rows, RowsThere, copy
from rest_kit.copying.table import NotCopied

__all__ = ["NotCopied", "Pair", "Rows", "RowsThere", "carries", "copy", "models_for", "references_among"]
