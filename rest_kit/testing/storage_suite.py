"""Does a storage count exactly, and swap one at a time? Subclass `StorageConformance`, say how to make yours.

    from rest_kit.testing.storage_suite import StorageConformance

    class TestMyStorage(StorageConformance):
        def make_storage(self, clock):
            return MyStorage("where", clock=clock)

`clock` is a function that returns nanoseconds; a storage goes by it for all that it is asked here.
"""

from __future__ import annotations

import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rest_kit.storage import Storage, Window
from rest_kit.testing.threads_suite import together

MILLISECOND = 1_000_000
SECOND = 1000 * MILLISECOND
MINUTE = 60 * SECOND
START = 1_700_000_000 * SECOND


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


def window(quota: int, seconds: float = 60, key: str = "") -> Window:
    """A window that nobody else counts in."""
    return Window(key or uuid.uuid4().hex, quota, seconds)


def admitted(storage: Storage, *windows: Window, times: int = 1) -> int:
    """How many of so many hits were admitted."""
    return sum(storage.hit(windows)[0] for _ in range(times))


class StorageConformance(ABC):
    """The contract of `rest_kit.storage.Storage`, as tests; `make_storage` is all that an author must write."""

    @abstractmethod
    def make_storage(self, clock: Hand) -> Storage:
        """A storage that goes by this clock."""

    @pytest.fixture
    def clock(self) -> Hand:
        return Hand()

    @pytest.fixture
    def storage(self, clock: Hand) -> Iterator[Storage]:
        storage = self.make_storage(clock)
        yield storage
        storage.close()

    # --- counting -----------------------------------------------------------------------------------------------------

    def test_so_many_are_admitted_and_no_more(self, storage: Storage) -> None:
        one = window(3)
        told = [storage.hit([one]) for _ in range(4)]
        assert [passed for passed, _ in told] == [True, True, True, False]
        assert [counts[0].remaining for _, counts in told] == [2, 1, 0, 0]
        assert all(counts[0].window == one for _, counts in told)
        assert admitted(storage, window(3), times=4) == 3, "another key has counts of its own"

    def test_the_window_slides(self, storage: Storage, clock: Hand) -> None:
        one = window(2)
        assert admitted(storage, one) == 1
        clock.now += 59 * SECOND
        assert admitted(storage, one, times=2) == 1
        assert storage.hit([one])[1][0].reset == 1, "the first of the two leaves in a second"
        clock.now += SECOND - MILLISECOND
        assert admitted(storage, one) == 0
        clock.now += MILLISECOND
        assert admitted(storage, one, times=2) == 1, "one has left, and one has not"
        assert storage.hit([one])[1][0].reset == 59
        clock.now += 10 * MINUTE
        assert admitted(storage, one, times=3) == 2

    def test_a_hit_counts_in_all_of_the_windows_or_in_none(self, storage: Storage, clock: Hand) -> None:
        small, large = window(1, 60), window(3, 3600)
        assert admitted(storage, small, large, times=5) == 1
        passed, counts = storage.hit([large])
        assert (passed, counts[0].remaining) == (True, 1), "those that were refused have consumed nothing"
        clock.now += MINUTE
        assert admitted(storage, small, large, times=5) == 1
        clock.now += MINUTE
        passed, counts = storage.hit([small, large])
        assert not passed
        assert [count.remaining for count in counts] == [1, 0]

    def test_one_key_may_have_windows_of_several_lengths(self, storage: Storage, clock: Hand) -> None:
        key = uuid.uuid4().hex
        short, long = window(2, 60, key), window(3, 3600, key)
        assert admitted(storage, short, long, times=4) == 2
        clock.now += MINUTE
        assert admitted(storage, short, long, times=4) == 1

    def test_a_window_that_is_given_twice_is_one(self, storage: Storage) -> None:
        key = uuid.uuid4().hex
        twice = [window(3, 60, key), window(2, 60, key), window(3, 60, key)]
        assert [len(counts) for _, counts in (storage.hit(twice) for _ in range(3))] == [1, 1, 1]
        assert admitted(storage, window(3, 60, key), times=3) == 1, "the smaller quota has held"

    def test_a_quota_that_was_lowered_says_when_there_is_room_again(self, storage: Storage, clock: Hand) -> None:
        key = uuid.uuid4().hex
        for _ in range(4):
            assert admitted(storage, window(4, 60, key)) == 1
            clock.now += SECOND
        passed, counts = storage.hit([window(2, 60, key)])
        assert (passed, counts[0].remaining, counts[0].reset) == (False, 0, 58)
        clock.now += 58 * SECOND
        assert admitted(storage, window(2, 60, key), times=2) == 1

    def test_a_hit_can_be_taken_back(self, storage: Storage, clock: Hand) -> None:
        one, other = window(2), window(2)
        _, first = storage.hit([one])
        clock.now += 10 * SECOND
        storage.hit([one])
        assert storage.hit([other], first)[0]
        assert admitted(storage, one, times=2) == 1, "the first has made room"
        clock.now += 50 * SECOND
        assert admitted(storage, one) == 0, "and not the second, which leaves later"
        storage.hit([], first)
        assert admitted(storage, one) == 0, "what is over already does not matter"

    def test_no_clock_that_is_set_back_locks_out_for_longer_than_the_window(
        self, storage: Storage, clock: Hand
    ) -> None:
        one = window(2)
        assert admitted(storage, one, times=2) == 2
        clock.now -= 365 * 24 * 60 * MINUTE
        passed, counts = storage.hit([one])
        assert (passed, counts[0].reset) == (False, 60)
        clock.now += MINUTE
        assert admitted(storage, one, times=3) == 2

    def test_a_clock_that_is_set_forward_is_the_time(self, storage: Storage, clock: Hand) -> None:
        one = window(2)
        assert admitted(storage, one, times=2) == 2
        clock.now += 365 * 24 * 60 * MINUTE
        assert admitted(storage, one, times=3) == 2

    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(
        st.integers(1, 5),
        st.integers(60, 90),
        st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 4)), min_size=1, max_size=12),
    )
    def test_it_counts_as_the_plainest_code_does(
        self, storage: Storage, clock: Hand, quota: int, seconds: int, hits: list[tuple[int, int]]
    ) -> None:
        one = window(quota, seconds)
        past: list[int] = []
        for pause, times in hits:
            clock.now += pause * MILLISECOND
            for _ in range(times):
                live = [at for at in past if clock.now - at < seconds * SECOND]
                passed, (count,) = storage.hit([one])
                assert passed == (len(live) < quota)
                if passed:
                    past.append(clock.now)
                    live.append(clock.now)
                assert count.remaining == quota - len(live)
                assert count.reset == pytest.approx(live[0] / SECOND + seconds - clock.now / SECOND, abs=1e-5)

    def test_exactly_so_many_of_many_at_once(self, storage: Storage) -> None:
        one, other = window(20), window(1000)
        passed = together(lambda _: admitted(storage, one, other, times=10))
        assert sum(passed) == 20
        assert storage.hit([other])[1][0].remaining == 1000 - 21

    # --- values -------------------------------------------------------------------------------------------------------

    def test_a_value_is_kept_for_its_time(self, storage: Storage, clock: Hand) -> None:
        key = uuid.uuid4().hex
        assert storage.get(key) is None
        assert storage.swap(key, None, b"\x00 one", 3600)
        assert storage.get(key) == b"\x00 one"
        assert storage.get(key + "x") is None

    def test_a_value_changes_only_if_it_is_what_was_expected(self, storage: Storage) -> None:
        key = uuid.uuid4().hex
        assert not storage.swap(key, b"one", b"two", 3600)
        assert storage.swap(key, None, b"one", 3600)
        assert not storage.swap(key, None, b"two", 3600)
        assert not storage.swap(key, b"", b"two", 3600)
        assert not storage.swap(key, b"other", b"two", 3600)
        assert storage.get(key) == b"one"
        assert storage.swap(key, b"one", b"", 3600)
        assert storage.get(key) == b""
        assert not storage.swap(key, None, b"two", 3600), "nothing is not the same as an empty value"
        assert storage.swap(key, b"", None, 3600)
        assert storage.get(key) is None
        assert storage.swap(key, None, b"again", 3600)

    def test_of_many_who_swap_at_once_one_succeeds(self, storage: Storage) -> None:
        keys = [uuid.uuid4().hex for _ in range(10)]
        won = together(lambda number: [storage.swap(key, None, b"%d" % number, 3600) for key in keys])
        assert [sum(turns) for turns in zip(*won, strict=True)] == [1] * 10
        for place, key in enumerate(keys):
            winner = next(number for number, turns in enumerate(won) if turns[place])
            assert storage.get(key) == b"%d" % winner

    def test_counts_and_values_do_not_meet(self, storage: Storage) -> None:
        one = window(2)
        assert storage.swap(one.key, None, b"value", 3600)
        assert admitted(storage, one, times=3) == 2
        assert storage.get(one.key) == b"value"

    # --- the rest -----------------------------------------------------------------------------------------------------

    def test_it_can_be_reached_and_used_again_after_it_was_closed(self, storage: Storage) -> None:
        storage.ping()
        storage.hit([window(1)])
        storage.close()
        storage.close()
        storage.ping()
        assert admitted(storage, window(1), times=2) == 1

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_it_survives_a_fork(self, storage: Storage) -> None:
        one = window(10)
        storage.hit([one])
        child = os.fork()
        if not child:
            # pytest must not go on here, whatever happens
            os._exit(admitted(storage, one, times=20 if storage.in_process else 3))
        _, status = os.waitpid(child, 0)
        passed = os.waitstatus_to_exitcode(status)
        assert passed == (9 if storage.in_process else 3)
        assert admitted(storage, one, times=20) == (9 if storage.in_process else 6)
