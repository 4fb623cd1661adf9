"""Does a datastore keep the contract? Subclass `DataStoreConformance`, say how to make yours, and run pytest.

    from rest_kit.testing.conformance import DataStoreConformance

    class TestMyStore(DataStoreConformance):
        def make_store(self, model, rows, **options):
            store = MyStore({"where": ...}, options)
            store.bind(model)
            store.atomic(lambda tx: tx.insert(rows))
            return store

Every answer is compared with `rest_kit.rows`, the reference. No test is skipped: what a store does not claim in its
capabilities it must refuse, and that is tested instead. Overriding a test away is not conformance.
"""

from __future__ import annotations

from rest_kit.testing.events_suite import EventsSuite
from rest_kit.testing.idempotency_suite import IdempotencySuite
from rest_kit.testing.queries_suite import QueriesSuite
from rest_kit.testing.reading_suite import ReadingSuite
from rest_kit.testing.threads_suite import ThreadsSuite
from rest_kit.testing.writing_suite import WritingSuite


class DataStoreConformance(ReadingSuite, WritingSuite, EventsSuite, IdempotencySuite, ThreadsSuite, QueriesSuite):
    """The whole contract of `rest_kit.store.DataStore`, as tests; `make_store` is all that an author must write."""
