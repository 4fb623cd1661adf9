"""What `DataStore` itself promises every store."""

from __future__ import annotations

import os
import threading
import warnings

from datastores import PythonListDataStore


def test_a_child_forked_while_another_thread_opens_the_store_can_open_it() -> None:
    store = PythonListDataStore([{"id": 1}])
    opening, go_on = threading.Event(), threading.Event()

    def open_slowly() -> None:
        with store._opening:
            opening.set()
            go_on.wait(30)

    other = threading.Thread(target=open_slowly)
    other.start()
    assert opening.wait(30)
    with warnings.catch_warnings():
        # Python 3.12 and later warn of a fork among threads, which is what is tried here
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(0 if store._opening.acquire(timeout=10) and store.model.pk is not None else 1)
    go_on.set()
    other.join()
    assert os.waitpid(child, 0)[1] == 0
