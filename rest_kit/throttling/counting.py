"""Counting a request in all of its windows, around finding out who sends it.

    by address -> room for one more failure, held -> credentials -> given back -> by user

Credentials that can be guessed are read only while their address has room for one more that is not good; a place is
held meanwhile, so that no two guesses share the last one, and given back if they are good. Where all room is held by
requests that are still on their way, the next one waits for what becomes of them. Of credentials that are all chance,
those that are not good are counted afterwards, as nobody guesses them, and the others cost nothing.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, NoReturn

from rest_kit.authentication import Authentication
from rest_kit.errors import AccessError, StoreUnavailable, Throttled
from rest_kit.processes import refuse_unshared
from rest_kit.request import Request
from rest_kit.storage import Count, Storage, Window
from rest_kit.throttling.base import Throttle
from rest_kit.throttling.headers import fields

log = logging.getLogger("rest_kit")

HELD: Final = 10.0
"""Seconds after which a request that has found no end (its process was killed) is not waited for any more."""
PATIENCE: Final = 1.0
"""Seconds to wait at most for others of the same address."""
FEW: Final = 100
"""Room for so many failures is more than an address has requests on their way, so that there is nothing to wait for."""
_ENDLESS: Final = 10**9
REMEDIES: Final = (
    "run one worker, set storage= to an SQLite file or a Redis server, or allow it with memory://?multiprocess=allow"
)


class Place(NamedTuple):
    """What one request holds in a storage until it is known who sends it: what it may turn out to be, and itself."""

    failures: list[Count]
    """The failures that it is counted among, in case that it becomes one."""
    itself: list[Count]
    """Its being on its way, which others may wait for."""

    @property
    def counts(self) -> list[Count]:
        """All of it, to be given back."""
        return self.failures + self.itself


class Counter:
    """The throttles that count in one storage, and do alike where it cannot be reached."""

    def __init__(self, storage: Storage, throttles: Sequence[Throttle], *, identifies: bool) -> None:
        self.storage = storage
        self.is_open = throttles[0].on_failure == "open"
        # where nobody is identified, all of them are counted in one step
        self.early = tuple(one for one in throttles if one.early or not identifies)
        self.late = tuple(one for one in throttles if one not in self.early)
        self.guessed = tuple(one for one in self.late if type(one).guesses is not Throttle.guesses)

    def hit(self, windows: Sequence[Window], back: Sequence[Count] = ()) -> tuple[bool, list[Count]]:
        """Count, and take back (StoreUnavailable, unless requests pass uncounted then)."""
        try:
            return self.storage.hit(windows, back)
        except StoreUnavailable as exc:
            if self.is_open:
                log.warning("requests pass uncounted: %s", exc)
                return True, []
            raise StoreUnavailable(f"requests cannot be counted: {exc}", retry_after=exc.retry_after) from exc

    def hold(self, request: Request) -> tuple[bool, Place]:
        """Hold a place among an address's failures, if there is one."""
        windows: list[Window] = []
        few = False
        for one in self.guessed:
            for window in one.guesses(request, request.view):
                windows.append(window)
                few = few or window.quota < FEW
        if not few:
            admitted, counts = self.hit(windows) if windows else (True, [])
            return admitted, Place(counts, [])
        windows.append(Window(f"held: {windows[0].key}", _ENDLESS, HELD))
        waited, pause = 0.0, 0.001
        while True:
            admitted, counts = self.hit(windows)
            place = Place(counts[:-1], counts[-1:])
            if admitted or place.itself[0].remaining == _ENDLESS or waited >= PATIENCE:
                return admitted, place
            time.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, 0.02)


class Throttling:
    """All throttles of one resource; `authentication` is what finds out who is calling."""

    def __init__(
        self, throttles: Sequence[Throttle], storage: Storage, authentication: Sequence[Authentication] = ()
    ) -> None:
        groups: dict[tuple[Storage, str], list[Throttle]] = {}
        for one in throttles:
            groups.setdefault((one.storage or storage, one.on_failure), []).append(one)
        identifies = bool(authentication)
        self._guessable = any(one.guessable for one in authentication)
        self.counters = [Counter(place, each, identifies=identifies) for (place, _), each in groups.items()]
        headers = [name for one in authentication for name in one.varies_by]
        self._credentials = ("REMOTE_USER", *("HTTP_" + name.upper().replace("-", "_") for name in headers))
        self._in_process = any(one.storage.in_process and not one.storage.tolerated for one in self.counters)
        self._early = [one.early for one in self.counters]
        self._late = [one.late for one in self.counters]
        self._has_early, self._has_late = any(self._early), any(self._late)
        alone = len(throttles) == 1 and self._has_late and not self._guessable
        self._alone = (self.counters[0], throttles[0]) if alone else None

    def enter(self, request: Request, identify: Callable[[Request], None] | None) -> None:
        """Let a request pass, with the headers that say how many are left (Throttled, and what `identify` raises)."""
        if self._in_process and request.environ.get("wsgi.multiprocess"):
            refuse_unshared(request, "requests are counted", REMEDIES)
        told: list[Count] = []
        held: Sequence[Place] = ()
        if self._has_early or self._guessable:
            held = self._identify_within_limits(request, identify, told)
        elif identify is not None:
            self._identify_first(request, identify, told)
        if self._alone is not None:
            told = self._count_alone(*self._alone, request)
        elif self._has_late:
            self._count(request, self._late, held, told)
        request.put_headers(fields(told))

    # PERF: benchmarks/policies.py: nothing to gather, and nothing to give back
    def _count_alone(self, counter: Counter, throttle: Throttle, request: Request) -> list[Count]:
        """What `_count` does, where there is one throttle and nothing was held."""
        windows = throttle.windows(request, request.view)
        if not windows:
            return []
        passed, told = counter.hit(windows)
        if not passed:
            self._refuse(request, told)
        return told

    def look(self, request: Request, identify: Callable[[Request], None]) -> None:
        """Find out who is calling for a part of another resource's reply, which counts no further (as `enter`)."""
        self._give_back_places(self._identify_within_limits(request, identify, []))

    def ping(self) -> None:
        """Return if all storages that requests depend on can be reached (StoreUnavailable)."""
        for counter in self.counters:
            if not counter.is_open:
                counter.storage.ping()

    def _identify_within_limits(
        self, request: Request, identify: Callable[[Request], None] | None, told: list[Count]
    ) -> Sequence[Place]:
        """Count by address, then find out who is calling; what has been held for that is to be given back."""
        if self._has_early:
            self._count(request, self._early, (), told)
        if identify is None:
            return ()
        if not self._guessable:
            self._identify_first(request, identify, told)
            return ()
        held = self._hold(request, told)
        if held is None:
            return ()
        self._identify(request, identify, held, told)
        return held

    def _count(
        self,
        request: Request,
        throttles: Sequence[Sequence[Throttle]],
        held: Sequence[Place],
        told: list[Count],
    ) -> None:
        """Count what each counter's throttles say, and give back what was held (Throttled)."""
        view, admitted = request.view, True
        done = []
        for place, counter in enumerate(self.counters):
            asked = throttles[place] if admitted else ()
            windows = asked[0].windows(request, view) if len(asked) == 1 else _all_windows(asked, request)
            back = held[place].counts if held else ()
            if not windows and not back:
                continue
            passed, counts = counter.hit(windows, back)
            told += counts
            if passed:
                done.append((counter, counts))
            else:
                admitted = False
        if not admitted:
            _give_back(done)
            self._refuse(request, told)

    def _hold(self, request: Request, told: list[Count]) -> list[Place] | None:
        """Hold places for credentials that may not be good (Throttled).

        None where there is no room, but no credentials either: then nothing is looked at, and nobody is logged in.
        """
        held: list[Place] = []
        for counter in self.counters:
            admitted, place = counter.hold(request)
            if not admitted:
                self._give_back_places(held)
                if not any(name in request.environ for name in self._credentials):
                    return None
                self._refuse(request, [*told, *place.failures])
            held.append(place)
        return held

    def _identify_first(self, request: Request, identify: Callable[[Request], None], told: Sequence[Count]) -> None:
        """Find out who is calling; credentials that are not good are counted then (Throttled)."""
        try:
            identify(request)
        except AccessError:
            told = list(told)
            admitted = True
            for counter in self.counters:
                windows = [window for one in counter.guessed for window in one.guesses(request, request.view)]
                passed, counts = counter.hit(windows) if windows else (True, [])
                told += counts
                admitted = admitted and passed
            if not admitted:
                self._refuse(request, told)
            request.put_headers(fields(told))
            raise

    def _identify(
        self,
        request: Request,
        identify: Callable[[Request], None],
        held: Sequence[Place],
        told: Sequence[Count],
    ) -> None:
        """Find out who is calling; credentials that are not good keep their place among the failures."""
        try:
            identify(request)
        except AccessError:
            _give_back((counter, place.itself) for counter, place in zip(self.counters, held, strict=True))
            request.put_headers(fields([*told, *(one for place in held for one in place.failures)]))
            raise
        except BaseException:
            self._give_back_places(held)
            raise

    def _give_back_places(self, held: Sequence[Place]) -> None:
        _give_back((counter, place.counts) for counter, place in zip(self.counters, held, strict=False))

    def _refuse(self, request: Request, told: Sequence[Count]) -> NoReturn:
        request.put_headers(fields(told))
        worst = max((one for one in told if not one.remaining), key=lambda one: one.reset)
        window, seconds = worst.window, max(1, math.ceil(worst.reset))
        text = f"{window.policy!r} allows {window.quota} in {window.seconds:g} s; try again in {seconds} s"
        raise Throttled(text, retry_after=seconds)


def _all_windows(throttles: Sequence[Throttle], request: Request) -> list[Window]:
    return [window for one in throttles for window in one.windows(request, request.view)]


def _give_back(counted: Iterable[tuple[Counter, list[Count]]]) -> None:
    """Take back what was counted for a request that has not been let in after all."""
    for counter, counts in counted:
        if counts:
            counter.hit((), counts)
