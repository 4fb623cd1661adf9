"""Counts in memory: what is over goes away by itself, and what comes is bounded."""

from __future__ import annotations

import pytest

from rest_kit.errors import ConfigurationError, StoreFull
from rest_kit.storage import MemoryStorage, Window
from rest_kit.testing.storage_suite import MINUTE, SECOND, Hand, admitted, window


def test_callers_who_do_not_come_back_are_forgotten() -> None:
    clock = Hand()
    storage = MemoryStorage(clock=clock)
    most = 0
    for number in range(20_000):
        clock.now += SECOND // 10
        storage.hit([window(5, 10), window(100, 20)])
        storage.swap(f"key {number}", None, b"value", 10)
        most = max(most, len(storage._entries))
    # 100 callers and values within ten seconds, twice as many within twenty
    assert 400 <= most <= 900
    assert len(storage._round) == len(storage._entries)


def test_values_that_come_and_go_leave_nothing() -> None:
    clock = Hand()
    storage = MemoryStorage(clock=clock)
    for _ in range(1000):
        assert storage.swap("key", None, b"value", 10)
        assert storage.swap("key", b"value", None, 10)
    assert len(storage._entries) == len(storage._round) == 1


def test_nobody_is_forgotten_who_still_counts() -> None:
    clock = Hand()
    storage = MemoryStorage(clock=clock)
    one = window(2, 3600)
    assert admitted(storage, one, times=2) == 2
    for _ in range(2000):
        clock.now += SECOND
        storage.hit([window(1, 5)])
    assert admitted(storage, one) == 0


def test_a_new_key_never_drives_out_another_of_the_same_hit() -> None:
    clock = Hand()
    storage = MemoryStorage(clock=clock)
    old = window(1, 60)
    assert admitted(storage, old) == 1
    clock.now += MINUTE
    assert admitted(storage, old, window(1), window(1)) == 1
    assert admitted(storage, old) == 0


def test_so_many_keys_and_no_more() -> None:
    clock = Hand()
    storage = MemoryStorage(max_keys=10, clock=clock)
    first = window(2)
    storage.hit([first])
    for _ in range(9):
        storage.hit([window(1)])
    with pytest.raises(StoreFull):
        storage.hit([window(1)])
    with pytest.raises(StoreFull):
        storage.swap("key", None, b"value", 60)
    assert admitted(storage, first, times=2) == 1, "those who are known go on being counted"
    clock.now += MINUTE
    assert admitted(storage, window(1)) == 1


def test_a_log_is_cut_as_it_goes_along() -> None:
    clock = Hand()
    storage = MemoryStorage(clock=clock)
    one = window(100, 60, "one")
    for _ in range(5000):
        clock.now += SECOND
        assert admitted(storage, one) == 1
    assert len(storage._entries["one", 60]) <= 121


def test_options_are_checked() -> None:
    with pytest.raises(ConfigurationError, match=r"2 problems(.|\n)*did you mean 'allow'(.|\n)*max_keys"):
        MemoryStorage(multiprocess="alow", max_keys=0)
    assert [MemoryStorage(multiprocess=one).tolerated for one in ("refuse", "allow")] == [False, True]
    assert MemoryStorage(multiprocess="allow").in_process


def test_a_window_is_a_value() -> None:
    assert Window("a", 1, 60) == Window("a", 1, 60, "default")
